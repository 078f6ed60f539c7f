"""Proves that every committed byte is what the manifest says; names every pair and file that is not.

Four circles: the Parquet's pages carry checksums; its notes carry the digest and length of the tar; every row carries the
hashes of its members and their place, and the member's name in the tar carries the pair; the plan says which pairs must be
there. A flipped bit, a cut, a missing, foreign or repeated file, and two swapped pictures each break at least one.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import CorruptRun
from manifests import shards
from manifests.commit import read_table, table_notes
from manifests.pictures import EXTENSIONS

SHARED = ("task", "split", "photo_sha256", "steps", "crop_x", "crop_y", "crop_width", "crop_height", "width", "height", "photo_frame", "makers", "others")


class Fault(NamedTuple):
    """Something that is not what the manifest says."""

    place: str  # file, or file and pair
    what: str


class Expected(NamedTuple):
    """What the plan says of a shard."""

    shard: str
    rows: list[dict[str, Any]]


def verify_shard(run: Path, expected: Expected, fingerprint: str) -> Iterator[Fault]:
    """Yield the faults of one committed shard.

    Args:
        run: the run folder.
        expected: the shard's rows in the plan.
        fingerprint: of the run.
    """
    path, tar = shards.rows_path(run, expected.shard), shards.tar_path(run, expected.shard)
    try:
        table = read_table(path)
    except CorruptRun as error:
        yield Fault(path.name, str(error))
        return
    notes, rows = table_notes(table), table.to_pylist()
    if notes.get("fingerprint") != fingerprint:
        yield Fault(path.name, "was written for another recipe")
    if notes.get("rows") != len(rows):
        yield Fault(path.name, f"holds {len(rows)} rows, its commit record says {notes.get('rows')}")
    yield from _against_plan(path.name, rows, expected.rows)
    if not tar.exists():
        yield Fault(tar.name, "is missing")
        return
    yield from _against_tar(tar, notes, rows)


def _against_plan(name: str, rows: list[dict[str, Any]], planned: list[dict[str, Any]]) -> Iterator[Fault]:
    """Yield pairs that are missing, foreign, repeated or described otherwise than planned."""
    by_id = {row["pair_id"]: row for row in planned}
    counts = Counter(row["pair_id"] for row in rows)
    for pair_id in by_id.keys() - counts.keys():
        yield Fault(f"{name} {pair_id}", "is planned, but has no row")
    for row in rows:
        pair_id = row["pair_id"]
        if pair_id not in by_id:
            yield Fault(f"{name} {pair_id}", "has a row, but was never planned")
        elif counts[pair_id] > 1:
            yield Fault(f"{name} {pair_id}", f"has {counts[pair_id]} rows")
        elif differ := [field for field in SHARED if row[field] != by_id[pair_id][field]]:
            yield Fault(f"{name} {pair_id}", f"differs from its plan in {', '.join(differ)}")


def _against_tar(tar: Path, notes: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[Fault]:
    """Yield members whose bytes, place or name are not those of their rows, and a tar that is not the committed one."""
    length = tar.stat().st_size
    if length != notes.get("tar_length"):
        yield Fault(tar.name, f"is {length} bytes long, its commit record says {notes.get('tar_length')}")
    if not length:
        return
    with open(tar, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view, memoryview(view) as data:
        hashes = _hashed(data, rows)
        faults = list(_members(tar.name, data, rows, hashes))
        members = sorted((row[f"{side}_offset"], row[f"{side}_length"], made) for (at, side), made in hashes.items() for row in (rows[at],))
        if shards.digest(data, members) != notes.get("tar_digest"):
            faults.append(Fault(tar.name, "has other bytes than were committed"))
    yield from faults


def _hashed(data: memoryview, rows: list[dict[str, Any]]) -> dict[tuple[int, str], bytes]:
    """Return the hash of every member that lies in the tar, by its row's place and its side: each byte is read once."""
    found = {}
    for at, row in enumerate(rows):
        for side in ("clean", "degraded"):
            offset, length = row[f"{side}_offset"], row[f"{side}_length"]
            if offset is not None and shards.HEADER <= offset <= offset + length <= len(data):
                found[at, side] = hashlib.sha256(data[offset : offset + length]).digest()
    return found


def _members(name: str, data: memoryview, rows: list[dict[str, Any]], hashes: dict[tuple[int, str], bytes]) -> Iterator[Fault]:
    for at, row in enumerate(rows):
        if row["clean_sha256"] is None:
            continue  # refused at rendering: it has no pictures
        for side in ("clean", "degraded"):
            place = f"{name} {row['pair_id']} {side}"
            if (at, side) not in hashes:
                yield Fault(place, "lies outside the tar")
                continue
            if hashes[at, side].hex() != row[f"{side}_sha256"]:
                yield Fault(place, "has other bytes than its row says")
            wanted = f"{row['pair_id']}.{side}.{EXTENSIONS[row[f'{side}_type']]}"
            begin = row[f"{side}_offset"] - shards.HEADER
            stored = bytes(data[begin : begin + tarfile.LENGTH_NAME]).rstrip(b"\0").decode("ascii", "replace")
            if stored != wanted:
                yield Fault(place, f"is the member `{stored}`, not `{wanted}`")
        for layer in json.loads(row["layers"] or "[]"):
            yield from _layer(name, data, row["pair_id"], layer)


def _layer(name: str, data: memoryview, pair_id: str, layer: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with a side product."""
    begin, place = layer["offset"], f"{name} {pair_id} layer {layer['name']}"
    if hashlib.sha256(data[begin : begin + layer["length"]]).hexdigest() != layer["sha256"]:
        yield Fault(place, "has other bytes than its row says")
    stored = bytes(data[begin - shards.HEADER : begin - shards.HEADER + tarfile.LENGTH_NAME]).rstrip(b"\0").decode("ascii", "replace")
    if stored != shards.layer_name(pair_id, layer["name"]):
        yield Fault(place, f"is the member `{stored}`")


def strangers(run: Path, planned: Iterable[str]) -> Iterator[Fault]:
    """Yield files among the shards that no plan knows, and rows without pictures or pictures without rows."""
    known = set(planned)
    for path in sorted((run / "shards").glob("*")):
        if path.name.startswith("."):
            continue  # what an interrupted writer left; the next render clears it
        if path.suffix not in {".tar", ".parquet"} or path.stem not in known:
            yield Fault(path.name, "is not part of this run")
        elif path.suffix == ".tar" and not shards.rows_path(run, path.stem).exists():
            yield Fault(path.name, "has no rows beside it: it was never committed")
