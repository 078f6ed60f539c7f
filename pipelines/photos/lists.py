"""Lists of photos: Parquet, CSV and JSON lines, one photo a row, every other column carried along as text; of plain text, each line is a URL.

The column `path`, `uri` or `url` (the first of them that is there) names the photo. A list that cannot be read is an
error that names file and line, never a shorter list.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

from degrade.errors import RecipeError

COLUMNS = ("path", "uri", "url")
SUFFIXES = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
MAX_LINE = 1 << 20  # characters; a line of a list is a name and a few words


class Entry(NamedTuple):
    """One row of a list."""

    where: str  # "file, row 7"
    name: str  # what the row calls the photo; empty if it does not
    extra: dict[str, str]  # the other columns, without the empty ones


def entries(stream: IO[bytes], uri: str, column: str | None = None, columns: Sequence[str] = COLUMNS) -> Iterator[Entry]:
    """Yield the rows of a list.

    Args:
        stream: the list.
        uri: its name, which tells the format.
        column: the column that names the photo; by default the first of `columns`.
        columns: by which names that column is looked for.

    Raises:
        RecipeError: a list that cannot be read, or that has no such column.
    """
    for number, row in enumerate(_rows(stream, uri), start=1):
        key = column or next((name for name in columns if name in row), None)
        if key is None or key not in row:
            raise RecipeError(f"{uri}, row {number}: no column {column or ' or '.join(columns)}; it has {', '.join(map(str, row))}")
        extra = {text(name): text(value) for name, value in row.items() if name != key and value is not None and value != ""}
        yield Entry(f"{uri}, row {number}", str(row[key] or ""), extra)


def text(value: Any) -> str:
    """Return a value as text that can be written anywhere: JSON may hold halves of characters."""
    return str(value).encode("utf-8", "replace").decode()


def _rows(stream: IO[bytes], uri: str) -> Iterator[dict[str, Any]]:
    name = uri.lower()
    if name.endswith(".parquet"):
        return _parquet_rows(stream, uri)
    plain: Any = gzip.GzipFile(fileobj=stream) if name.endswith(".gz") else stream
    lines = _lines(io.TextIOWrapper(plain, encoding="utf-8-sig", newline=""), uri)
    if name.removesuffix(".gz").endswith(".txt"):
        return ({"url": line.strip()} for line in lines if line.strip())
    return _csv_rows(lines, uri) if name.removesuffix(".gz").endswith(".csv") else _json_rows(lines, uri)


def _lines(text: io.TextIOWrapper, uri: str) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise RecipeError(f"{uri}, line {number}: longer than {MAX_LINE:,} characters")
            yield line
    except UnicodeDecodeError as error:
        raise RecipeError(f"{uri}: is not UTF-8, after line {number}: {error.reason}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise RecipeError(f"{uri}: cannot be read, after line {number}: {error}") from error


def _csv_rows(lines: Iterable[str], uri: str) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(lines, strict=True)
    try:
        for row in reader:
            if None in row:
                raise RecipeError(f"{uri}, line {reader.line_num}: more cells than the header has columns")
            yield row
    except csv.Error as error:
        raise RecipeError(f"{uri}, line {reader.line_num}: {error}") from error


def _json_rows(lines: Iterable[str], uri: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{uri}, line {number}: {error}") from error
        if not isinstance(row, dict):
            raise RecipeError(f"{uri}, line {number}: not a table of names and values")
        yield row


def _parquet_rows(stream: IO[bytes], uri: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(stream).iter_batches():
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RecipeError(f"{uri}: not a readable Parquet file: {error}") from error
