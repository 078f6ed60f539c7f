"""One picture swept along its own motion: what a sensor sees of it while everything goes on as it goes now.

The mean of 3^n places along the way, each at most `STEP_PX` from the next, comes from n means of three: the picture as it is, moved
on, and moved back, three times as far at each turn, as in fast line integral convolution. Tiles that hardly move at a turn
take no part in it. Pictures have a fourth, empty channel: OpenCV moves four in two thirds of the time that it takes for three.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.motion import flow

STEP_PX = 1.5  # of the fastest thing: repeats of an edge at that distance are finer than pixels show
UNMOVED_PX = 0.3  # a shorter way changes nothing
TILE_PX = 128
SPARSE = 4  # px: motion hardly changes within

Light = NDArray[np.float32]  # HxWx4 linear light; the last channel means nothing
Place = tuple[slice, slice]


class _Tile(NamedTuple):
    """A part of a picture, and how fast its things are."""

    place: Place
    speed_px: float  # of the fastest
    steady_px: float  # that one point in twenty exceeds: beyond it motion is often mistaken


def _tile(velocity: flow.Flow, place: Place) -> _Tile:
    few = np.sort(flow.speeds(velocity[place][::SPARSE, ::SPARSE]), axis=None)
    return _Tile(place, float(few[-1]), float(few[int(0.95 * len(few))]))


def widened(light: NDArray[np.float32]) -> Light:
    """Return HxWx3 light with a fourth channel."""
    return cv2.cvtColor(light, cv2.COLOR_RGB2RGBA)


def tiles(shape: tuple[int, ...]) -> Iterator[Place]:
    """Yield rows and columns of the tiles of a picture."""
    height, width = shape[:2]
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            yield slice(top, min(top + TILE_PX, height)), slice(left, min(left + TILE_PX, width))


class Sweeper:
    """Sweeps pictures of one size in memory that it keeps: to ask the system for more would cost as much as the work."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Take the (H, W, ...) of the pictures."""
        height, width = shape[:2]
        self._grid = flow.grid(shape)
        self._made = [np.empty((height, width, 4), np.float32) for _ in range(2)]
        side = min(height, TILE_PX), min(width, TILE_PX)
        self._way = np.empty((*side, 2), np.float32)
        self._there = [np.empty((*side, 4), np.float32) for _ in range(2)]

    def moved(self, picture: Light, velocity: flow.Flow, time: float) -> Light:
        """Return a picture as it is after a time, everything going on as it goes there.

        Args:
            picture: HxWx4; left untouched.
            velocity: HxWx2, px per unit of time.
            time: may be negative.
        """
        made = np.empty_like(picture)
        self._move(picture, velocity, time, made)
        return made

    def swept(self, picture: Light, velocity: flow.Flow, begin: float, end: float) -> Light:
        """Return the mean of what a picture shows between two times, everything going on as it goes there.

        Args:
            picture: HxWx4; left untouched, and returned itself where nothing moves. What is returned holds until the next call.
            velocity: HxWx2, px per unit of time.
            begin: 0 is when the picture is as it is; may be negative.
            end: later than `begin`.
        """
        moving = [_tile(velocity, place) for place in tiles(velocity.shape)]
        fastest = max(tile.steady_px for tile in moving)
        middle, length = (begin + end) / 2, end - begin
        target, spare = self._made
        if fastest * abs(middle) > UNMOVED_PX:
            self._move(picture, velocity, middle, target)
            picture, target, spare = target, spare, target
        turns = max(math.ceil(math.log(max(length * fastest / STEP_PX, 1.0), 3)), 0)
        for turn in range(turns):
            self._threefold(picture, velocity, length / 3 ** (turns - turn), moving, target)
            picture, target, spare = target, spare, target
        return picture

    def _move(self, picture: Light, velocity: flow.Flow, time: float, to: Light) -> None:
        for place in tiles(picture.shape):
            self._see(picture, velocity, place, -time, to[place])

    def _threefold(self, picture: Light, velocity: flow.Flow, time: float, moving: list[_Tile], to: Light) -> None:
        """Write the mean of a picture, and of it a time before and a time after."""
        for place, speed_px, _ in moving:
            here = to[place]
            if speed_px * time < UNMOVED_PX:
                here[:] = picture[place]
                continue
            before, after = (part[: here.shape[0], : here.shape[1]] for part in self._there)
            self._see(picture, velocity, place, time, before)
            self._see(picture, velocity, place, -time, after)
            cv2.addWeighted(before, 1 / 3, after, 1 / 3, 0.0, before)
            cv2.scaleAdd(picture[place], 1 / 3, before, here)

    def _see(self, picture: Light, velocity: flow.Flow, place: Place, time: float, to: Light) -> None:
        """Write what a tile sees of a picture from a time along its way."""
        way = cv2.scaleAdd(velocity[place], time, self._grid[place], self._way[: to.shape[0], : to.shape[1]])
        cv2.remap(picture, way, None, cv2.INTER_LINEAR, to, cv2.BORDER_REFLECT_101)
