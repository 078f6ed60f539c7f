"""A thing that moved while the photo was taken: it is blurred, its surroundings are not, and it lets them through at its ends.

    B = mean(a_t O_t) + (1 - mean(a_t)) G

in linear light: O the thing, a its soft matte, both moved to where they are at time t of the exposure; G the ground, grown behind
the thing. Pasting a blurred cut-out over a sharp photo leaves the sharp thing showing; here it is gone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import strips
from degrade.contract import Linear, Map
from degrade.motion import fill, fine, things

FILL_STEP = 4  # what lies behind is found at a quarter of the size
MARGIN_PX = 3
SEEN = 0.02  # matte below which there is nothing


class Mover(NamedTuple):
    """One thing and its way."""

    pick: float  # 0..1: which of the things that could move
    heading_deg: float  # 0 to the right, 90 down
    bend: float  # of the way: its height over its length
    feather_px: float  # softness of the outline


def way(mover: Mover, length_px: float) -> NDArray[np.float64]:
    """Return where the thing is at equal times, nx2 px: steps of at most a pixel, mean zero, spread of a straight even streak."""
    count = max(math.ceil(length_px) + 1, 3)
    along = np.linspace(-0.5, 0.5, count)
    points = np.stack([along, mover.bend * (4 * along**2 - 1)], 1)
    points -= points.mean(0)
    points *= length_px / math.sqrt(12.0) / math.sqrt(float((points**2).sum(1).mean()))
    heading = math.radians(mover.heading_deg)
    turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]])
    return np.asarray(points @ turn)


def matte(light: Linear, mover: Mover, segments: NDArray[np.int32], inverse: Map) -> Map:
    """Return the soft matte of the thing that moves, HxW in [0, 1]."""
    size = (segments.shape[1], segments.shape[0])
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    depth = cv2.resize(inverse, size, interpolation=cv2.INTER_LINEAR)
    mask = things.thing(small, segments, depth, mover.pick).astype(np.float32)
    sharp = fine.on_edges(mask, light)
    side = 2 * max(round(2 * mover.feather_px), 1) + 1
    soft = cv2.GaussianBlur(sharp, (side, side), mover.feather_px)
    return np.asarray(np.clip(soft * np.float32(1.1) - np.float32(0.05), 0, 1))  # what is all but there, or not there, is so


def render(light: Linear, mover: Mover, length_px: float, segments: NDArray[np.int32], inverse: Map) -> Linear:
    """Return the photo with one thing moving.

    Args:
        light: HxWx3 linear light with its highlights; left untouched.
        mover: the thing and its way.
        length_px: blur length of the thing, px of this picture.
        segments: hxw labels of the same view.
        inverse: inverse depth, 1 nearest.
    """
    soft = matte(light, mover, segments, inverse)
    made = light.copy()
    if not (soft > SEEN).any():
        return made
    points = way(mover, length_px)
    rows, columns = _box(soft, math.ceil(float(np.abs(points).max())) + MARGIN_PX)
    colour, cover = light[rows, columns], soft[rows, columns]
    layered = np.dstack([colour * cover[..., None], cover])
    seen = np.zeros_like(layered)
    size = (cover.shape[1], cover.shape[0])
    for x, y in points:
        shift = np.array([[1, 0, x], [0, 1, y]])
        cv2.scaleAdd(cv2.warpAffine(layered, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), 1 / len(points), seen, seen)
    ground = _ground(colour, cover)
    made[rows, columns] = seen[..., :3] + (1 - seen[..., 3:]) * ground
    return made


def _box(soft: Map, reach_px: int) -> tuple[slice, slice]:
    """Return the rows and columns that the thing may touch."""
    rows, columns = np.flatnonzero(soft.max(1) > SEEN), np.flatnonzero(soft.max(0) > SEEN)
    return (
        slice(max(int(rows[0]) - reach_px, 0), min(int(rows[-1]) + 1 + reach_px, soft.shape[0])),
        slice(max(int(columns[0]) - reach_px, 0), min(int(columns[-1]) + 1 + reach_px, soft.shape[1])),
    )


def _ground(colour: Linear, cover: Map) -> Linear:
    """Return what is behind the thing, within its box."""
    height, width = cover.shape
    step = max(min(FILL_STEP, min(height, width) // 4), 1)
    small = strips.reduced(np.ascontiguousarray(colour), step)
    known = 1 - cv2.dilate(strips.reduced(np.ascontiguousarray(cover), step), np.ones((3, 3), np.uint8))
    grown = fill.filled(small, np.clip(known, 1e-4, 1).astype(np.float32))
    behind = strips.enlarged(grown, step, slice(0, height), width)
    return np.asarray(colour + np.minimum(cover * np.float32(2), 1)[..., None] * (behind - colour), np.float32)
