"""Milliseconds per 1024 x 1024 pair and generator: decode, priors, synthesis, encode; one thread, warm, priors cached.

The whole job begins with a JPEG of that size, which is the clean side as it stands and keeps its bytes. A crop out of a larger photo
has its clean side coded too: that is a part, and a column, of its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

import degrade
from benchmarks import yardstick
from degrade import chain
from degrade.scene import lights
from manifests import png
from manifests.schema import PLAN
from pipelines import crops, draw, pair, recipe
from pipelines.others import Others
from pipelines.photos import decode
from pipelines.photos.decode import DecodeRules
from pipelines.photos.verbatim import bare_jpeg
from pipelines.priors import Priors
from pipelines.usable import Photo

PARTS = ("decode", "cut", "priors", "others", "synthesis", "encode", "score")
TOTALS = ("whole", "crop")  # with the clean side's own bytes kept; with the clean side coded as PNG besides
ROWS = 60
REFERENCE = {  # ms, RealRestorer's released code where cv2 decodes in 4.5 ms: whole jobs; of moire and reflection the network alone
    "blur": 409.0, "noise": 530.0, "haze": 289.0, "rain": 329.0, "moire": 4357.0, "reflection": 17090.0, "web": 296.0,
}  # fmt: skip
REFERENCE_DECODE_MS = 4.5
ONE_HOP = {"paths": {"export": 1.0}}


class Case(NamedTuple):
    """A line of the table: a generator, what its ranges are narrowed to, and the goal in ms where cv2 decodes in 4.5 ms."""

    generator: str
    ranges: dict[str, Any]
    goal: float | None


GOALS = {"blur": 150.0, "compression": 25.0, "flare": 60.0, "haze": 40.0, "low_light": 60.0, "moire": 400.0, "noise": 60.0, "rain": 60.0, "reflection": 60.0}
CASES: dict[str, Case] = {  # every generator as it is drawn, and the codecs of compression one by one
    **{name: Case(name, {}, GOALS.get(name)) for name in degrade.NAMES},
    **{
        f"compression, one {codec} hop": Case("compression", {**ONE_HOP, "codecs": {codec: 1.0}}, goal)
        for codec, goal in (("jpeg", 25.0), ("webp", 25.0), ("avif", None))
    },
    "compression, jpeg chains": Case("compression", {"codecs": {"jpeg": 1.0}}, None),
    **{
        f"compression, one {codec} frame": Case("compression", {"paths": {"video": 1.0}, "codecs": {codec: 1.0}, "hops": [1.0, 1.0]}, 120.0)
        for codec in ("h264", "h265", "mpeg4")
    },
}


def measure(folder: Path, photos: list[Path], _pairs: int) -> dict[str, Any]:
    """Time every generator; answer medians in ms and ratios to the JPEG decode."""
    figures: dict[str, Any] = {"decode_ms": _decode_ms(photos), "yardstick": yardstick.measure(photos), "generators": {}}
    usable = [_usable(path) for path in photos]
    for name, case in CASES.items():
        told = _generator(folder, usable, case)
        figures["generators"][name] = {**told, "goal": case.goal, **{f"{total}_per_decode": told[total] / figures["decode_ms"] for total in TOTALS}}
    return figures


def _usable(path: Path) -> Photo:
    """Return a photo as the plan would know it, with all kinds of scenes welcome."""
    data = path.read_bytes()
    seen = json.dumps(lights.find(decode.decode(data, DecodeRules()).pixels))
    return Photo(str(path), None, None, hashlib.sha256(data).hexdigest(), 1024, 1024, "photo", 0.2, 0.2, True, None, None, seen, None, [])


def _decode_ms(photos: list[Path]) -> float:
    """Return the median time of a bare cv2 decode: the unit in which machines are compared."""
    data = [np.fromfile(path, np.uint8) for path in photos]
    times = []
    for at in range(60):
        begin = time.perf_counter()
        cv2.imdecode(data[at % len(data)], cv2.IMREAD_COLOR)
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def _generator(folder: Path, usable: list[Photo], case: Case) -> dict[str, float]:
    page = recipe.parse({"tasks": {case.generator: {"ranges": case.ranges}}, "variants": -(-ROWS // len(usable)), "crop": {"size": 1024}})
    drawn = (dict(zip(PLAN.names, row, strict=True)) for row in draw.draw_rows(page, usable))
    rows = [row for row in drawn if row["reason"] is None]
    times: dict[str, list[float]] = {part: [] for part in (*PARTS, *TOTALS)}
    priors, others = Priors(folder), Others(DecodeRules())
    for row in [*rows[:3], *rows]:  # the first three warm up, and every photo's priors are made before they count
        _one(row, priors, others, {part: [] for part in times})
        priors.forget()
        _one(row, priors, others, times)
        priors.forget()
    medians = {part: 1e3 * statistics.median(drawn) for part, drawn in times.items()}
    return {**medians, "p95": 1e3 * float(np.percentile(times["whole"], 95)), "pairs_per_s": 1 / statistics.mean(times["whole"])}


def _one(row: dict[str, Any], priors: Priors, others: Others, times: dict[str, list[float]]) -> None:
    """Take a row through the job's own functions, with a clock between them."""
    marks = [time.perf_counter()]
    data = Path(row["photo_uri"]).read_bytes()
    photo = decode.decode(data, DecodeRules()).pixels
    marks.append(time.perf_counter())
    crop = pair.crop_of(row)
    clean = crops.cut(photo, crop)
    marks.append(time.perf_counter())
    assets, used = priors.assets(photo, row["photo_sha256"], crop, json.loads(row["makers"]))
    marks.append(time.perf_counter())
    assets = dataclasses.replace(assets, **others.assets(json.loads(row["others"])))
    marks.append(time.perf_counter())
    degraded = chain.render(clean, pair.steps_of(row), assets)
    made = pair.Pair(clean, degraded, used, [], bare_jpeg(data))
    marks.append(time.perf_counter())
    pair.members_of(made)
    marks.append(time.perf_counter())
    pair.psnr_db(made.clean, made.degraded.pixels)
    marks.append(time.perf_counter())
    for part, begin, end in zip(PARTS, marks, marks[1:], strict=False):
        times[part].append(end - begin)
    times["whole"].append(marks[-1] - marks[0])
    png.encode(clean)
    times["crop"].append(time.perf_counter() - marks[0])


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    unit, machine = figures["decode_ms"], figures["yardstick"]["all"]
    head = f"{'ms per 1024x1024 pair':<28}" + "".join(f"{part:>10}" for part in (*PARTS, *TOTALS, "p95"))
    head += f"{'pairs/s':>9}{'x decode':>10}{'a crop':>8}{'goal':>7}{'x reference':>13}"
    lines = [f"bare cv2 JPEG decode: {unit:.2f} ms", head]
    for name, told in figures["generators"].items():
        goal = told["goal"] / REFERENCE_DECODE_MS if told["goal"] else None
        faster = REFERENCE[name] / REFERENCE_DECODE_MS / told["whole_per_decode"] if name in REFERENCE else None
        line = f"{name:<28}" + "".join(f"{told[part]:>10.2f}" for part in (*PARTS, *TOTALS, "p95"))
        line += f"{told['pairs_per_s']:>9.1f}{told['whole_per_decode']:>10.2f}{told['crop_per_decode']:>8.2f}{f'{goal:.2f}' if goal else '':>7}"
        lines.append(line + (f"{faster:>12.1f}x" if faster else f"{'absent':>13}"))
    lines.append("goal and reference are in decodes, so that machines compare; reference: RealRestorer's released code, its whole job")
    there = f"{unit / REFERENCE_DECODE_MS:.2f} of the {REFERENCE_DECODE_MS} ms that it takes where the goals were set"
    lines.append(f"decoding takes {there}; nine other operations take {machine:.2f} of their time there")
    return "\n".join(lines)
