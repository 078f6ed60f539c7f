"""The price of the engine: a run's render step against a bare process pool that does the same arithmetic on the same rows.

The pool decodes, renders, encodes and writes plain files: no shards, no hashes, no fsync, no guard, no Ray. Both are warm.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2

from pipelines import index, pair, plan, recipe, render
from pipelines.engine import Engine, Options
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Source
from pipelines.run import create

ROUNDS = 3


def measure(folder: Path, photos: list[Path], pairs: int) -> dict[str, Any]:
    """Race the engine against the pool, in turn; answer seconds and the median overhead."""
    workers = os.cpu_count() or 1
    variants = -(-pairs // len(photos))
    page = recipe.parse({"tasks": {"compression": {}, "noise": {}}, "variants": variants, "crop": {"size": 1024}})
    sources = (Source(path=str(photos[0].parent)),)
    told: dict[str, Any] = {"workers": workers, "engine_s": [], "pool_s": []}
    begin = time.perf_counter()
    with Engine(Options("ray", workers)) as machine, ProcessPoolExecutor(workers, initializer=_alone) as pool:
        list(pool.map(abs, range(workers)))
        for turn in range(ROUNDS + 1):
            run = create(folder / f"run{turn}", page, "", sources)
            index.index(run, sources, machine)
            record = plan.plan(run)
            begin = time.perf_counter()
            render.render(run, machine)
            engine_s = time.perf_counter() - begin
            rows = [row for part, names in enumerate(record["parts"]) for group in range(len(names)) for row in plan.shard_rows(run, part, group)]
            begin = time.perf_counter()
            done = sum(pool.map(_plainly, _by_photo(rows), [folder / f"plain{turn}"] * len(rows)))
            if turn:  # the first round warms both
                told["engine_s"].append(engine_s)
                told["pool_s"].append(time.perf_counter() - begin)
            told["pairs"] = done
    told["overhead"] = sorted(a / b - 1 for a, b in zip(told["engine_s"], told["pool_s"], strict=True))[ROUNDS // 2]
    return told


def _alone() -> None:
    cv2.setNumThreads(1)


def _by_photo(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the rows in the same portions as the shards: a photo is decoded as often in both."""
    return [list(group) for _, group in groupby(rows, key=lambda row: row["shard"])]


def _plainly(rows: list[dict[str, Any]], folder: Path) -> int:
    """Render rows and write plain files."""
    folder.mkdir(exist_ok=True)
    darkroom = pair.Darkroom(None, DecodeRules())
    for row in rows:
        for side, member in zip(("clean", "degraded"), pair.members_of(darkroom.render(row)), strict=True):
            (folder / f"{row['pair_id']}.{side}").write_bytes(member.data)
    return len(rows)


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    engine, pool = (figures["pairs"] / min(figures[name]) for name in ("engine_s", "pool_s"))
    return (
        f"engine: {figures['pairs']} pairs on {figures['workers']} workers: {engine:.1f} pairs/s, bare process pool {pool:.1f} pairs/s, "
        f"overhead {100 * figures['overhead']:.1f} % (goal 10 %)"
    )
