"""The verb `render`: every planned shard as pictures and rows; a shard is a task, and its Parquet is the commit."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from degrade.errors import BadSample, Reason, RunError, TooManyRejects
from manifests import commit, shards
from pipelines import darkrooms, pair, plan
from pipelines.engine import Engine
from pipelines.guard import At, Limits
from pipelines.memory import out_of_memory
from pipelines.pace import PaceLog
from pipelines.priors import STAND_INS, Priors, photo_key
from pipelines.progress import Meter
from pipelines.real import making
from pipelines.run import Run, load
from pipelines.versions import made_with

LOG = logging.getLogger("patina")
PHOTOS_PER_TASK = 16
MODEL_LIMITS = Limits(deadline_s=600.0, memory_bytes=0)  # weights are large, and come from the user, not from the web


def render(run: Run, engine: Engine) -> None:
    """Render every planned shard that is not committed yet.

    Raises:
        TooManyRejects: more pairs are refused than the recipe allows.
        RunError: the folder holds shards of another run.
        WorkStopped: a disk, share or bucket with photos is away; what is finished stays, and the next call goes on.
    """
    record = plan.read_record(run)
    commit.clear_temporaries(run.folder / "shards")
    done = _finished(run, record)
    todo = [
        {"run": str(run.folder), "part": part, "group": group, "shard": shard}
        for part, names in enumerate(record["parts"])
        for group, shard in enumerate(names)
        if shard not in done
    ]
    limits = Limits(run.recipe.render.deadline_s, int(run.recipe.render.memory_gb * 2**30))
    _prepare_models(run, engine, todo)
    if run.recipe.real is not None:
        making.make(run, run.recipe.real, engine)
    with Meter("render", record["planned"], sum(record["rows"][shard] for shard in done)) as meter, PaceLog(run.pace) as pace:
        for counts in engine.map("pipelines.render:work", todo, limits):
            pace.add(sum(counts.values()))
            meter.add(sum(counts.values()), {reason: count for reason, count in counts.items() if reason})
            _check_ceiling(run, meter)
    commit.clear_temporaries(run.folder / "shards")  # what workers left that were killed: as large as a shard


def _finished(run: Run, record: dict[str, Any]) -> set[str]:
    """Return the committed shards; refuse strangers."""
    done = set(shards.committed(run.folder))
    for shard in sorted(done):
        notes = commit.parquet_notes(shards.rows_path(run.folder, shard))
        if notes.get("fingerprint") != run.fingerprint or shard not in record["rows"]:
            raise RunError(f"{shards.rows_path(run.folder, shard)} belongs to another run: move it away, or use a new --out")
        if not shards.tar_path(run.folder, shard).exists():
            raise RunError(f"{shards.tar_path(run.folder, shard)} is gone though its rows are committed: remove {shard}.parquet to render it again")
    return done


def _check_ceiling(run: Run, meter: Meter) -> None:
    """Stop a job that refuses too much, once it has seen enough."""
    limits, refused = run.recipe.render, sum(meter.rejects.values())
    if meter.fresh >= limits.reject_grace and refused > limits.max_reject_share * meter.fresh:
        top = ", ".join(f"{reason} {count}" for reason, count in meter.rejects.most_common(3))
        raise TooManyRejects(
            f"{refused} of {meter.fresh} pairs were refused ({top}): more than render.max_reject_share = {limits.max_reject_share:g}. "
            "They stay so. Mended the recipe or the photos? Use a new --out. Put back the very files that were indexed? "
            f"Remove {run.folder / 'shards'} and run the same command again. "
            "Or raise the share and run it again to go on with the others."
        )


def _models(run: Run) -> list[tuple[str, str]]:
    """Return (kind of map, model) of the maps that a recipe leaves to networks."""
    named = (("depth", run.recipe.priors.depth), ("segments", run.recipe.priors.segments))
    return [(kind, maker) for kind, maker in named if maker not in STAND_INS]


def check_models(run: Run, engine: Engine) -> None:
    """Raise before hours of work if a model that the recipe names is not there."""
    for kind, maker in _models(run):
        list(engine.map("pipelines.priors:check", [{"kind": kind, "maker": maker}], MODEL_LIMITS, gpu=True))


def _prepare_models(run: Run, engine: Engine, todo: list[dict[str, Any]]) -> None:
    """Make the maps that need a model, before the pairs that need the maps."""
    for kind, maker in _models(run) if todo else ():
        priors = Priors(run.folder)
        wanted: dict[str, dict[str, Any]] = {}
        for task in todo:
            for row in plan.shard_rows(run, task["part"], task["group"]):
                name = photo_key(row)
                if json.loads(row["makers"]).get(kind) == maker and name not in wanted and priors.stored(name, kind, maker) is None:
                    wanted[name] = {field: row[field] for field in ("photo_sha256", "photo_uri", "photo_offset", "photo_size", "photo_frame")}
        photos = list(wanted.values())
        base = {"run": str(run.folder), "kind": kind, "maker": maker}
        tasks = ({**base, "photos": photos[at : at + PHOTOS_PER_TASK]} for at in range(0, len(photos), PHOTOS_PER_TASK))
        with Meter(kind, len(photos), unit="photos") as meter:
            for made in engine.map("pipelines.priors:work", tasks, MODEL_LIMITS, gpu=True):
                meter.add(made, {})


def work(task: dict[str, Any], at: At) -> dict[str, int]:
    """Render one shard; answer the counts by reason (the empty word: a pair)."""
    run = load(Path(task["run"]))
    darkroom = darkrooms.opened(run)
    counts: Counter[str] = Counter()
    with shards.ShardWriter(run.folder, task["shard"], run.fingerprint) as writer:
        for row in plan.shard_rows(run, task["part"], task["group"]):
            at(row["pair_id"])
            counts[_one(darkroom, writer, row, task["skip"].get(row["pair_id"]))] += 1
        at(None)  # the commit, on leaving this block
    return dict(counts)


def _one(darkroom: darkrooms.Darkroom, writer: shards.ShardWriter, row: dict[str, Any], skip: list[str] | None) -> str:
    """Render a row into the shard; answer its reason, empty for a pair; raises RunError if its photos may be there soon."""
    row |= {"made_with": made_with(), "decided_by": "render"}
    try:
        if skip:
            raise BadSample(Reason(skip[0]), skip[1])
        with out_of_memory():
            made = darkroom.render(row)
            row["scores"] = sorted({"psnr_db": _distance_db(made), **made.degraded.notes}.items())
            clean, degraded = pair.members_of(made)
    except BadSample as bad:
        writer.add_reject(row | {"verdict": "reject", "reason": str(bad.reason), "detail": bad.detail})
        return str(bad.reason)
    row |= {"verdict": "keep", "assets": json.dumps(made.assets, sort_keys=True)}
    writer.add_pair(row, clean, degraded, made.layers)
    return ""


def _distance_db(made: pair.Pair) -> float:
    """Return the PSNR of a pair; refuse one that has two equal sides."""
    distance = pair.psnr_db(made.clean, made.degraded.pixels)
    if distance > pair.IDENTICAL_DB and not cv2.norm(made.clean, made.degraded.pixels, cv2.NORM_INF):
        raise BadSample(Reason.UNCHANGED, "the degraded side equals the clean one")
    return min(distance, pair.IDENTICAL_DB)


def committed_rows(run: Run) -> Iterator[tuple[str, Any]]:
    """Yield (shard, table of rows) of every committed shard, in the order of the plan."""
    done = set(shards.committed(run.folder))
    for names in plan.read_record(run)["parts"]:
        for shard in names:
            if shard in done:
                yield shard, commit.read_table(shards.rows_path(run.folder, shard))
