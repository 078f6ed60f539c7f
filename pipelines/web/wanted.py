"""What is to be fetched, fixed before the first request: the rows of a list, cut into parts; a row group is a part.

The first round is the list. Each later one (`--retry`) holds those rows whose refusal may have passed since. Parts are
numbered on through the rounds, so that nothing that was committed is ever written again.

    fetch.json          the list, its sha256, the column
    wanted-0.parquet    the list's rows; wanted-1.parquet and so on: what was asked again
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from degrade.errors import BadSample, Reason, RecipeError, RunError
from manifests import commit
from pipelines.photos import lists, uris
from pipelines.web import urls

TEXTS = (".txt", ".txt.gz")  # one URL a line
FIRST = "wanted-0.parquet"
PART = 1000  # URLs: a tar of a gigabyte or so
COLUMNS = ("url", "URL", "uri", "image_url")  # that name a photo on the web, the first of them that is there
WANTED = pa.schema(
    [
        ("row", pa.int64()),  # of the list, from 1
        ("url", pa.string()),  # as it is written there
        ("host", pa.string()),  # whose turn it waits for
        ("extra", pa.map_(pa.string(), pa.string())),  # the list's other columns
        ("reason", pa.string()),  # why it is not asked at all
        ("detail", pa.string()),
    ]
)


class Part(NamedTuple):
    """A piece of what is wanted: a tar and a table once it is fetched."""

    number: int
    path: Path  # of its round
    group: int
    size: int  # rows

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.number:05d}"

    def key(self, place: int) -> str:
        """Return the name of a photo by its place in the part, as img2dataset counts: 5 digits and 4."""
        return f"{self.name}{place:04d}"

    def rows(self) -> list[dict[str, Any]]:
        """Return its rows in their order."""
        with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            rows: list[dict[str, Any]] = file.read_row_group(self.group).to_pylist()
        return [{**row, "extra": dict(row["extra"])} for row in rows]


def part_of(key: str) -> str:
    """Return the name of the part to which a photo's key belongs."""
    return key[:-4]


def fix(folder: Path, page: str, column: str | None, *, http: bool) -> None:
    """Write down what a list wants, or make sure that a folder goes on with the same list.

    Args:
        folder: of the photos.
        page: the list, a local path or a uri.
        column: that names the URL; default the first of `COLUMNS`.
        http: whether unprotected http is followed.

    Raises:
        RunError: the folder holds something else, or another list was begun in it; RecipeError for a list that cannot be read.
    """
    if not page.lower().endswith((*lists.SUFFIXES, *TEXTS)):
        raise RecipeError(f"{page}: not a list that is read: {', '.join((*lists.SUFFIXES, *TEXTS))}")
    uri = page if uris.local_path(page) is None else uris.of_path(os.path.expanduser(page))
    with uris.open_container(uri) as stream:
        raw: Any = stream  # a file, or what fsspec makes look like one
        identity = {"list": uri, "sha256": hashlib.file_digest(raw, "sha256").hexdigest(), "column": column, "http": http, "part": PART}
    record = folder / "fetch.json"
    if record.exists():
        before = json.loads(record.read_text(encoding="utf-8"))
        changed = [f"{key}: {before.get(key)} -> {now}" for key, now in identity.items() if before.get(key) != now and key != "list"]
        if changed:
            raise RunError(f"{folder} was begun with another list; use a new --out, or put these back:\n  " + "\n  ".join(changed))
        return
    strangers = {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {FIRST} if folder.exists() else set()
    if strangers:
        raise RunError(f"{folder} is not empty and holds no fetch.json: choose a new or empty folder for --out")
    with uris.open_container(uri) as stream:
        _write(folder / FIRST, _judged(lists.entries(stream, uri, column, COLUMNS), http=http))
    if not count(folder):
        raise RecipeError(f"{page}: names no URL")
    commit.write_json(record, identity)


def _judged(entries: Iterable[lists.Entry], *, http: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for every row of a list; what is not worth a request has its reason already."""
    seen: dict[bytes, int] = {}
    for number, entry in enumerate(entries, start=1):
        plain = lists.text(entry.name)
        row: dict[str, Any] = {"row": number, "url": plain, "host": "", "extra": sorted(entry.extra.items()), "reason": None, "detail": None}
        try:
            if not entry.name:
                raise BadSample(Reason.MISSING, "the row names no URL")
            target = urls.parse(entry.name, http=http)
            first = seen.setdefault(hashlib.blake2b(target.url.encode(), digest_size=16).digest(), number)
            if first != number:
                raise BadSample(Reason.DUPLICATE, f"the same address as row {first}")
            row["host"] = target.host
        except BadSample as bad:
            row |= {"reason": str(bad.reason), "detail": bad.detail}
        yield row


def again(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Begin another round with these rows of `WANTED`."""
    _write(folder / f"wanted-{len(_rounds(folder))}.parquet", rows)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    waiting = iter(rows)
    with commit.atomic_file(path) as file, pq.ParquetWriter(file, WANTED, compression="zstd", write_page_checksum=True) as writer:
        for first in waiting:
            part = [first, *itertools.islice(waiting, PART - 1)]
            writer.write_table(pa.Table.from_pylist(part, WANTED), row_group_size=PART)


def _rounds(folder: Path) -> list[Path]:
    """Return the files of all rounds in their order."""
    return list(itertools.takewhile(Path.exists, (folder / f"wanted-{at}.parquet" for at in itertools.count())))


def parts(folder: Path) -> list[Part]:
    """Return the parts of all rounds in their order."""
    found: list[Part] = []
    for path in _rounds(folder):
        told = pq.read_metadata(path)
        found += [Part(len(found) + group, path, group, told.row_group(group).num_rows) for group in range(told.num_row_groups)]
    return found


def count(folder: Path) -> int:
    """Return how many rows the list has."""
    return int(pq.read_metadata(folder / FIRST).num_rows)
