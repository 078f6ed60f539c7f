"""What can be scored: the rendered pairs of a run, shard by shard, and the usable photos of its index, part by part."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc

from degrade.contract import Srgb
from degrade.errors import BadSample, CorruptRun, Reason, RunError
from filters.contract import Item, Pair, Photo
from manifests import commit, pictures, scores, shards
from manifests.members import Members, Stored
from pipelines.memory import out_of_memory
from pipelines.photos.indexed import Indexed
from pipelines.run import Run, require

ON = ("pairs", "photos")
PHOTOS_PER_PART = 128
PAIR_COLUMNS = ["pair_id", "task", "verdict", *(f"{side}_{what}" for side in ("clean", "degraded") for what in ("offset", "length", "sha256", "type"))]
PHOTO_COLUMNS = ["uri", "offset", "size", "sha256", "kind", "extra", "verdict"]


class Part(NamedTuple):
    """One task's worth: a shard of pairs or a part of the index."""

    name: str
    source: str  # digest of what is scored
    items: int


Opening = Callable[[], Item]
Keyed = tuple[str, Opening]


def parts(run: Run, on: str) -> list[Part]:
    """Return the parts of a run that can be scored now; raises RunError when there is nothing yet."""
    if on == "photos":
        return _photo_parts(run)
    found = []
    for shard in shards.committed(run.folder):
        notes = commit.parquet_notes(shards.rows_path(run.folder, shard))
        if notes.get("fingerprint") != run.fingerprint:
            raise RunError(f"{shards.rows_path(run.folder, shard)} belongs to another run: move it away, or use a new --out")
        found.append(Part(shard, notes["tar_digest"], int(notes["rows"])))
    if not found:
        raise RunError(f"no pair is rendered yet: run `patina render {run.folder}` first")
    return found


def _photo_parts(run: Run) -> list[Part]:
    require(run.index, "index", run.folder)
    hashes = _usable(run).column("sha256").to_pylist()
    cut = [hashes[at : at + PHOTOS_PER_PART] for at in range(0, len(hashes), PHOTOS_PER_PART)]
    return [Part(f"{number:05d}", commit.short_hash(" ".join(part)), len(part)) for number, part in enumerate(cut)]


def _usable(run: Run) -> Any:
    return _kept(run.index, run.index.stat().st_mtime_ns)


@functools.lru_cache(1)  # every part of 128 photos asks for it
def _kept(index: Path, _mark: int) -> Any:
    table = commit.read_table(index, PHOTO_COLUMNS)
    return table.filter(pc.equal(table.column("verdict"), "keep"))


def openings(run: Run, on: str, part: str) -> list[Keyed]:
    """Return the key of every item of a part, and what opens it.

    Called, that raises BadSample if the item cannot be read; RunError if its photo may be there soon; CorruptRun if its shard is not what its
    rows say, for a shard can be mended, or rendered again, and its pairs then have scores.

    The task of a photo is what came with it, else what CLIP took it for, if it was asked first.
    """
    if on == "photos":
        tasks = dict(scores.texts(run.folder, "clip", on, part, "task"))
        rows = _usable(run).slice(int(part) * PHOTOS_PER_PART, PHOTOS_PER_PART).to_pylist()
        rows = [{**row, "task": dict(row["extra"] or ()).get("task") or tasks.get(row["sha256"], "")} for row in rows]
        return [(row["sha256"], functools.partial(_photo, run, row)) for row in rows]
    rows = commit.read_table(shards.rows_path(run.folder, part), PAIR_COLUMNS).to_pylist()
    return [(row["pair_id"], functools.partial(_pair, run, part, row)) for row in rows if row["verdict"] == "keep"]


def _photo(run: Run, row: dict[str, Any]) -> Photo:
    place = Indexed(row["uri"], row["offset"], row["size"], row["sha256"], 0 if row["kind"] == "clip" else None)
    opened, data = place.opened(run.recipe.index.decode)
    return Photo(row["sha256"], opened.pixels, data, row["task"])


def _pair(run: Run, shard: str, row: dict[str, Any]) -> Pair:
    with Members(run.folder) as members:
        sides = [_side(members, shard, row, side) for side in ("clean", "degraded")]
    return Pair(row["pair_id"], row["task"], *sides)


def _side(members: Members, shard: str, row: dict[str, Any], side: str) -> Photo:
    stored = Stored(shard, *(row[f"{side}_{what}"] for what in ("offset", "length", "sha256", "type")))
    data = members.raw(stored)
    try:
        with out_of_memory():
            pixels: Srgb = pictures.decode(data)
    except CorruptRun as error:
        raise BadSample(Reason.DECODE_FAILED, f"the {side} side: {error}") from error
    return Photo(row["pair_id"], pixels, data)
