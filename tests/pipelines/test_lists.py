"""Facts about `pipelines.photos.lists`: Parquet, CSV and JSON lines that name photos."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from degrade.errors import BadSample, Reason, RecipeError
from pipelines.photos.sources import Listed, Source, listing, read

BYTES = b"\xff\xd8\xff and so on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three photos, one of them two levels down, and things that are no photos."""
    root = tmp_path / "photos"
    (root / "a" / "b").mkdir(parents=True)
    for name in ("z.jpg", "a/One.JPG", "a/b/two.png"):
        (root / name).write_bytes(BYTES)
    for name in ("notes.txt", ".hidden.jpg", "a/one.json"):
        (root / name).write_text("no photo")
    return root


def _problem(found: Listed) -> Reason:
    with pytest.raises(BadSample) as caught:
        read(found)
    return caught.value.reason


def _write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    text = io.StringIO()
    if ".csv" in path.name:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    else:
        text.writelines(json.dumps(row) + "\n" for row in rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["l.parquet", "l.csv", "l.jsonl", "l.csv.gz", "l.jsonl.gz"])
def test_lists_carry_their_other_columns(folder: Path, name: str) -> None:
    """Every format of list gives the same inputs, with licence, group and all else as text."""
    rows = [
        {"path": "z.jpg", "licence": "CC0", "group": "walk 1"},
        {"path": str(folder / "a/One.JPG"), "licence": "", "group": "walk 2"},
        {"path": "gone.jpg", "licence": "CC0", "group": ""},
        {"path": "../photos2/x.jpg", "licence": "", "group": ""},
        {"path": "", "licence": "CC0", "group": ""},
    ]
    found = listing([str(_write_list(folder / name, rows))])
    assert [item.extra.get("group") for item in found if not item.problem] == ["walk 2", "walk 1"]
    problems = {item.uri.removeprefix(f"{folder}/"): item.problem.reason for item in found if item.problem}
    assert problems == {"gone.jpg": Reason.MISSING, f"{folder.parent}/photos2/x.jpg": Reason.MISSING, f"{name}, row 5": Reason.MISSING}
    assert [item.extra for item in found if item.uri.endswith("z.jpg")] == [{"licence": "CC0", "group": "walk 1"}]


def test_a_list_reaches_only_what_its_root_allows(folder: Path, tmp_path: Path) -> None:
    """A relative name that climbs out of the list's folder is refused, until the recipe names a wider root."""
    (tmp_path / "beside.jpg").write_bytes(BYTES)
    (one,) = listing([str(_write_list(folder / "l.csv", [{"path": "../beside.jpg"}]))])
    assert _problem(one) is Reason.NOT_A_FILE
    (same,) = listing([Source(path=str(_write_list(folder / "l.csv", [{"path": "beside.jpg"}])), root=str(tmp_path))])
    assert read(same) == BYTES
    (far,) = listing([Source(path=str(_write_list(folder / "l.csv", [{"path": str(tmp_path / "beside.jpg")}])), root=str(folder))])
    assert _problem(far) is Reason.NOT_A_FILE


def test_any_row_of_a_list_becomes_text(tmp_path: Path) -> None:
    """Values that are no text are carried as text, and names that no file can have are refused, each as its own input."""
    rows = [{"path": "half \ud800.jpg", "tags": ["a", "b"], "year": 1999, "author": "\ud800"}, {"path": 7}, {"path": "nul\0.jpg"}]
    (tmp_path / "l.JSONL").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = listing([str(tmp_path / "l.JSONL")])
    assert [_problem(item) for item in found] == [Reason.MISSING] * 3
    assert found[1].extra == {"tags": "['a', 'b']", "year": "1999", "author": "?"}
    assert all(item.uri.isprintable() and item.uri.encode() for item in found)


BROKEN_LISTS = {
    "x.csv": b"path\n\xff\xfe.jpg\n",
    "cells.csv": b"path,licence\na.jpg,CC0,more\n",
    "quote.csv": b'path\n"a.jpg\n',
    "x.jsonl": b'{"path": "a.jpg"}\n{"path"\n',
    "array.jsonl": b"[1, 2]\n",
    "deep.jsonl": b"[" * 100_000,
    "x.csv.gz": gzip.compress(b"path\na.jpg\n" * 1000)[:-20],
    "x.jsonl.gz": b"no gzip",
    "x.parquet": b"PAR1 no parquet PAR1",
    "column.csv": b"file\na.jpg\n",
    "long.jsonl": b'{"path": "' + b"x" * (2 << 20) + b'"}',
}


@pytest.mark.parametrize("name", BROKEN_LISTS)
def test_a_broken_list_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    """A list that cannot be read to its end is an error, never a shorter list."""
    (tmp_path / name).write_bytes(BROKEN_LISTS[name])
    with pytest.raises(RecipeError, match=name):
        listing([str(tmp_path / name)])


@pytest.mark.parametrize("uri", ["https://example.org/a.jpg", "http://169.254.169.254/", "ftp://x/a.jpg", "s3://a::https://x/a.jpg", "simplecache://x"])
def test_lists_are_not_followed_to_the_web(tmp_path: Path, uri: str) -> None:
    """A list, or a source, that names the web or an unknown scheme is refused before anything is opened."""
    with pytest.raises(RecipeError, match=r"not fetched|not followed"):
        listing([str(_write_list(tmp_path / "l.jsonl", [{"url": uri}]))])
    with pytest.raises(RecipeError, match=r"not fetched|not followed"):
        listing([uri])
