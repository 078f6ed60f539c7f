"""Many small Parquet files as one: joined once, and again only when one of them is another.

A run of 100,000 pairs has some 1,500 shards, and as many files of scores for every scorer; opening them all takes longer
than deciding over them. What was joined is kept with the hashes of what it was joined from, and is never believed
without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from manifests import commit


class Joined(NamedTuple):
    """One table, and the SHA-256 of every file that it came from."""

    table: pa.Table
    hashes: dict[str, str]


def joined(kept: Path, files: Mapping[str, Path], parse: Callable[[str, bytes], pa.Table], beside: str = "") -> Joined:
    """Return the tables of some files, one after the other.

    Args:
        kept: where the joined table is kept.
        files: by name, in order.
        parse: turns a name and the bytes of its file into a table; all of one schema.
        beside: whatever else the tables depend on.
    """
    contents = {name: path.read_bytes() for name, path in files.items()}
    hashes = {name: commit.sha256(data) for name, data in contents.items()}
    notes = {"files": hashes, "beside": beside}
    if kept.exists():
        table = commit.parse_table(kept.read_bytes(), kept)
        if commit.table_notes(table) == notes:
            return Joined(table, hashes)
    parts = [parse(name, data).replace_schema_metadata(None) for name, data in contents.items()]
    commit.write_table(kept, pa.concat_tables(parts).unify_dictionaries(), notes)
    return Joined(commit.parse_table(kept.read_bytes(), kept), hashes)  # as it will be read again: what is written from it is the same bytes

