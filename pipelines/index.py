"""The verb `index`: every input is opened once, measured and judged; one row each, whatever it is.

The listing is fixed first and cut into parts; a part is a task; parts are joined, sorted by uri, and copies are looked for
(`duplicates`). The result does not depend on the order or number of workers.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from degrade import camera
from degrade.contract import Srgb
from degrade.errors import BadSample, Reason, RunError
from degrade.scene import depth, lights, relief, sky
from degrade.scene.proxy import proxy
from filters import cleanness
from filters.near.thumbnails import thumbnail
from manifests import commit, licences
from manifests.schema import INDEX, LISTING
from pipelines import footage
from pipelines.duplicates import benchmarks, settle
from pipelines.engine import Engine
from pipelines.guard import At, Limits
from pipelines.memory import out_of_memory
from pipelines.photos import clips, decode, sources
from pipelines.photos.sources import Listed, Source
from pipelines.progress import Meter
from pipelines.run import Run, load

LEAST_PART, MOST_PART = 4, 256  # photos per task: a second to half a minute of work
PARTS = 64  # wanted, where the listing is long enough: work for many workers, few files


def index(run: Run, inputs: tuple[Source, ...], engine: Engine) -> dict[str, int]:
    """Write the index of a run; answer how many photos are usable and how many are refused, by reason."""
    listing = _listing(run, inputs)
    guarded = benchmarks.index(run, engine)
    if not run.index.exists():
        size = part_size(listing.num_rows)
        parts = -(-listing.num_rows // size)
        commit.clear_temporaries(run.folder / "index")
        todo = [part for part in range(parts) if not _part_path(run.folder, part).exists()]
        limits = Limits(run.recipe.render.deadline_s, int(run.recipe.render.memory_gb * 2**30))
        with Meter("index", listing.num_rows, min(listing.num_rows, (parts - len(todo)) * size), "photos") as meter:
            for counts in engine.map("pipelines.index:work", ({"run": str(run.folder), "part": part} for part in todo), limits):
                meter.add(sum(counts.values()), {reason: count for reason, count in counts.items() if reason})
        _join(run, parts, guarded)
    return counts_of(run)


def part_size(inputs: int) -> int:
    """Return how many inputs a part holds: a function of the listing alone, so that a resumed run cuts alike."""
    return min(max(-(-inputs // PARTS), LEAST_PART), MOST_PART)


def counts_of(run: Run) -> dict[str, int]:
    """Return how many inputs ended how: the empty word stands for usable."""
    reasons = commit.read_table(run.index, ["reason"]).column("reason").to_pylist()
    return dict(Counter(reason or "" for reason in reasons))


def pairs_wanted(run: Run) -> int:
    """Return how many pairs the usable photos and clips are to give; of real photos, and of joined runs, the plan tells."""
    if run.recipe.real is not None or run.recipe.joined:
        record: dict[str, Any] = json.loads(run.plan_record.read_text(encoding="utf-8")) if run.plan_record.exists() else {"planned": 0, "refused": 0}
        return int(record["planned"]) + int(record["refused"])
    table = commit.read_table(run.index, ["kind", "verdict"]).to_pylist()
    return sum(run.recipe.variants_of(row["kind"]) for row in table if row["verdict"] == "keep")


def _part_path(folder: Path, part: int) -> Path:
    return folder / "index" / f"{part:05d}.parquet"


def _listing(run: Run, inputs: tuple[Source, ...]) -> pa.Table:
    """Fix the list of inputs; refuse to go on if it is not the one that the run began with."""
    rows = []
    for found in sources.listing(inputs, sources.PHOTO_SUFFIXES | (sources.CLIP_SUFFIXES if run.recipe.takes_clips else frozenset())):
        reason, detail = (str(found.problem.reason), found.problem.detail) if found.problem else (None, None)
        rows.append({"uri": found.uri, "offset": found.offset, "size": found.size, "extra": sorted(found.extra.items()), "reason": reason, "detail": detail})
    if not rows:
        raise RunError(f"no input found in {', '.join(str(source.path) for source in inputs) or 'the recipe: give --input PATH'}")
    table = pa.Table.from_pylist(rows, LISTING)
    if not run.listing.exists():
        commit.write_table(run.listing, table)
        return table
    before = commit.read_table(run.listing)
    if not before.equals(table):
        old, new = set(before.column("uri").to_pylist()), set(table.column("uri").to_pylist())
        news = [f"+ {uri}" for uri in sorted(new - old)[:5]] + [f"- {uri}" for uri in sorted(old - new)[:5]]
        story = "\n  ".join(news) or "same names, other sizes or columns"
        raise RunError(f"the inputs of {run.folder} have changed ({len(new - old)} more, {len(old - new)} fewer); use a new --out:\n  {story}")
    return before


def work(task: dict[str, Any], at: At) -> dict[str, int]:
    """Index one part of the listing; answer the counts by reason."""
    run = load(Path(task["run"]))
    part = int(task["part"])
    listing = commit.read_table(run.listing)
    size = part_size(listing.num_rows)
    rows = []
    for listed in listing.slice(part * size, size).to_pylist():
        at(listed["uri"])
        rows.append(_row(run, listed, task["skip"].get(listed["uri"])))
    at(None)
    commit.write_table(_part_path(run.folder, part), pa.Table.from_pylist(rows, INDEX), {"fingerprint": run.fingerprint})
    return dict(Counter(row["reason"] or "" for row in rows))


def _row(run: Run, listed: dict[str, Any], skip: list[str] | None) -> dict[str, Any]:
    """Return the index row of one input; raises RunError if it cannot be read now, and may be there soon."""
    row: dict[str, Any] = {**listed, "kind": "photo", "verdict": "keep"}
    try:
        if skip:
            raise BadSample(Reason(skip[0]), skip[1])
        if listed["reason"]:
            raise BadSample(Reason(listed["reason"]), listed["detail"])
        if run.recipe.index.require_licence and licences.of(dict(listed["extra"])) == licences.UNKNOWN:
            raise BadSample(Reason.NO_LICENCE, "`index.require_licence` is set, and its list says none")
        with out_of_memory():
            _examine(run, Listed(listed["uri"], listed["offset"], listed["size"], {}), row)
    except BadSample as bad:
        row |= {"verdict": "reject", "reason": str(bad.reason), "detail": bad.detail}
    return row


def _examine(run: Run, listed: Listed, row: dict[str, Any]) -> None:
    """Open a photo and fill in its row; raises BadSample with what was learned so far in the row."""
    rules = run.recipe.index.decode
    data = sources.read(listed, rules.max_bytes)
    row |= {"sha256": commit.sha256(data), "bytes": len(data)}
    if clips.signature(data) is not None:
        row |= {"kind": "clip"}
        if not run.recipe.takes_clips:
            raise BadSample(Reason.NOT_FOR_CLIPS, "a video clip, and no task of the recipe is made from video (blur is)")
        row |= footage.examine(data, rules, run.recipe.clips.max_frames)
        return
    photo = decode.decode(data, rules)
    height, width = photo.pixels.shape[:2]
    row |= {"format": photo.format, "width": width, "height": height, "notes": json.dumps(photo.notes)}
    measures = cleanness.measure(photo.pixels, data)
    row |= {"measures": sorted(measures.items()), "phash": cleanness.phash(photo.pixels)}
    row |= {"thumbnail": thumbnail(photo.pixels), **scene_facts(photo.pixels)}
    verdict = cleanness.decide(measures, run.recipe.index.limits)
    if not verdict.keep and verdict.reason:
        raise BadSample(verdict.reason, verdict.detail)


def scene_facts(pixels: Srgb) -> dict[str, Any]:
    """Return what the plan may know of a photo's scene, as columns of its index row."""
    small = proxy(pixels)
    sky_map = sky.sky(small)
    grids = relief.relief(small, sky_map, depth.geometric(small, sky_map).inverse)
    return {
        "sky_frac": sky.sky_frac(sky_map),
        "luminance": float(np.mean(camera.to_linear(small))),
        "far": depth.far(small, sky_map),
        "detail_grid": grids.detail,
        "distance_grid": grids.far,
        "lights": json.dumps(lights.find(pixels)),
    }


def _join(run: Run, parts: int, guarded: list[dict[str, Any]]) -> None:
    """Join the parts, settle what becomes of copies, commit."""
    rows = [row for part in range(parts) for row in commit.read_table(_part_path(run.folder, part)).to_pylist()]
    rows.sort(key=lambda row: str(row["uri"]))
    settle.settle(rows, run.recipe.duplicates, guarded)
    commit.write_table(run.index, pa.Table.from_pylist(rows, INDEX), {"fingerprint": run.fingerprint})
