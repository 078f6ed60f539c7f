"""Drawing thousands of soft marks at once: points of light are added to a pyramid, and its levels are added up.

A mark is a row of points, each shared out between the four pixels around it, so that its sum and its middle are exact at
any sub-pixel place. A wide mark goes to a level of the pyramid on which it is a pixel or two wide, where it costs a fraction
and enlargement makes it soft; a thin one to the picture itself. Marks are taken some thousands at once: the points of a batch are
added by four calls (numpy.add.at) while they are still in the cache. The picture is a torus: what leaves on one side enters on the
other, and the mean is the same everywhere up to the edges.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map
from degrade.drops.flight import Streaks

THIN_PX = 2.4  # up to it a mark is drawn as it is: a point shared by pixels is two pixels wide at its foot
LEVELS = 6
SWING = 0.4  # of a mark's brightness about its mean
BATCH = 4096  # marks that are drawn at once: their points, and the rows on which they lie, fit a level-two cache
FEWEST = 3  # points of a short mark; a long one has one for every pixel of its level
Index = NDArray[np.int64]


def cover(streaks: Streaks, distance_m: Map, height: int, width: int) -> Map:
    """Return how much of each pixel marks cover, HxW float32, 0 and more.

    Args:
        streaks: what is to be drawn.
        distance_m: hxw of the scene, any size: a mark behind a thing is hidden by it.
        height: of the picture.
        width: of the picture.
    """
    top = max(min(LEVELS, int(math.log2(min(height, width) / 16))), 0)
    level = np.clip(np.ceil(np.log2(np.maximum(streaks.width, 0.1) / np.float32(THIN_PX))), 0, top).astype(np.int32)
    total: Map | None = None
    for at in range(top, -1, -1):
        chosen = np.flatnonzero(level == at)
        if total is None and not chosen.size and at:
            continue
        size = (-(-height // 2**at), -(-width // 2**at))
        total = np.zeros(size, np.float32) if total is None else _doubled(total, size)
        for batch in (chosen[begin : begin + BATCH] for begin in range(0, chosen.size, BATCH)):
            _add(total, Streaks(*(values[batch] for values in streaks)), 2**at, distance_m, (height, width))
    return np.zeros((height, width), np.float32) if total is None else total


def _doubled(small: Map, size: tuple[int, int]) -> Map:
    """Return a level at the next one's (height, width); registration is exact: a pixel covers two by two."""
    large = cv2.resize(small, (2 * small.shape[1], 2 * small.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large[: size[0], : size[1]])


def _add(level: Map, marks: Streaks, step: int, distance_m: Map, shape: tuple[int, int]) -> None:
    """Add marks to a level of which a pixel is `step` px."""
    px = np.float32(step)
    count = np.maximum(np.hypot(marks.across, marks.down) / px, np.float32(FEWEST)).astype(np.int64)
    owner = np.repeat(np.arange(count.size), count)
    share = (np.float32(1) / count).astype(np.float32)
    middle = (np.cumsum(count) - (count + 1) / 2).astype(np.float32)
    point = np.arange(owner.size, dtype=np.float32) - middle[owner]  # its place among its mark's, from their middle
    x = (marks.x / px)[owner] + point * (marks.across * share / px)[owner]
    y = (marks.y / px)[owner] + point * (marks.down * share / px)[owner]
    light = _swing(marks.phase[owner] + point * (marks.waves * share)[owner])
    light *= (marks.area * share / (px * px))[owner]
    behind = np.flatnonzero((marks.distance_m >= distance_m.min())[owner])  # something: most drops are nearer than all that is seen
    there = _there(distance_m, x[behind] * px / np.float32(shape[1]), y[behind] * px / np.float32(shape[0]))
    light[behind] *= marks.distance_m[owner[behind]] < there
    _share_out(level, x, y, light)


def _swing(periods: Map) -> Map:
    """Return the relative brightness along a mark: a triangle wave, a cosine's cheap cousin, of mean 1."""
    wave = np.abs(periods - np.floor(periods) - np.float32(0.5))
    return np.float32(1 - SWING) + np.float32(4 * SWING) * wave


def _there(values: Map, x: Map, y: Map) -> Map:
    """Return the nearest values of a map at places of which one period is 0..1."""
    rows, columns = values.shape
    row = ((y - np.floor(y)) * np.float32(rows)).astype(np.int64)
    column = ((x - np.floor(x)) * np.float32(columns)).astype(np.int64)
    return values.ravel()[np.minimum(row, rows - 1) * columns + np.minimum(column, columns - 1)]


def _share_out(level: Map, x: Map, y: Map, light: Map) -> None:
    """Add points, at places in pixel edges' units, to the four pixels around each."""
    height, width = level.shape
    left, right, east = _between(x, width)
    above, below, south = _between(y, height)
    above *= width
    below *= width
    lower = light * south
    upper = light - lower
    flat = level.reshape(-1)
    for row, part in ((above, upper), (below, lower)):
        beside = part * east
        np.add.at(flat, row + left, part - beside)
        np.add.at(flat, row + right, beside)


def _between(place: Map, period: int) -> tuple[Index, Index, Map]:
    """Return the two pixels that a place lies between, on a torus, and how near it is to the second."""
    place = place - np.float32(0.5)
    floor = np.floor(place)
    first = floor.astype(np.int64)
    outside = np.flatnonzero((floor < 0) | (floor >= period))  # few: a remainder costs as much as the rest
    first[outside] %= period
    second = first + 1
    second[second == period] = 0
    return first, second, place - floor
