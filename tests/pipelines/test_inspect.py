"""`patina inspect`: served, or written to disk; and what reviewers said, honoured by `select`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from degrade.errors import RunError
from manifests.commit import read_table
from manifests.page.reviews import ReviewLog, reviewed
from pipelines.build import books
from pipelines.cli import app
from pipelines.inspect import opened_for_looking, vocabulary
from pipelines.select import select


def rows_of(run):
    """Return the manifest by pair."""
    return {row["pair_id"]: row for row in read_table(run.manifest).to_pylist()}


@pytest.fixture
def interruptible():
    """Children can be interrupted, though a shell that put the tests into the background may have had SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_the_command_serves_until_it_is_interrupted(finished):
    """It prints where the page is, answers there, and ends at Ctrl-C."""
    command = [sys.executable, "-m", "pipelines", "inspect", str(finished.folder), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = json.loads(process.stdout.readline())["url"]
        with urllib.request.urlopen(url + "api/overview") as answer:
            assert json.load(answer)["name"] == "small"
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(10) == 130


def test_the_command_writes_files(scratch, tmp_path):
    """`--html` leaves a page to open from disk."""
    done = CliRunner().invoke(app, ["inspect", str(scratch.folder), "--html", str(tmp_path / "page"), "--sample", "3", "--json"])
    assert json.loads(done.stdout) == {"page": str(tmp_path / "page" / "index.html"), "pairs": 3}
    assert (tmp_path / "page" / "index.html").exists()


def test_a_run_that_is_not_finished_says_what_to_do(scratch):
    """Without a manifest there is nothing to look at yet."""
    scratch.manifest.unlink()
    with pytest.raises(RunError, match="patina select"):
        opened_for_looking(scratch.folder)


def test_parameters_have_units_and_meanings(finished):
    """The page tells of a parameter what `patina kinds` tells of its range."""
    assert vocabulary()["haze"]["metering"].unit == "0..1"
    haze = next(row for row in rows_of(finished).values() if row["task"] == "haze")
    steps = opened_for_looking(finished.folder).story(haze["pair_id"])["steps"]
    assert any(parameter["meaning"] for step in steps for parameter in step["parameters"])


def test_select_honours_a_reject(scratch):
    """A pair that reviewers rejected is refused, with who and why, and the books still close."""
    key = next(key for key, row in rows_of(scratch).items() if row["verdict"] == "keep")
    ReviewLog(scratch.folder).append(reviewed(key, "ann", "reject", "artefact", "a seam"))
    select(scratch)
    row = rows_of(scratch)[key]
    assert [row[name] for name in ("verdict", "decided_by", "reason", "detail")] == ["reject", "review", "reviewed_out", "ann: artefact (a seam)"]
    assert books(scratch).closed
    assert books(scratch).refused["reviewed_out"] == 1


def test_a_person_may_overrule_a_limit_and_nothing_else(scratch):
    """An accepted pair comes back from a limit; one without pictures does not come back from the dead."""
    before = rows_of(scratch)
    limits = scratch.recipe.select.model_copy(update={"limits": {"psnr_db": {"default": (90.0, 99.0)}}})
    strict = replace(scratch, recipe=scratch.recipe.model_copy(update={"select": limits}))
    kept = next(key for key, row in before.items() if row["verdict"] == "keep")
    log = ReviewLog(scratch.folder)
    for key, row in before.items():
        if key == kept or row["verdict"] == "reject":
            log.append(reviewed(key, "ann", "accept"))
    select(strict)
    after = rows_of(scratch)
    assert {key for key, row in after.items() if row["verdict"] == "keep"} == {kept}
    assert (after[kept]["decided_by"], after[kept]["reason"], after[kept]["detail"]) == ("review", None, "ann: accept")


def test_taking_words_back_restores_the_manifest(scratch):
    """Reviews leave no trace in the shards."""
    before = read_table(scratch.manifest)
    key = next(key for key, row in rows_of(scratch).items() if row["verdict"] == "keep")
    log = ReviewLog(scratch.folder)
    log.append(reviewed(key, "ann", "reject", "unwanted"))
    select(scratch)
    assert not read_table(scratch.manifest).equals(before)
    log.append(reviewed(key, "ann", "withdraw"))
    select(scratch)
    assert read_table(scratch.manifest).equals(before)
