"""The verb `replay`: one pair again, from its row alone, and how close it came to what is stored."""

from __future__ import annotations

import json
import os
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow.compute as pc

from degrade.errors import CorruptRun, RunError
from degrade.keys import nearest
from manifests import pictures, shards
from manifests.commit import read_table, sha256
from pipelines import darkrooms, pair
from pipelines.run import Run, require
from pipelines.versions import made_with

TOLERANCE_DB = 40.0  # what another libjpeg or vector unit may change: invisible
NO_EXCUSE = "the versions are those that made the row, so it should be exact"


class Replayed(NamedTuple):
    """How a replay ended."""

    pair_id: str
    answer: Literal["exact", "within tolerance", "different"]
    psnr_db: float  # of the replayed degraded side against the stored one; 361 when equal
    detail: str


def row_of(run: Run, pair_id: str) -> dict[str, Any]:
    """Return the manifest's row of a pair; an unambiguous beginning of its id is enough.

    Raises:
        RunError: no such pair, or several.
    """
    require(run.manifest, "select", run.folder)
    table = read_table(run.manifest)
    found = table.filter(pc.starts_with(table.column("pair_id"), pair_id))
    if found.num_rows != 1:
        ids = table.column("pair_id").to_pylist()
        raise RunError(f"{found.num_rows} pairs of {run.folder} begin with `{pair_id}`; {nearest(pair_id, ids[:5])}")
    row: dict[str, Any] = found.to_pylist()[0]
    return row


def spread(run: Run, count: int) -> list[dict[str, Any]]:
    """Return rows of so many pairs that have pictures, in the order of their ids, which are hashes: a fair sample."""
    require(run.manifest, "select", run.folder)
    table = read_table(run.manifest)
    rows: list[dict[str, Any]] = table.filter(pc.is_valid(table.column("clean_sha256"))).sort_by("pair_id").slice(0, count).to_pylist()
    return rows


def stored(run: Run, row: dict[str, Any], side: str) -> bytes:
    """Return a stored member, checked against its row; raises CorruptRun."""
    with open(shards.tar_path(run.folder, row["shard"]), "rb") as file:
        data = os.pread(file.fileno(), row[f"{side}_length"], row[f"{side}_offset"])
    if sha256(data) != row[f"{side}_sha256"]:
        raise CorruptRun(f"the stored {side} side of {row['pair_id']} is damaged: run `patina verify {run.folder}`")
    return data


def replay(run: Run, row: dict[str, Any], darkroom: darkrooms.Darkroom | None = None) -> Replayed:
    """Render a stored pair again and compare.

    Raises:
        RunError: the row was refused, so there is nothing to compare with.
        BadSample: the photo has gone or changed.
    """
    if row["clean_sha256"] is None:
        raise RunError(f"pair {row['pair_id']} was refused ({row['reason']}): it has no pictures")
    made = (darkroom or darkrooms.opened(run, layers=False)).render(row)
    clean, degraded = pair.members_of(made)
    kept = {side: stored(run, row, side) for side in ("clean", "degraded")}
    if (clean.data, degraded.data) == (kept["clean"], kept["degraded"]):
        return Replayed(row["pair_id"], "exact", 361.0, "the same bytes on both sides")
    pixels = {side: pictures.decode(data) for side, data in kept.items()}
    again = {"clean": made.clean, "degraded": made.degraded.pixels}
    if all(np.array_equal(pixels[side], again[side]) for side in pixels):
        return Replayed(row["pair_id"], "exact", 361.0, "the same pixels; the lossless encoder packs them otherwise")
    difference = _other_versions(row)
    distance = min(pair.psnr_db(pixels[side], again[side]) for side in pixels)
    if difference and distance >= TOLERANCE_DB:
        return Replayed(row["pair_id"], "within tolerance", distance, f"made with other versions: {difference}")
    return Replayed(row["pair_id"], "different", distance, f"made with other versions: {difference}" if difference else NO_EXCUSE)


def _other_versions(row: dict[str, Any]) -> str:
    """Return which versions differ from those that made the row: without a difference, nothing less than exact will do."""
    then, now = json.loads(row["made_with"]), json.loads(made_with())
    return ", ".join(f"{name} {then.get(name)} -> {now.get(name)}" for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name))
