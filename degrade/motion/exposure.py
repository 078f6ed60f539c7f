"""One long exposure made of the frames of a clip: what a sensor collects while its shutter stays open.

Every frame stands for the time that is nearest to it, and is swept along its own motion for as long (`motion.sweep`): averages of
frames alone leave a ghost for each of them. That is all where motion changes smoothly. Where something passes before
something else, the scene is also interpolated between frames, at a reduced size and in stretches in which nothing moves more
than a few pixels; coarse light is taken from there, fine detail from the frames.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.arrays import strips
from degrade.contract import Linear, Map, Srgb
from degrade.motion import flow, grain, highlights, sweep
from degrade.motion.sweep import Light

STRETCH_PX = 6.0  # of the fastest thing, px of the reduced picture
SEAM_PX = (1.0, 2.5)  # difference of two ways side by side from which, and above which wholly, one passes before the other; reduced px
SEEN = 0.1  # of a seam: less is none
BESIDE = np.ones((3, 3), np.uint8)
FINE = 0.75  # px of the reduced picture: what is finer is taken from the frames


class Stretch(NamedTuple):
    """A piece of the exposure, between two frames."""

    middle: float  # 0 at the first of them, 1 at the second
    duration: float  # in times between frames


class Way(NamedTuple):
    """How things move in a frame while it is exposed."""

    velocity: flow.Flow  # px of the maps per time between frames
    seam: Map  # 0..1: where one thing passes before another
    around: Map  # 0..1: what such passing touches


def stretches(opens: float, closes: float, speed_px: float) -> list[Stretch]:
    """Return the pieces of an exposure that lie between two frames, in order.

    Args:
        opens: when the shutter opens, in times between frames from the first of the two.
        closes: when it closes.
        speed_px: of the fastest thing, px per frame of the picture in which it goes `STRETCH_PX` at most.
    """
    begin, end = max(opens, 0.0), min(closes, 1.0)
    if end - begin < 1e-9:
        return []
    count = max(math.ceil((end - begin) * speed_px / STRETCH_PX), 1)
    step = (end - begin) / count
    return [Stretch(begin + (at + 0.5) * step, step) for at in range(count)]


def render(light: Linear, frames: Sequence[Srgb], centre: int, shutter_frames: float, lamp_gain: float, seed: int) -> Linear:
    """Return the exposure, with the noise of one frame.

    Args:
        light: HxWx3 linear light of the frame in the middle; left untouched.
        frames: HxWx3 uint8, all that the shutter touches, in order.
        centre: which of them is in the middle.
        shutter_frames: how long the shutter is open, in times between frames.
        lamp_gain: how bright a clipped lamp is taken to be, in display whites.
        seed: of the noise.

    Raises:
        ValueError: a frame of another size, or a shutter that frames do not cover.
    """
    _check(light, frames, centre, shutter_frames)
    opens, closes = centre - shutter_frames / 2, centre + shutter_frames / 2
    pairs = _pairs(frames, opens, closes)
    bright = functools.partial(_bright, light, frames, centre, lamp_gain)
    total, around, small = _swept(light.shape, bright, pairs, opens, closes)
    step = _step(light.shape)
    if float(around.max()) > SEEN:
        for at in {*pairs, *(first + 1 for first in pairs)} - {*small}:
            small[at] = strips.reduced(bright(at), step)
        _put_right(total, _interpolated(small, pairs, opens, closes), around, step)
    made = cv2.cvtColor(total, cv2.COLOR_RGBA2RGB)
    grain.give_back(made, grain.missing(light, made), seed)
    return made


def _check(light: Linear, frames: Sequence[Srgb], centre: int, shutter_frames: float) -> None:
    if any(frame.shape != light.shape for frame in frames):
        raise ValueError(f"frames are {sorted({frame.shape for frame in frames})}, the clean side is {light.shape}: cut them alike")
    if shutter_frames / 2 > min(centre, len(frames) - 1 - centre) + 1e-6:
        raise ValueError(f"a shutter of {shutter_frames} frames about frame {centre} of {len(frames)} needs frames that are not there")


def _pairs(frames: Sequence[Srgb], opens: float, closes: float) -> dict[int, flow.Pair]:
    """Return the motion between the frames of every pair that the shutter touches, by the first of the two."""
    search = flow.seeker()
    touched = [at for at in range(len(frames) - 1) if opens < at + 1 and closes > at]
    grey = {at: flow.grey(frames[at]) for at in range(touched[0], touched[-1] + 2)}
    return {at: flow.pair(search, grey[at], grey[at + 1]) for at in touched}


def _bright(light: Linear, frames: Sequence[Srgb], centre: int, lamp_gain: float, at: int) -> Light:
    """Return a frame in linear light with its highlights; the one in the middle is the clean side itself."""
    return sweep.widened(highlights.recovered(light if at == centre else camera.to_linear(frames[at]), lamp_gain))


def _step(shape: tuple[int, ...]) -> int:
    """Return at what fraction of its size a picture is interpolated."""
    return math.ceil(max(shape[:2]) / flow.WORK_PX)


def _swept(
    shape: tuple[int, ...], bright: Callable[[int], Light], pairs: dict[int, flow.Pair], opens: float, closes: float
) -> tuple[Light, Map, dict[int, Light]]:
    """Return the mean of the frames, each swept for as long as it is exposed, where things pass, and the frames at a reduced size."""
    total, sweeper, small = np.zeros((*shape[:2], 4), np.float32), sweep.Sweeper(shape), {}
    around = np.zeros(next(iter(pairs.values())).forward.shape[:2], np.float32)
    for at in sorted({*pairs, *(first + 1 for first in pairs)}):
        begin, end = max(opens - at, -0.5), min(closes - at, 0.5)
        if end - begin < 1e-9:
            continue
        shown = bright(at)
        small[at] = strips.reduced(shown, _step(shape))
        way = _way(pairs, at, begin, end, small[at].shape[1])
        cv2.max(around, way.around, around)
        swept = sweeper.swept(shown, flow.at_size(way.velocity, (shape[1], shape[0])), begin, end)
        _add(swept, way.seam, (end - begin) / (closes - opens), total)
    return total, around, small


def _way(pairs: dict[int, flow.Pair], at: int, begin: float, end: float, width_px: int) -> Way:
    """Return how things move in a frame, by the frames before and after it as far as the shutter is open then."""
    velocity = flow.at_frame(pairs.get(at - 1) if begin < 0 else None, pairs.get(at) if end > 0 else None)
    across, down = (cv2.dilate(part, BESIDE) - cv2.erode(part, BESIDE) for part in cv2.split(velocity))
    scale = (end - begin) * width_px / velocity.shape[1]
    seam = np.clip((cv2.magnitude(across, down) * np.float32(scale) - np.float32(SEAM_PX[0])) / np.float32(SEAM_PX[1] - SEAM_PX[0]), 0, 1)
    reach = math.ceil((end - begin) / 2 * float((flow.speeds(velocity) * (seam > SEEN)).max())) + 2
    around = cv2.blur(cv2.dilate(seam, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), (reach, reach))
    return Way(velocity, seam, around)


def _add(swept: Light, seam: Map, weight: float, total: Light) -> None:
    """Add a swept frame, without the fine part of the edges at which its things stop to be swept."""
    cv2.scaleAdd(swept, weight, total, total)
    if float(seam.max()) <= SEEN:
        return
    height, width = swept.shape[:2]
    large = cv2.resize(seam, (width, height), interpolation=cv2.INTER_LINEAR)
    sigma_px = FINE * max(height, width) / flow.WORK_PX
    margin = math.ceil(2 * sigma_px)
    side = 2 * margin + 1
    for rows, columns in sweep.tiles(swept.shape):
        share = large[rows, columns]
        if float(share.max()) <= SEEN:
            continue
        top, left = max(rows.start - margin, 0), max(columns.start - margin, 0)
        seen = swept[top : rows.stop + margin, left : columns.stop + margin]
        soft = cv2.GaussianBlur(seen, (side, side), sigma_px)[rows.start - top :, columns.start - left :][: share.shape[0], : share.shape[1]]
        there = total[rows, columns]
        cv2.accumulateProduct(cv2.subtract(soft, swept[rows, columns]), cv2.merge([share * np.float32(weight)] * 4), there)


def _interpolated(small: dict[int, Light], pairs: dict[int, flow.Pair], opens: float, closes: float) -> Light:
    """Return the light of an exposure, interpolated between the frames, at a reduced size."""
    shape = next(iter(small.values())).shape
    size, sweeper, total = shape[1::-1], sweep.Sweeper(shape), np.zeros(shape, np.float32)
    for at, motion in pairs.items():
        speed_px = flow.fastest_px(motion) * size[0] / motion.forward.shape[1]
        for middle, duration in stretches(opens - at, closes - at, speed_px):
            between = flow.at_time(motion, middle)
            velocity = flow.at_size(between.flow, size)
            share = cv2.resize(between.later, size, interpolation=cv2.INTER_LINEAR)
            seen, later = sweeper.moved(small[at], velocity, middle), sweeper.moved(small[at + 1], velocity, middle - 1)
            cv2.accumulateProduct(cv2.subtract(later, seen, later), cv2.merge([share] * 4), seen)
            cv2.scaleAdd(sweeper.swept(seen, velocity, -duration / 2, duration / 2), duration / (closes - opens), total, total)
    return total


def _put_right(total: Light, coarse: Light, around: Map, step: int) -> None:
    """Take the coarse light from the interpolated exposure where things pass before each other, in place."""
    coarse -= strips.reduced(total, step)
    coarse *= cv2.resize(around, coarse.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    for rows in strips.rows_of(total.shape, step):
        cv2.add(total[rows], strips.enlarged(coarse, step, rows, total.shape[1]), total[rows])
