"""`python -m benchmarks.burst_gain [--photos N] [--side PX] [--json FILE]`: how near to the truth is a merged reference?

Bursts are made of real photos at twice the size: each frame is a shift and turn of the photo, blurred by a lens, reduced by half
as pixels do, with noise of its own in linear light, in 8 bits; the truth is the first frame without noise, unrounded. dB are peak
signal-to-noise ratios of sRGB levels, less that of the first frame alone; medians over photos, the least, and how many are worse.

    sensor    photon and read noise (`degrade.sensor`): averaging allows 10 log10 N
    sharp     the same without the lens: detail beyond what pixels can hold, that every frame shows differently
    camera    through a mosaic and a camera's own denoiser (`degrade.raw`)
    bracket   -3, -2, -1 and 0 EV, merged in the exposure of the last, less the better of a single frame of 0 EV and the dark one lifted
    moving    a thing jumps through a burst: error where it was in any frame, of means over 5x5 px, in levels of 255
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera, noise, sensor
from degrade.arrays import fields
from degrade.contract import Facts, Linear, Srgb
from degrade.raw.photograph import photograph
from degrade.scene import segments
from degrade.stream import stream
from filters.registration.similarity import Similarity
from pipelines.makers.merging import scene
from pipelines.makers.merging.placing import Box

SIDE_PX = 512
ISO = (50.0, 400.0, 1600.0, 6400.0)
COUNTS = (2, 4, 8, 16)
SHIFT_PX, TURN_DEG = 12.0, 0.6
LENS_PX = 0.6  # sigma of the lens: with the pixel's own area, 0.11 of the contrast is left at the finest pitch
EDGE_PX = 24  # that is left off: not every frame shows it
EVS = (-3.0, -2.0, -1.0, 0.0)
THING_FRAC, STEP_FRAC = 0.1, 0.07  # of the side: how large the thing is, and how far it jumps
SEEDS = 100  # apart: of two frames


def square(path: Path, side_px: int) -> Srgb:
    """Return the middle of a photo at twice the size of a frame, with room to move."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    want, side = 2 * (side_px + 64), min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    kernel = cv2.INTER_AREA if side >= want else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture[top : top + side, left : left + side], (want, want), interpolation=kernel), np.uint8)


