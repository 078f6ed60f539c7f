"""Milliseconds per averaged frame of blur from video, at each clip's own size: decoding the window, averaging, encoding."""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from degrade import chain
from degrade.contract import Assets
from manifests.schema import PLAN
from pipelines import draw, pair, recipe, single
from pipelines.photos import clips

ROWS = 12  # per clip
GOAL_MS = 60.0  # per averaged frame at 1280x720, where cv2 decodes the reference JPEG in 4.5 ms


def measure(_folder: Path, _photos: list[Path], _pairs: int) -> dict[str, Any]:
    """Time windows of every stratum from each clip of the test data."""
    folder = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "video"
    if not folder.is_dir():
        print(f"no clips at {folder} (set PATINA_TEST_DATA): blur from video is not timed")
        return {"clips": {}}
    return {"clips": {path.stem: _clip(path) for path in sorted(folder.iterdir())}}


def _clip(path: Path) -> dict[str, float]:
    opened = single.open_photo(path)
    width, height = opened.photo.width, opened.photo.height
    crop = {"policy": "resize", "size": round((width * height) ** 0.5)}  # the whole frame at its own size
    page = recipe.parse({"tasks": {"blur": {}}, "clips": {"variants": ROWS}, "crop": crop})
    drawn = (dict(zip(PLAN.names, row, strict=True)) for row in draw.draw_rows(page, [opened.photo]))
    rows = [row for row in drawn if row["reason"] is None]
    reel = clips.Reel(opened.data)
    times = [_one(reel, row) for row in [*rows[:1], *rows]][1:]
    told = {name: 1e3 * statistics.median(part[name] for part in times) for name in ("decode", "synthesis", "encode", "per_frame")}
    return {**told, "width": width, "height": height, "rows": len(rows), "frames": statistics.median(part["frames"] for part in times)}


def _one(reel: clips.Reel, row: dict[str, Any]) -> dict[str, float]:
    steps = pair.steps_of(row)
    first, centre, last = steps[0].params.window
    begin = time.perf_counter()
    frames = reel.window(first, last, pair.crop_of(row))
    clean = frames[centre - first]
    decoded = time.perf_counter()
    degraded = chain.render(clean, steps, dataclasses.replace(Assets(), frames=frames))
    made = time.perf_counter()
    pair.members_of(pair.Pair(np.ascontiguousarray(clean), degraded, [], []))
    spent = (decoded - begin, made - decoded, time.perf_counter() - made)
    whole = dict(zip(("decode", "synthesis", "encode"), spent, strict=True))
    return {**whole, "per_frame": sum(spent) / len(frames), "frames": float(len(frames))}


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    head = f"{'blur from video, ms':<28}{'size':>11}{'frames':>8}{'decode':>9}{'average':>9}{'encode':>9}{'per frame':>11}"
    lines = [f"{head}   goal {GOAL_MS:g} per frame at 720p"]
    for name, told in figures["clips"].items():
        size = f"{told['width']:.0f}x{told['height']:.0f}"
        parts = "".join(f"{told[part]:>9.1f}" for part in ("decode", "synthesis", "encode"))
        lines.append(f"{name:<28}{size:>11}{told['frames']:>8.0f}{parts}{told['per_frame']:>11.1f}")
    return "\n".join(lines)
