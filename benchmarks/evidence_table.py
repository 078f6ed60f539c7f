"""`python -m benchmarks.evidence_table [--photos N] [--side PX] [--json FILE]`: does evidence rise with severity, and does it tell edited pairs?

Pairs are made as a job makes them, of every degradation at every stratum, from the middle squares of real photos; photos
that a degradation refuses are left out. For each task: Spearman's rank correlation of `strength` and stratum over all pairs; and the
probability (AUC) that a true pair is explained better than one whose clean side was edited, in three ways:

    painted   a square of 0.3 short sides shows another photo        by `explained`
    shifted   4 px to the right                                      by `explained`
    turned    hue turned by 30 degrees                               by `hue_deg`
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from scipy.stats import spearmanr

from degrade.contract import STRATA, Srgb
from degrade.errors import BadSample
from filters import evidence
from filters.contract import Pair, Photo
from pipelines.single import Beside, Opened, open_photo, try_one

SIDE_PX = 768
SHIFT_PX = 4
TURN_DEG = 30
PATCH_FRAC = 0.3


class Judged(NamedTuple):
    """What evidence says of one pair, true and edited."""

    task: str
    stratum: int
    numbers: dict[str, float]
    edited: dict[str, dict[str, float]]  # numbers by kind of edit
    cpu_ms: float


def squares(sources: Sequence[Path], folder: Path, side_px: int = SIDE_PX) -> list[Path]:
    """Write the middle squares of photos as PNG; answer their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for source in sources:
        picture = cv2.imdecode(np.fromfile(source, np.uint8), cv2.IMREAD_COLOR)
        side = min(picture.shape[:2])
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        square = picture[top : top + side, left : left + side]
        if side > side_px:
            square = cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_AREA)
        path = folder / f"{source.stem}.png"
        path.write_bytes(cv2.imencode(".png", square, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
        paths.append(path)
    return paths


def painted(clean: Srgb, other: Srgb, place: int) -> Srgb:
    """Return a photo of which a square shows another photo."""
    height, width = clean.shape[:2]
    side = int(PATCH_FRAC * min(height, width))
    top, left = (int((0.05 + 0.6 * (place * step % 100) / 100) * size) for step, size in ((37, height), (61, width)))
    edited = clean.copy()
    edited[top : top + side, left : left + side] = cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA)[top : top + side, left : left + side]
    return edited


def shifted(clean: Srgb, _other: Srgb, _place: int) -> Srgb:
    """Return a photo moved to the right, mirrored at its left edge."""
    return np.ascontiguousarray(cv2.copyMakeBorder(clean, 0, 0, SHIFT_PX, 0, cv2.BORDER_REFLECT)[:, :-SHIFT_PX])


def turned(clean: Srgb, _other: Srgb, _place: int) -> Srgb:
    """Return a photo with its hue turned."""
    hue, *rest = cv2.split(cv2.cvtColor(clean.astype(np.float32) / 255, cv2.COLOR_RGB2HSV))
    back = cv2.cvtColor(cv2.merge([(hue + TURN_DEG) % 360, *rest]), cv2.COLOR_HSV2RGB)
    return np.rint(back * 255).astype(np.uint8)


EDITS: dict[str, Callable[[Srgb, Srgb, int], Srgb]] = {"painted": painted, "shifted": shifted, "turned": turned}
JUDGE = {"painted": ("explained", 1), "shifted": ("explained", 1), "turned": ("hue_deg", -1)}  # the measure, and its sign for true pairs


def judged(photos: Sequence[Opened], tasks: Sequence[str], edits: Sequence[str] = tuple(EDITS)) -> Iterator[Judged]:
    """Yield the evidence on every pair that can be made; each photo's second photo is the one before it."""
    for place, opened in enumerate(photos):
        other = photos[place - 1]
        for task in tasks:
            for stratum in range(1, STRATA + 1):
                try:
                    tried = try_one(opened, task, stratum, stratum, beside=Beside(partner=other if task == "reflection" else None))
                except BadSample:
                    continue
                begun = time.process_time()
                numbers = _numbers(task, tried.clean, tried.degraded.pixels)
                cpu_ms = 1e3 * (time.process_time() - begun)
                edited = {edit: _numbers(task, EDITS[edit](tried.clean, other.pixels, place), tried.degraded.pixels) for edit in edits}
                yield Judged(task, stratum, numbers, edited, cpu_ms)


def _numbers(task: str, clean: Srgb, degraded: Srgb) -> dict[str, float]:
    return evidence.of_pair(Pair("", task, Photo("", clean), Photo("", degraded)))


def rank_correlation(pairs: Sequence[Judged]) -> float:
    """Return Spearman's rho of `strength` and stratum."""
    return float(spearmanr([pair.stratum for pair in pairs], [pair.numbers["strength"] for pair in pairs])[0])


def separation(pairs: Sequence[Judged], edit: str) -> float:
    """Return the probability that a true pair looks truer than an edited one."""
    measure, sign = JUDGE[edit]
    true = sign * np.array([pair.numbers[measure] for pair in pairs])[:, None]
    false = sign * np.array([pair.edited[edit][measure] for pair in pairs])[None]
    return float((true > false).mean() + 0.5 * (true == false).mean())


def figures(pairs: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Return the table's numbers by task."""
    rows = {}
    for task in evidence.OPERATORS:
        own = [pair for pair in pairs if pair.task == task]
        if not own:
            continue
        medians = [float(np.median([pair.numbers["strength"] for pair in own if pair.stratum == stratum])) for stratum in range(1, STRATA + 1)]
        auc = {edit: separation(own, edit) for edit in own[0].edited}
        rows[task] = {"pairs": len(own), "rho": rank_correlation(own), "medians": medians, "auc": auc, "cpu_ms": float(np.median([p.cpu_ms for p in own]))}
    return rows


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the table as text."""
    lines = [f"{'task':12} pairs   rho  " + "".join(f"{edit:>9}" for edit in EDITS) + "  CPU ms  strength by stratum (median)"]
    for task, row in rows.items():
        auc = "".join(f"{row['auc'].get(edit, float('nan')):9.3f}" for edit in EDITS)
        medians = "  ".join(f"{median:.3g}" for median in row["medians"])
        lines.append(f"{task:12} {row['pairs']:5}  {row['rho']:.3f} {auc}  {row['cpu_ms']:6.1f}  {medians} {evidence.OPERATORS[task].unit}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100, help="at most so many")
    parser.add_argument("--side", type=int, default=SIDE_PX, help="px of the squares")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "clean"
    with tempfile.TemporaryDirectory() as folder:
        paths = squares(sorted(data.iterdir())[: options.photos], Path(folder), options.side)
        rows = figures(list(judged([open_photo(path) for path in paths], tuple(evidence.OPERATORS))))
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
