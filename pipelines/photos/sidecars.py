"""What img2dataset, `patina fetch` and other makers of WebDatasets say of their photos: URL, caption, licence, date, as `extra`.

    OUT/00000.tar      KEY.jpg, KEY.json, KEY.txt     OUT/00000.parquet   a row for every URL: key, url, status, ...
    OUT/00000/KEY.jpg  (its layout `files`)           OUT/00000.parquet

The Parquet beside a tar or folder is read where there is one; else the JSON and text members of the tar are. Of both only
plain values travel. What describes the copy rather than the photo stays behind, and so does `exif`, which may tell where
somebody lives.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from degrade.errors import RecipeError
from pipelines.photos import archives, folders, uris
from pipelines.photos.lists import text

MAX_BYTES = 1 << 16  # of a JSON or text member
_TABLE = {"key", "url", "status"}  # columns by which a Parquet is known as img2dataset's
_RECORD = {"url", "licence", "license"}  # names by which a JSON member is known to speak of a photo
_RENAMED = {"sha256": "fetched_sha256"}  # of what came from the URL, before anything was made of it
_LEFT = frozenset(
    {
        *("key", "__key__", "__url__", "status", "error_message", "exif", "width", "height", "original_width", "original_height", "shard_id"),
        *("row", "reason", "detail", "passing", "bytes", "format", "tar", "headers", "jpg", "txt", "json"),
    }
)
Told = dict[str, dict[str, str]]  # by key


def plain(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what of a record travels with its photo: named values that are no lists or tables, without the empty ones.

    Args:
        row: of a Parquet or JSON; its `extra` may be a table of more.
    """
    more = row.get("extra")
    told = {name: value for name, value in row.items() if name not in _LEFT and name != "extra"}
    told |= more if isinstance(more, dict) else dict(more) if isinstance(more, list) and more and isinstance(more[0], tuple) else {}
    if told.get("final_url") == told.get("url"):
        told.pop("final_url", None)
    return {_RENAMED.get(name, text(name)): text(value) for name, value in told.items() if isinstance(value, (str, int, float)) and value != ""}


def key_of(name: str) -> str:
    """Return a member's key as WebDataset has it: all before the first dot of its last part."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0])) if path.name.partition(".")[0] else name


def is_known(uri: str) -> bool:
    """Tell whether an img2dataset Parquet stands beside a tar or folder; raises RecipeError for one that is damaged."""
    return bool(_known_columns(_table_of(uri)))


def table(uri: str) -> Told | None:
    """Return what the img2dataset Parquet beside a tar or folder says, by key; None where there is none.

    Raises:
        RecipeError: it is there, and damaged.
    """
    place = _table_of(uri)
    columns = _known_columns(place)
    if not columns:
        return None
    with uris.open_container(place) as stream, _whole(place):
        import pyarrow.parquet as pq

        wanted = [name for name in columns if name == "key" or name not in _LEFT]
        return {str(row["key"]): plain(row) for batch in pq.ParquetFile(stream).iter_batches(columns=wanted) for row in batch.to_pylist()}


def _table_of(uri: str) -> str:
    return f"{uri.removesuffix('.tar')}.parquet"


def _known_columns(place: str) -> list[str]:
    """Return the columns of an img2dataset Parquet; none for another kind, or where there is nothing."""
    import pyarrow.parquet as pq

    path = uris.local_path(place)
    system, name = (None, "") if path is not None else uris.remote(place)
    if not (Path(path).is_file() if path is not None else system is not None and system.isfile(name)):
        return []
    with uris.open_container(place) as stream, _whole(place):
        columns: list[str] = pq.ParquetFile(stream).schema_arrow.names
    return columns if set(columns) >= _TABLE else []


@contextlib.contextmanager
def _whole(place: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RecipeError(f"{place}: stands beside photos as img2dataset's tables do, and is not a readable Parquet file: {error}") from error


class Members:
    """What the JSON and text members of a tar say, gathered while its photos are listed.

    Args:
        stream: the tar, seekable.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._told: Told = {}
        self._captions: dict[str, str] = {}

    def add(self, member: archives.Member) -> None:
        """Read a member if it speaks of a photo; what is no such record is no photo's either, and says nothing."""
        if not member.regular or member.size > MAX_BYTES or not member.name.lower().endswith((".json", ".txt")):
            return
        self._stream.seek(member.offset)
        data, key = self._stream.read(member.size), key_of(member.name)
        if member.name.lower().endswith(".txt"):
            self._captions[key] = data.decode("utf-8", "replace").strip()
            return
        try:
            row = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(row, dict) and row.keys() & _RECORD:
            self._told[key] = plain(row)

    def of(self, name: str) -> dict[str, str]:
        """Return what was said of a photo."""
        key = key_of(name)
        caption = {"caption": self._captions[key]} if self._captions.get(key) else {}
        return {**caption, **self._told.get(key, {})}


class Beside:
    """What the tables beside the folders of photos say: img2dataset's layout `files`.

    Args:
        root: tables are read below it only.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._tables: dict[str, Told | None] = {}

    def of(self, path: str) -> dict[str, str]:
        """Return what is said of a file."""
        folder = str(PurePosixPath(path).parent)
        if folder not in self._tables:
            inside = folders.inspect(f"{folder}.parquet", self._root).problem is None
            self._tables[folder] = table(uris.of_path(folder)) if inside else None
        told = self._tables[folder]
        return told.get(PurePosixPath(key_of(path)).name, {}) if told else {}
