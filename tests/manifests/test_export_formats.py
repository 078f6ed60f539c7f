"""Each format, read by its own library where it is installed, or by a reader written from its documentation."""

from __future__ import annotations

import io
import json
import os
import tarfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from crafted_run import craft
from PIL import Image

from manifests import pictures
from manifests.commit import read_table
from manifests.export import export
from manifests.shards import tar_path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crafted") / "run"
    craft(folder)
    return folder


@pytest.fixture(scope="module")
def rows(run):
    """Rows of kept pairs by id."""
    return {row["pair_id"]: row for row in read_table(run / "manifest.parquet").to_pylist() if row["verdict"] == "keep"}


def to(run, name):
    return export(run, run / "manifest.parquet", name)


def stored(run, row, side):
    """The pixels of a stored side."""
    return pictures.decode(tar_path(run, row["shard"]).read_bytes()[row[f"{side}_offset"] :][: row[f"{side}_length"]])


def pixels(file):
    """The pixels of a file, as Pillow gives them to a trainer."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def same(run, row, clean, degraded):
    """Whether two opened pictures are the manifest's."""
    return np.array_equal(clean, stored(run, row, "clean")) and np.array_equal(degraded, stored(run, row, "degraded"))


@pytest.mark.parametrize(
    ("name", "clean", "degraded"),
    [("imagefolder", "file_name", "degraded_file_name"), ("diffusers", "edited_image_file_name", "input_image_file_name")],
)
def test_folders_are_read_by_their_metadata(run, rows, name, clean, degraded):
    """metadata.jsonl names both files of every kept pair beside itself; every line has the same keys and types."""
    seen, kinds = set(), set()
    for path in to(run, name).glob("*/metadata.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            row = rows[told["pair_id"]]
            assert same(run, row, pixels(path.parent / told[clean]), pixels(path.parent / told[degraded]))
            assert row["split"] == path.parent.name
            layers = json.loads(told["layers"])
            assert {layer["scale"] for layer in layers.values()} == {layer["scale"] for layer in json.loads(row["layers"] or "[]")}
            assert all(pixels(path.parent / layer["file"]).size for layer in layers.values())
            seen.add(told["pair_id"])
            kinds.add(tuple((key, type(value).__name__) for key, value in told.items()))
    assert seen == rows.keys()
    assert len(kinds) == 1
    assert not {key for key, kind in next(iter(kinds)) if key.endswith("file_name")} - {clean, degraded}


def test_diffusers_finds_its_columns_first(run):
    """Without flags train_instruct_pix2pix.py takes the first three columns."""
    line = json.loads((to(run, "diffusers") / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert list(line)[:3] == ["input_image_file_name", "edit_prompt", "edited_image_file_name"]


def test_webdataset_groups_members_by_key(run, rows):
    """A key ends at the first dot; under it stand both sides, the story, the prompt and the side products."""
    found = {}
    for path in sorted(to(run, "webdataset").glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, kind = member.name.partition(".")
                found.setdefault(key, {})[kind] = tar.extractfile(member).read()
    assert found.keys() == rows.keys()
    for key, members in found.items():
        sides = {kind.partition(".")[0]: pixels(io.BytesIO(data)) for kind, data in members.items() if kind.startswith(("clean.", "degraded."))}
        assert same(run, rows[key], sides["clean"], sides["degraded"])
        scales = json.loads(members["json"]).get("layer_scales", {})
        assert {f"layer.{name}.png" for name in scales} == {kind for kind in members if kind.startswith("layer.")}
        assert members["txt"] == b"Remove the noise."


def test_webdataset_runs_the_card(run, rows, monkeypatch):
    """The lines that the card gives are run as they stand, and give every training pair, pixel by pixel."""
    pytest.importorskip("webdataset", reason="pip install 'patina[train]'")
    folder = to(run, "webdataset")
    code = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(folder)
    names = {}
    exec(code, names)
    found = list(names["pairs"])
    assert all(prompt == "Remove the noise." for _, _, prompt in found)
    wanted = [tuple(stored(run, row, side).tobytes() for side in ("degraded", "clean")) for row in rows.values() if row["split"] == "train"]
    assert sorted(tuple(side.convert("RGB").tobytes() for side in (degraded, clean)) for degraded, clean, _ in found) == sorted(wanted)


def test_parquet_holds_picture_structs(run, rows):
    """Pictures are structs of bytes and path, the schema says so to `datasets`, and side products are columns that may be null."""
    seen = set()
    for path in sorted(to(run, "parquet").glob("data/*.parquet")):
        table = pq.read_table(path)
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert list(features) == table.column_names
        assert {name for name, feature in features.items() if feature["_type"] == "Image"} == {"image", "degraded", "layer_depth", "layer_rain_rain"}
        for told in table.to_pylist():
            row = rows[told["pair_id"]]
            assert same(run, row, *(pixels(io.BytesIO(told[side]["bytes"])) for side in ("image", "degraded")))
            assert (told["layer_depth"] is not None) == ("depth" in (row["layers"] or ""))
            assert path.name.startswith(row["split"] + "-")
            seen.add(told["pair_id"])
    assert seen == rows.keys()


def test_parquet_files_stay_below_the_limit(run, monkeypatch):
    """A split is cut into numbered files where the next pair would pass the limit."""
    from manifests.formats import parquet
    from manifests.formats.rows import kept

    table = kept(run / "manifest.parquet")
    monkeypatch.setattr(parquet, "PART_BYTES", 1)
    names = [name for name, _ in parquet.FORMAT.parts(table)]
    assert names == ["data/test-00000-of-00001.parquet", *(f"data/train-{part:05d}-of-00004.parquet" for part in range(4))]


@pytest.mark.parametrize(("name", "read"), [("diffsynth", "list"), ("step1x-edit", "table")])
def test_json_of_editors(run, rows, name, read):
    """DiffSynth-Studio joins paths to a base; Step1X-Edit opens them as they stand: the target first, the source second."""
    seen = 0
    for path in to(run, name).glob("*/metadata.json"):
        page = json.loads(path.read_text(encoding="utf-8"))
        found = page if read == "list" else [{"image": key, "edit_image": value["ref_image_path"], "prompt": value["caption"]} for key, value in page.items()]
        for entry in found:
            clean, degraded = (os.path.join(path.parent if read == "list" else "", entry[key]) for key in ("image", "edit_image"))
            assert same(run, rows[os.path.basename(clean).partition(".")[0]], pixels(clean), pixels(degraded))
            assert entry["prompt"] == "Remove the noise."
            seen += 1
    assert seen == len(rows)


def test_basicsr_splits_its_lines(run, rows):
    """Both paths of a line are joined to the split's folder; a clean side that two pairs share is stored once."""
    seen, targets = set(), set()
    for path in to(run, "basicsr").glob("*/meta_info.txt"):
        for line in path.read_text().splitlines():
            clean, degraded = (path.parent / part for part in line.split(", "))
            row = rows[degraded.name.partition(".")[0]]
            assert same(run, row, pixels(clean), pixels(degraded))
            assert (clean.parent.name, degraded.parent.name) == ("gt", "lq")
            seen.add(row["pair_id"])
            targets.add(clean)
    assert seen == rows.keys()
    assert len(targets) == len(rows) - 1 == len(list(to(run, "basicsr").glob("*/gt/*")))


def test_ai_toolkit_matches_base_names(run, rows):
    """Every target has a caption beside it and a control of its base name, in an extension that the trainer looks for."""
    targets = list(to(run, "ai-toolkit").glob("*/target/*.png"))
    assert {path.stem for path in targets} == rows.keys()
    for path in targets:
        controls = [path.parent.parent / "control" / (path.stem + extension) for extension in (".jpg", ".jpeg", ".png", ".webp")]
        (control,) = [found for found in controls if found.exists()]
        assert same(run, rows[path.stem], pixels(path), pixels(control))
        assert path.with_suffix(".txt").read_text() == "Remove the noise."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "clean", "degraded"),
    [("imagefolder", "image", "degraded"), ("parquet", "image", "degraded"), ("diffusers", "edited_image", "input_image")],
)
def test_datasets_loads_it(run, rows, tmp_path, monkeypatch, name, clean, degraded):
    """Hugging Face `datasets` finds splits, columns and pictures by the card alone."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    loaded = datasets.load_dataset(str(to(run, name)), cache_dir=str(tmp_path))
    assert {split: len(loaded[split]) for split in loaded} == {"train": 4, "test": 1}
    for split in loaded:
        for item in loaded[split]:
            assert same(run, rows[item["pair_id"]], np.asarray(item[clean]), np.asarray(item[degraded].convert("RGB")))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "table"), [("imagefolder", "train/metadata.jsonl"), ("parquet", "data/train-00000-of-00001.parquet")])
def test_croissant_is_valid_and_loads(run, name, table):
    """The reference library finds no error and reads the records."""
    mlcroissant = pytest.importorskip("mlcroissant", reason="pip install mlcroissant")
    page = mlcroissant.Dataset(str(to(run, name) / "croissant.json"))
    assert not page.metadata.ctx.issues.errors
    assert len(list(page.records(record_set=f"{table}/records"))) == 4
