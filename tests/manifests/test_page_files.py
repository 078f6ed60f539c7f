"""The page as files: whole, harmless, and never over somebody's folder."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from degrade.errors import RunError
from manifests.commit import read_table
from manifests.page import files
from manifests.page.run import About, InspectedRun

HOSTILE = '</script><img src=x onerror=alert(1)>\u2028"\u202e.jpg'


def data_of(folder):
    """Return what the page holds."""
    text = (folder / "static" / "data.js").read_text(encoding="ascii")
    return text, json.loads(text.removeprefix("const HELD = ").rstrip(";\n"))


def test_the_page_holds_a_sample_with_its_pictures(scratch, tmp_path):
    """Every picture that is named is there, every task is shown, and writing again replaces it."""
    shown = files.write(InspectedRun(scratch.folder, About("small")), tmp_path / "page", 6)
    _, held = data_of(tmp_path / "page")
    assert shown == held["overview"]["columns"]["rows"] == len(held["pairs"]) == 6
    assert {pair["task"] for pair in held["pairs"].values()} == {"compression", "haze", "noise"}
    named = [name for pictures in held["pictures"].values() for name in pictures.values()]
    assert len(named) == 18
    assert {len(column) for column in held["scores"]["columns"].values()} == {6}
    assert all((tmp_path / "page" / name).stat().st_size for name in named)
    for task, found in held["parameters"].items():
        rows = [held["overview"]["columns"]["pair_id"][row] for row in found["rows"]]
        assert {held["pairs"][pair_id]["task"] for pair_id in rows} == {task}
    assert files.write(InspectedRun(scratch.folder, About("small")), tmp_path / "page", 2) == 2


def test_a_folder_of_somebody_else_is_left_alone(scratch, tmp_path):
    """Only an earlier page of ours is replaced."""
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(RunError, match="choose a new or empty folder"):
        files.write(InspectedRun(scratch.folder, About("small")), tmp_path, 2)
    assert (tmp_path / "thesis.txt").read_text() == "three years"


def test_a_hostile_name_stays_a_name(scratch, tmp_path):
    """A file name that tries to end a script is escaped in the data, and the page takes texts as texts only."""
    table = read_table(scratch.manifest)
    at = table.schema.get_field_index("photo_uri")
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array([HOSTILE] * table.num_rows)), scratch.manifest)
    files.write(InspectedRun(scratch.folder, About(HOSTILE)), tmp_path / "page", 2)
    text, held = data_of(tmp_path / "page")
    assert "<" not in text
    assert held["overview"]["name"] == HOSTILE
    page = (tmp_path / "page" / "index.html").read_text()
    assert "script-src 'self' file:;" in page
    assert not re.search(r"%[A-Z]+%| on\w+=|https?:", page)
    for script in (tmp_path / "page" / "static").glob("*.js"):
        code = "" if script.name == "data.js" else script.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code)
