"""Filters by any column leave the rows that Python would leave, and what cannot be meant is refused by name."""

from __future__ import annotations

import json

import pyarrow.compute as pc
import pytest

from degrade.errors import CorruptRun, RecipeError
from manifests.choose import choose
from manifests.commit import read_table

CASES = {
    "number": ([("stratum", ">=", 3)], lambda row: row["stratum"] >= 3),
    "word": ([("task", "!=", "noise")], lambda row: row["task"] != "noise"),
    "list": ([("task", "in", ["noise", "haze"]), ("stratum", "not in", [1, 2])], lambda row: row["task"] in {"noise", "haze"} and row["stratum"] > 2),
    "score": ([("scores.psnr_db", "<", 28)], lambda row: dict(row["scores"])["psnr_db"] < 28),
    "has_score": ([("scores", "has", "psnr_db")], lambda _: True),
    "step": ([("steps", "has", "noise")], lambda row: any(step["generator"] == "noise" for step in json.loads(row["steps"]))),
    "like": ([("photo_uri", "like", "%coffee%")], lambda row: "coffee" in row["photo_uri"]),
    "expression": (pc.field("severity") * 2 > 40, lambda row: row["severity"] * 2 > 40),
    "both": ([pc.field("width") == 128, ("stratum", "<", 3)], lambda row: row["width"] == 128 and row["stratum"] < 3),
    "no_value": ([("extra.licence", "!=", "CC0")], lambda _: False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_filter_leaves_what_it_says(finished, name):
    """The kept pairs that pass are those for which the same condition holds in Python, in the manifest's order."""
    filters, holds = CASES[name]
    rows = [row for row in read_table(finished.manifest).to_pylist() if row["verdict"] == "keep" and holds(row)]
    assert choose([finished.folder], filters, ["pair_id"])["pair_id"].to_pylist() == [row["pair_id"] for row in rows]
    assert name in {"no_value", "has_score"} or 0 < len(rows) < len(choose([finished.folder], None, ["pair_id"]))


def test_several_runs_are_one_after_another(finished):
    """The column `run` counts the folders, and words of both are told in one dictionary."""
    table = choose([finished.folder, finished.folder], None, ["task"])
    half = len(table) // 2
    assert table["run"].to_pylist() == [0] * half + [1] * half
    assert table["task"].num_chunks == 1


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([("stratm", ">", 1)], "did you mean `stratum`"),
        ([("stratum", "=>", 1)], "unknown op `=>`"),
        ([("stratum", ">", "three")], "cannot be applied"),
        ([("severity", "in", ["x"])], "cannot be applied"),
        ([("task", "in", "noise")], "takes a list"),
        ([("scores", ">", 3)], "`scores.ENTRY`"),
        ([("task.x", "==", 3)], "not comparable"),
        ([("task", "has", "noise")], "looks into"),
        (("task", "==", "noise"), "write \\(column, op, value\\)"),
        (pc.field("widht") > 3, "widht"),
    ],
)
def test_what_cannot_be_meant_is_refused(finished, filters, said):
    """The error names the column, the op or the value."""
    with pytest.raises(RecipeError, match=said):
        choose([finished.folder], filters, ["pair_id"])


def test_a_damaged_manifest_is_told_apart_from_a_bad_filter(scratch):
    """Cut the file: CorruptRun, whatever is asked of it."""
    scratch.manifest.write_bytes(scratch.manifest.read_bytes()[:-500])
    with pytest.raises(CorruptRun):
        choose([scratch.folder], [("stratum", ">", 1)], ["pair_id"])