def views(photo: Srgb, count: int, side_px: int, key: str, lens_px: float = LENS_PX) -> list[Linear]:
    """Return what a hand that is not quite still sees, noiseless; the first view is the photo's own."""
    rng = stream(0, "burst", key)
    light = camera.to_linear(photo)
    if lens_px:
        light = cv2.GaussianBlur(light, (0, 0), 2 * lens_px)
    size = photo.shape[0]
    rim = (size // 2 - side_px) // 2
    seen = []
    for index in range(count):
        x, y, turn = rng.uniform(-1, 1, 3).tolist() if index else (0.0, 0.0, 0.0)
        moved = Similarity(2 * SHIFT_PX * x, 2 * SHIFT_PX * y, 1.0, TURN_DEG * turn)
        there = cv2.warpAffine(light, moved.matrix(size, size), (size, size), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
        small = cv2.resize(np.clip(there, 0, 1), (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        seen.append(np.ascontiguousarray(small[rim : rim + side_px, rim : rim + side_px]))
    return seen


def crop_of(photo: Srgb, side_px: int) -> Linear:
    """Return the light of a photo's middle."""
    first = (photo.shape[0] - side_px) // 2
    return camera.to_linear(np.ascontiguousarray(photo[first : first + side_px, first : first + side_px]))


def by_sensor(light: Linear, iso: float, ev: float, seed: int) -> Srgb:
    """Return what a sensor without a mosaic records of some light."""
    shot = 1e-6 * iso
    read = sensor.read_noise_for(shot, 0.0)
    exposed = light * np.float32(2.0**ev)
    for channel in range(3):
        words = [fields.random_words(seed + 10 * channel + part, exposed.shape[:2]) for part in (0, 1)]
        plane = np.ascontiguousarray(exposed[:, :, channel])
        exposed[:, :, channel] += sensor.shot_noise(plane, shot, words[0]) + np.float32(read) * sensor.read_noise(0.1, words[1])
    return camera.to_srgb(exposed)


def by_camera(light: Linear, iso: float, labels: NDArray[np.int32], seed: int) -> Srgb:
    """Return what a camera with a mosaic and a denoiser makes of some light."""
    ranges = noise.NoiseRanges(source={"camera": 1.0}, jpeg=0.0, web=0.0)
    params = noise.sample(stream(0, "burst camera", ""), ranges, Facts(light.shape[1], light.shape[0]), 3)
    assert params.camera is not None
    return photograph(light, iso, params.camera._replace(seed=seed), labels).pixels


def levels(light: Linear) -> NDArray[np.float64]:
    """Return unrounded sRGB levels of 255."""
    return 255 * camera.linear_to_srgb(np.clip(light, 0, 1).astype(np.float64))


def psnr(truth: NDArray[np.float64], picture: Srgb | None) -> float:
    """Return the peak signal-to-noise ratio of the middle, dB; not a number for no picture."""
    if picture is None:
        return math.nan
    inner = slice(EDGE_PX, -EDGE_PX)
    return -10 * math.log10(((truth[inner, inner] - picture[inner, inner]) ** 2).mean() / 255**2)


def merge(frames: Sequence[Srgb], wanted: int = 0, *, hold: bool = True) -> Srgb | None:
    """Return the merge of frames in the geometry of the first and the exposure of another; None if one of them is refused."""
    own = scene.frame(frames[0])
    others = [scene.compared(own, scene.frame(other)) for other in frames[1:]]
    usable = [one for one in others if not isinstance(one, str)]
    if len(usable) < len(others):
        return None
    light, _ = scene.merged(frames[0], usable, Box(0, 0, *frames[0].shape[1::-1]), hold=hold)
    return camera.to_srgb(light * usable[wanted - 1].gain if wanted else light)


def mean(frames: Sequence[Srgb]) -> Srgb:
    """Return the plain mean of frames in linear light, for comparison."""
    return camera.to_srgb(np.mean([camera.to_linear(frame) for frame in frames], 0, dtype=np.float32))


def crossed(seen: Sequence[Linear], thing: Linear) -> tuple[list[Linear], NDArray[np.bool_]]:
    """Return views through which a thing jumps, and where it is or was."""
    side, size = seen[0].shape[0], thing.shape[0]
    views_with, where = [], np.zeros(seen[0].shape[:2], bool)
    for index, view in enumerate(seen):
        left, top = (STEP_FRAC * side * index) % (side - 2 * size), (side - size) / 2 + size * (index % 3 - 1) / 8
        box = Box(round(left) + size // 2, round(top), round(left) + size // 2 + size, round(top) + size)
        shown = view.copy()
        shown[box.top : box.bottom, box.left : box.right] = thing
        where[box.top - 8 : box.bottom + 8, max(box.left - 8, 0) : box.right + 8] = True
        views_with.append(shown)
    return views_with, where


def ghost(truth: NDArray[np.float64], picture: Srgb | None, where: NDArray[np.bool_]) -> float:
    """Return the largest error of 5x5 px in a place, levels of 255; not a number for no picture."""
    return math.nan if picture is None else float(np.abs(cv2.blur(truth - picture, (5, 5)))[where].max())


def measure(path: Path, thing: Linear, side_px: int) -> list[dict[str, Any]]:
    """Return every figure of one photo."""
    large, key = square(path, side_px), path.stem
    soft, sharp = (views(large, max(COUNTS), side_px, key, lens) for lens in (LENS_PX, 0.0))
    labels = segments.superpixels(camera.to_srgb(soft[0]))
    rows = []
    for iso in ISO:
        makes = {
            "sensor": (soft, lambda light, seed, iso=iso: by_sensor(light, iso, 0.0, seed)),
            "sharp": (sharp, lambda light, seed, iso=iso: by_sensor(light, iso, 0.0, seed)),
            "camera": (soft, lambda light, seed, iso=iso: by_camera(light, iso, labels, seed)),
        }
        for table, (seen, make) in makes.items():
            truth, frames = levels(seen[0]), [make(view, SEEDS * index) for index, view in enumerate(seen)]
            single = psnr(truth, frames[0])
            gains = {str(count): psnr(truth, merge(frames[:count])) - single for count in COUNTS}
            rows.append({"table": table, "photo": key, "iso": iso, "single_db": single, **gains})
        rows += [_bracket(soft, key, iso), _moving(soft, thing, key, iso)]
    return rows


def _bracket(seen: Sequence[Linear], key: str, iso: float) -> dict[str, Any]:
    truth = levels(seen[0])
    frames = [by_sensor(view, iso, ev, SEEDS * index) for index, (view, ev) in enumerate(zip(seen, EVS, strict=False))]
    lifted = camera.to_srgb(camera.to_linear(frames[0]) * np.float32(2.0 ** (EVS[-1] - EVS[0])))
    single = max(psnr(truth, lifted), psnr(truth, by_sensor(seen[0], iso, EVS[-1], SEEDS * len(EVS))))
    return {"table": "bracket", "photo": key, "iso": iso, "single_db": single, str(len(EVS)): psnr(truth, merge(frames, len(EVS) - 1)) - single}


def _moving(seen: Sequence[Linear], thing: Linear, key: str, iso: float) -> dict[str, Any]:
    shown, where = crossed(seen[: max(COUNTS) // 2], thing)
    truth, frames = levels(shown[0]), [by_sensor(view, iso, 0.0, SEEDS * index) for index, view in enumerate(shown)]
    errors = {name: ghost(truth, made, where) for name, made in (("single", frames[0]), ("merged", merge(frames)), ("mean", mean(frames)))}
    return {"table": "moving", "photo": key, "iso": iso, **errors}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the figures for people."""
    allowed = "".join(f"{10 * math.log10(count):14.2f}  " for count in COUNTS)
    lines = [f"{'':8}{'ISO':>6}{'single dB':>11}" + "".join(f"{f'N = {count}':>14}  " for count in COUNTS), f"{'10 log10 N':25}{allowed}"]
    for name in ("sensor", "sharp", "camera", "bracket"):
        for iso in ISO:
            own = [row for row in rows if row["table"] == name and row["iso"] == iso]
            single = np.median([row["single_db"] for row in own])
            cells = ""
            for count in map(str, COUNTS):
                gains = [row[count] for row in own if count in row]
                cells += f"{np.nanmedian(gains):7.2f} >{np.nanmin(gains):6.2f}  " if gains else " " * 16
            refused = sum(any(isinstance(value, float) and math.isnan(value) for value in row.values()) for row in own)
            worse = sum(any(row.get(str(count), 0.0) < 0 for count in COUNTS) for row in own)
            ends = [f"{count} {what}" for count, what in ((worse, "worse"), (refused, "refused")) if count]
            lines.append(f"{name:8}{iso:6.0f}{single:11.2f}{cells}{', '.join(ends)}".rstrip())
    lines += ["", f"{'':8}{'ISO':>6}   largest error where a thing moved: one frame, merged, plain mean; photos whose merge is worse than the frame by over 2"]
    for iso in ISO:
        own = [row for row in rows if row["table"] == "moving" and row["iso"] == iso]
        cells = "".join(f"{np.nanmax([row[name] for row in own]):9.1f}" for name in ("single", "merged", "mean"))
        worse = sum(row["merged"] > row["single"] + 2 for row in own)
        lines.append(f"{'moving':8}{iso:6.0f}{cells}{worse:9d} of {len(own)}")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.burst_gain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100, help="at most so many")
    parser.add_argument("--side", type=int, default=SIDE_PX, help="px of the frames")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "clean"
    paths = sorted(data.iterdir())[: options.photos]
    thing = crop_of(square(paths[-1], options.side), round(THING_FRAC * options.side))
    begun, rows = time.process_time(), []
    for path in paths:
        rows += measure(path, thing, options.side)
    print(table(rows))
    print(f"{len(paths)} photos, {options.side} px, {time.process_time() - begun:.0f} s of one core")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
