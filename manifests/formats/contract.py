"""What a format is: the types that a format's file fills in, and nothing else.

Either pictures are files and an index names them (`FileFormat`), or pictures are packed into a few large files
(`PackFormat`). Both are pure: they say where things lie and what is written; `manifests.export` does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from manifests.formats.columns import Columns

Row = dict[str, Any]  # of the manifest, prepared by `rows.rows`
SIDES = ("clean", "degraded")


class Placed(NamedTuple):
    """A pair and the paths of its pictures, relative to the export."""

    row: Row
    paths: dict[str, str]  # by role: clean, degraded, or the name of a layer


class Frame(NamedTuple):
    """What stands around the entries of an index."""

    head: str
    between: str
    tail: str

    def text(self, entries: Sequence[str]) -> str:
        """Return the whole index."""
        return self.head + self.between.join(entries) + self.tail


LINES, BARE = Frame("", "\n", "\n"), Frame("", "", "")
LIST, TABLE = Frame("[\n", ",\n", "\n]\n"), Frame("{\n", ",\n", "\n}\n")  # of JSON


class Contents(NamedTuple):
    """A pair and the bytes of its pictures."""

    row: Row
    pictures: dict[str, bytes]  # by role
    extensions: dict[str, str]  # by role


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What every format tells of itself."""

    name: str
    about: str  # one line
    usage: Callable[[list[str]], str]  # (splits, the largest first) -> Markdown: how its reader is called
    data_files: Callable[[str], str] | None = None  # (split) -> glob, where Hugging Face `datasets` reads it
    tables: str | None = None  # glob of the files that hold one record per pair
    bound: bool = False  # its texts name the folder: an export that was moved is written again


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat(Format):
    """Pictures as files, hard-linked between exports where they are the same bytes."""

    place: Callable[[Row, str, str], str | None]  # (row, role, extension) -> path in the export; None: it has no place there
    entry: Callable[[Placed, Columns, Path], tuple[str, str]]  # (pair, columns, the export's own folder) -> path of its index, and its text there
    frame: Frame = LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFormat(Format):
    """Pictures inside a few large files."""

    parts: Callable[[pa.Table], Iterator[tuple[str, pa.Table]]]  # (kept rows) -> path of each file and its rows
    pack: Callable[[BinaryIO, Iterable[Contents], Columns], None]  # writes one file


def inside(pair: Placed) -> dict[str, str]:
    """Return the paths of a pair as they are seen from its split's folder, by role."""
    return {role: path.removeprefix(f"{pair.row['split']}/") for role, path in pair.paths.items()}
