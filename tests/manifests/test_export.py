"""Other people's formats hold the manifest's pixels and nothing else."""

from __future__ import annotations

import json
import tarfile

import pytest

from manifests import export
from manifests.commit import read_table
from manifests.shards import tar_path


@pytest.fixture(scope="module")
def kept(finished):
    """Rows of kept pairs by id."""
    return {row["pair_id"]: row for row in read_table(finished.manifest).to_pylist() if row["verdict"] == "keep"}


def member(run, row, side):
    """The stored bytes of a side."""
    return tar_path(run.folder, row["shard"]).read_bytes()[row[f"{side}_offset"] :][: row[f"{side}_length"]]


def test_imagefolder_is_read_by_its_own_rules(scratch, kept):
    """metadata.jsonl names both files of every kept pair, relative to itself, and the bytes are the stored ones."""
    folder = export.export(scratch.folder, scratch.manifest, "imagefolder")
    seen = set()
    for path in folder.glob("*/metadata.jsonl"):
        for line in path.read_text().splitlines():
            told = json.loads(line)
            row = kept[told["pair_id"]]
            assert (path.parent / told["file_name"]).read_bytes() == member(scratch, row, "clean")
            assert (path.parent / told["degraded_file_name"]).read_bytes() == member(scratch, row, "degraded")
            assert row["split"] == path.parent.name
            seen.add(told["pair_id"])
    assert seen == kept.keys()


def test_webdataset_holds_kept_pairs_only(scratch, kept):
    """Four members per kept pair."""
    folder = export.export(scratch.folder, scratch.manifest, "webdataset")
    names = []
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            names += tar.getnames()
    assert len(names) == 4 * len(kept)
    assert {name.partition(".")[0] for name in names} == kept.keys()


def test_running_again_changes_nothing(scratch):
    """A second export of the same manifest leaves every file as it is."""
    folder = export.export(scratch.folder, scratch.manifest, "imagefolder")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    export.export(scratch.folder, scratch.manifest, "imagefolder")
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
