"""Seconds of `patina select` over 100,000 rows with the numbers of four scorers: at first, and again with another limit."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import degrade
import filters
from manifests import commit, scores, shards
from manifests.schema import PAIR
from pipelines import draw, plan, recipe, select
from pipelines.photos.sources import Source
from pipelines.run import Run, create
from pipelines.score import names_of
from pipelines.usable import Photo

PHOTOS, VARIANTS = 5000, 20
SCORERS = ("alignment", "clip", "evidence", "fidelity")
LIMITS: tuple[dict[str, Any], ...] = (
    {"psnr_db": [15.0, 45.0], "alignment.shift_px": [0.0, 0.9]},
    {"psnr_db": [12.0, 45.0], "evidence.explained": {"default": [0.2, 1.0], "haze": [0.1, 1.0]}},
)


def measure(folder: Path, _photos: list[Path], _pairs: int) -> dict[str, Any]:
    """Make a run of rows without pictures, and select twice."""
    run = _crafted(folder / "selected")
    seconds = []
    for limits in LIMITS:
        page = recipe.parse({"tasks": {"noise": {}}, "select": {"limits": limits}}).select
        begin = time.perf_counter()
        survival = select.select(dataclasses.replace(run, recipe=run.recipe.model_copy(update={"select": page})))
        seconds.append(time.perf_counter() - begin)
    return {"rows": PHOTOS * VARIANTS, "first_s": seconds[0], "again_s": seconds[1], "fell": [fallen._asdict() for fallen in survival]}


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    told = f"select: {figures['rows']} rows with {len(SCORERS)} scorers in {figures['first_s']:.1f} s"
    return f"{told}, with another limit in {figures['again_s']:.1f} s (goal 5)"


def _crafted(folder: Path) -> Run:
    """Return a run of which everything is there but the pictures."""
    page = recipe.parse({"tasks": {name: {} for name in degrade.NAMES}, "variants": VARIANTS})
    run = create(folder, page, "", (Source(path="/p"),))
    usable = [Photo(f"/p/{at}.jpg", None, None, f"{at:064x}", 3000, 2000, "photo", 0.2, 0.2, True, None, None, "[]", None, []) for at in range(PHOTOS)]
    record = plan.write(run, draw.draw_rows(page, usable))
    commit.write_json(run.plan_record, {**record, "fingerprint": run.fingerprint})
    drawn = np.random.default_rng(1)
    for name in SCORERS:
        commit.write_json(scores.identity_path(folder, name, "pairs"), {"fingerprint": name, "measures": names_of(filters.by_name(name))})
    for part, names in enumerate(record["parts"]):
        for group, shard in enumerate(names):
            _shard(run, shard, plan.shard_rows(run, part, group), drawn)
    return run


def _shard(run: Run, shard: str, rows: list[dict[str, Any]], drawn: np.random.Generator) -> None:
    """Write the rows and scores of a shard, as rendering and scoring would."""
    for row in rows:
        digest = commit.sha256(row["pair_id"].encode())
        member = {"offset": 512, "length": 9, "sha256": digest, "type": "image/png"}
        sides = {f"{side}_{what}": value for side in ("clean", "degraded") for what, value in member.items()}
        row |= {**sides, "verdict": "keep", "decided_by": "render", "scores": [("psnr_db", float(drawn.uniform(8, 50)))], "assets": "[]", "made_with": "{}"}
    commit.write_table(shards.rows_path(run.folder, shard), pa.Table.from_pylist(rows, PAIR), {"fingerprint": run.fingerprint, "rows": len(rows)})
    for name in SCORERS:
        measures = names_of(filters.by_name(name))
        told = [{"key": row["pair_id"], "numbers": dict(zip(measures, drawn.random(len(measures)).tolist(), strict=True))} for row in rows]
        scores.write(scores.shard_path(run.folder, name, "pairs", shard), told, measures, {"fingerprint": name, "source": "crafted"})
