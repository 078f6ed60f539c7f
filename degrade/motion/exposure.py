"""One long exposure made of the frames of a clip: what a sensor collects while its shutter stays open.

Time is cut where frames are and then into stretches in which nothing moves more than a few pixels. For each, the scene is interpolated
at its middle (both frames, moved by the flow at that time) and swept along that flow: log2(n) averages of two give the mean of n
steps, each below a pixel, as in fast line integral convolution. Averages of frames alone leave a ghost for each frame.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.contract import Linear, Srgb
from degrade.motion import flow, grain, highlights

STRETCH_PX = 8.0  # of the fastest thing, px of the picture
STEP_PX = 0.75


class Stretch(NamedTuple):
    """A piece of the exposure, between two frames."""

    middle: float  # 0 at the first of them, 1 at the second
    duration: float  # in times between frames


def stretches(opens: float, closes: float, speed_px: float) -> list[Stretch]:
    """Return the pieces of an exposure that lie between two frames, in order.

    Args:
        opens: when the shutter opens, in times between frames from the first of the two.
        closes: when it closes.
        speed_px: of the fastest thing, px of the picture per frame.
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
    if any(frame.shape != light.shape for frame in frames):
        raise ValueError(f"frames are {sorted({frame.shape for frame in frames})}, the clean side is {light.shape}: cut them alike")
    if shutter_frames / 2 > min(centre, len(frames) - 1 - centre) + 1e-6:
        raise ValueError(f"a shutter of {shutter_frames} frames about frame {centre} of {len(frames)} needs frames that are not there")
    search, total, grid = flow.seeker(), np.zeros_like(light), flow.grid(light.shape)
    bright = functools.partial(_bright, light, frames, centre, lamp_gain)
    later: tuple[int, Linear] | None = None
    for first in range(len(frames) - 1):
        opens, closes = centre - shutter_frames / 2 - first, centre + shutter_frames / 2 - first
        if opens >= 1.0 or closes <= 0.0:
            continue
        earlier = later[1] if later is not None and later[0] == first else bright(first)
        later = first + 1, bright(first + 1)
        motion = flow.pair(search, flow.grey(frames[first]), flow.grey(frames[first + 1]))
        speed_px = flow.fastest_px(motion) * light.shape[1] / motion.forward.shape[1]
        for stretch in stretches(opens, closes, speed_px):
            swept = _swept(earlier, later[1], flow.at_time(motion, stretch.middle), stretch, speed_px, grid)
            cv2.scaleAdd(swept, stretch.duration / shutter_frames, total, total)
    grain.give_back(total, grain.missing(light, total), seed)
    return total


def _bright(light: Linear, frames: Sequence[Srgb], centre: int, lamp_gain: float, at: int) -> Linear:
    """Return a frame in linear light with its highlights; the one in the middle is the clean side itself."""
    return highlights.recovered(light if at == centre else camera.to_linear(frames[at]), lamp_gain)


def _swept(earlier: Linear, later: Linear, between: flow.Between, stretch: Stretch, speed_px: float, grid: flow.Flow) -> Linear:
    """Return the mean of what is seen during a stretch.

    The scene is interpolated at the middle of the stretch, half a sweep back, and every doubling adds a copy of what is there
    so far, moved on by its own length.
    """
    height, width = earlier.shape[:2]
    moved = cv2.resize(between.flow, (width, height), interpolation=cv2.INTER_LINEAR)
    moved *= np.array([width, height], np.float32) / np.array(between.flow.shape[1::-1], np.float32)
    doublings = max(math.ceil(math.log2(max(stretch.duration * speed_px / STEP_PX, 1.0))), 0)
    step = stretch.duration / 2**doublings
    back = 0.5 * (stretch.duration - step)  # a sweep goes on from its first step: it begins that much before the middle
    first = _moved(earlier, moved, grid, back - stretch.middle)
    swept = first
    if stretch.middle > 0:
        share = cv2.resize(between.later, (width, height), interpolation=cv2.INTER_LINEAR)
        second = _moved(later, moved, grid, back + 1.0 - stretch.middle)
        swept = cv2.accumulateProduct(cv2.subtract(second, first), cv2.cvtColor(share, cv2.COLOR_GRAY2RGB), first)
    for doubling in range(doublings):
        swept = cv2.addWeighted(swept, 0.5, _moved(swept, moved, grid, -step * 2**doubling), 0.5, 0.0)
    return swept


def _moved(picture: Linear, moved: flow.Flow, grid: flow.Flow, time: float) -> Linear:
    """Return a picture as seen from `time` along its own motion."""
    return cv2.remap(picture, cv2.scaleAdd(moved, time, grid), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
