"""How well a known misalignment is found, per degradation: a table, and a picture of the curves.

    python -m benchmarks.alignment_curve [--photos DIR] [--stratum 3] [--png FILE]

Crops of 512 px of real photos are degraded by our own generators, and the clean side is cut from the undegraded photo at a
known place: shifts from 0 to 10 px in random directions, and turns and growths beside a shift. `told` is the share for which
there was an answer, `found` that which was answered within half a pixel; ms is processor time per pair.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

import degrade
from degrade.contract import Srgb
from degrade.errors import BadSample
from degrade.stream import stream
from filters.registration.match import match
from filters.registration.similarity import Similarity
from pipelines.crops import Crop
from pipelines.single import Beside, Opened, open_photo, try_one

TASKS = tuple(name for name in degrade.NAMES if name != "web")
SIDE_PX, MARGIN_PX = 512, 32
SHIFTS_PX = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
ALWAYS = (0.0, 1.0)  # asked of every pair; the others take turns
TURNS_DEG, SCALES = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), (0.97, 0.985, 0.995, 1.005, 1.015, 1.03)
TAKEN = 4  # of the other shifts, per pair
FOUND_PX = 0.5
PANEL_PX, SHOWN_PX = 300, 0.5  # of the picture: side of a panel, error at its rim


class Asked(NamedTuple):
    """One question and its answer; None where nothing could be told."""

    task: str
    kind: str  # shift, turn or scale
    true: Similarity
    told: Similarity | None
    cpu_ms: float

    @property
    def off_px(self) -> float:
        """How far the shift is off; infinite where it was not told."""
        if self.told is None:
            return math.inf
        return math.hypot(self.told.shift_x_px - self.true.shift_x_px, self.told.shift_y_px - self.true.shift_y_px)


def main() -> None:
    """Ask, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    parser.add_argument("--photos", type=Path, default=data / "clean")
    parser.add_argument("--stratum", type=int, default=3)
    parser.add_argument("--png", type=Path, default=Path("alignment_curve.png"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    begin = time.process_time()
    asked = [one for pair in _pairs(options.photos, options.stratum) for one in _ask(*pair)]
    _print(asked)
    _draw(asked, options.png)
    print(f"{len(asked)} answers in {time.process_time() - begin:.0f} s of one core; curves in {options.png}")


def _pairs(folder: Path, stratum: int) -> list[tuple[str, int, Srgb, Srgb]]:
    """Return (task, number, clean, degraded), with a margin around both."""
    photos: list[Opened] = []
    for path in sorted(folder.iterdir()):
        try:
            photos.append(open_photo(path))
        except BadSample as unusable:
            print(f"{path.name}: {unusable}")
    made = []
    for number, photo in enumerate(photos):
        size = SIDE_PX + 2 * MARGIN_PX
        height, width = photo.pixels.shape[:2]
        side = min(height, width, 2 * size)
        crop = Crop((width - side) // 2, (height - side) // 2, side, side, size, size)
        for task in TASKS:
            try:
                tried = try_one(photo, task, stratum, number, crop, Beside(partner=photos[number - 1]))
            except BadSample:  # no sky, no lamp, no distance: not this degradation's photo
                continue
            made.append((task, number, tried.clean, tried.degraded.pixels))
    return made


def _ask(task: str, number: int, clean: Srgb, degraded: Srgb) -> list[Asked]:
    rng = stream(number, "alignment curve", task)
    inner = slice(MARGIN_PX, MARGIN_PX + SIDE_PX)
    theirs = np.ascontiguousarray(degraded[inner, inner])
    others = [shift for shift in SHIFTS_PX if shift not in ALWAYS]
    taken = [*ALWAYS, *(others[(number * TAKEN + at) % len(others)] for at in range(TAKEN))]
    questions = [("shift", _shift(rng, length)) for length in taken]
    questions.append(("turn", _shift(rng, 2.5)._replace(rotation_deg=TURNS_DEG[number % len(TURNS_DEG)])))
    questions.append(("scale", _shift(rng, 2.5)._replace(scale=SCALES[number % len(SCALES)])))
    answers = []
    for kind, true in questions:
        ours = _placed(clean, true)
        begin = time.process_time()
        told = match(ours, theirs)
        answers.append(Asked(task, kind, true, told.found if told else None, 1e3 * (time.process_time() - begin)))
    return answers


def _shift(rng: np.random.Generator, length_px: float) -> Similarity:
    angle = rng.uniform(0, 2 * math.pi)
    return Similarity(length_px * math.cos(angle), length_px * math.sin(angle))


def _placed(clean: Srgb, true: Similarity) -> Srgb:
    """Return the clean side whose middle lies where `true` puts it; Lanczos, for OpenCV's cubic kernel is off by 0.05 px itself."""
    matrix = true.inverse().matrix(SIDE_PX, SIDE_PX)
    matrix[:, 2] += MARGIN_PX
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(clean, matrix, (SIDE_PX, SIDE_PX), flags=flags, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _print(asked: list[Asked]) -> None:
    print(f"{'':<12} measured length of the shift, px: median (5 % to 95 %), by its true length")
    for task in TASKS:
        line = []
        for length in SHIFTS_PX:
            told = _lengths(asked, task, length)
            line.append(f"{length:g}: " + ("-" if not len(told) else "{1:.2f} ({0:.2f} to {2:.2f})".format(*np.quantile(told, (0.05, 0.5, 0.95)))))
        print(f"{task:<12} " + "   ".join(line))
    shares = f"{'pairs':>7}{'told':>7}{'found':>7}{'found 0':>9}{'found 1':>9}"
    print(f"\n{'':<12}{shares}{'off px: median':>16}{'95 %':>7}{'turn off deg':>14}{'scale off':>11}{'ms':>7}")
    for task in TASKS:
        print(f"{task:<12}" + _line([one for one in asked if one.task == task]))


def _line(asked: list[Asked]) -> str:
    told = [one for one in asked if one.told is not None]
    still, pixel = ([one.off_px < FOUND_PX for one in asked if one.kind == "shift" and round(one.true.shift_px, 6) == length] for length in ALWAYS)
    turn = max(abs(one.told.rotation_deg - one.true.rotation_deg) for one in told if one.told)
    scale = max(abs(one.told.scale - one.true.scale) for one in told if one.told)
    off = np.quantile([one.off_px for one in told], (0.5, 0.95))
    found = np.mean([one.off_px < FOUND_PX for one in asked])
    shares = f"{len(still):>7}{len(told) / len(asked):>7.3f}{found:>7.3f}{np.mean(still):>9.3f}{np.mean(pixel):>9.3f}"
    return shares + f"{off[0]:>16.3f}{off[1]:>7.3f}{turn:>14.3f}{scale:>11.5f}{np.median([one.cpu_ms for one in asked]):>7.1f}"


def _lengths(asked: list[Asked], task: str, length: float) -> list[float]:
    return [one.told.shift_px for one in asked if one.task == task and one.kind == "shift" and one.told and abs(one.true.shift_px - length) < 1e-6]


def _draw(asked: list[Asked], path: Path) -> None:
    """Draw what is measured too much by true shift, a panel per degradation: band of 5 to 95 %, and the median."""
    panels = [_panel(asked, task) for task in TASKS]
    columns = math.ceil(math.sqrt(len(panels)))
    rows = [np.hstack(panels[at : at + columns]) for at in range(0, len(panels), columns)]
    path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _panel(asked: list[Asked], task: str) -> Srgb:
    panel = np.full((PANEL_PX, PANEL_PX, 3), 255, np.uint8)
    left, width, middle = 50, PANEL_PX - 70, PANEL_PX // 2

    def down(error_px: float) -> int:
        return round(middle - np.clip(error_px / SHOWN_PX, -1, 1) * (middle - 40))

    for level in (-SHOWN_PX, 0.0, SHOWN_PX):
        cv2.line(panel, (left, down(level)), (left + width, down(level)), (210, 210, 210), 1)
        cv2.putText(panel, f"{level:+.1f}", (8, down(level) + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (90, 90, 90), 1, cv2.LINE_AA)
    points = []
    for length in SHIFTS_PX:
        told = _lengths(asked, task, length)
        if told:
            across = round(left + width * length / SHIFTS_PX[-1])
            points.append((across, *(down(error) for error in np.quantile(told, (0.05, 0.5, 0.95)) - length)))
        if told and length == int(length):  # the smaller ones would write over each other
            cv2.putText(panel, f"{length:g}", (across - 6, PANEL_PX - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (90, 90, 90), 1, cv2.LINE_AA)
    band = np.array([(x, low) for x, low, _, _ in points] + [(x, high) for x, _, _, high in reversed(points)], np.int32)
    cv2.fillPoly(panel, [band], (240, 215, 180))
    cv2.polylines(panel, [np.array([(x, half) for x, _, half, _ in points], np.int32)], isClosed=False, color=(160, 80, 20), thickness=2, lineType=cv2.LINE_AA)
    cv2.putText(panel, f"{task}: px too far, by true px", (left, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return panel


if __name__ == "__main__":
    main()
