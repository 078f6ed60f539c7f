"""Paired crop, mirror and quarter turns: drawn once per pair, applied alike to both sides and to every layer.

All three move pixels and change none, so that the degradation stays what it was made to be. Quarter turns are off by
default: rain falls, haze lies on the ground and light comes from above; a network for photos that stand upright need
not learn otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.errors import RecipeError
from manifests.buckets import Buckets
from manifests.windows import Window

_TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class Placement(NamedTuple):
    """What was drawn for a pair: applied in this order."""

    window: Window  # px of the stored picture
    mirrored: bool  # left and right change places
    turns: int  # quarter turns, counter-clockwise: 0..3


@dataclass(frozen=True, slots=True)
class Augment:
    """What may vary.

    Args:
        crop: what comes out, in px: a side, a (height, width), or buckets of sizes. None: whole pictures.
        flip: mirror half of the pairs.
        rotate: turn pairs by 0, 90, 180 or 270 degrees, so far as the crop fits when turned.
        centred: the crop is the middle instead of a random place; for evaluation.
    """

    crop: int | tuple[int, int] | Buckets | None = None
    flip: bool = False
    rotate: bool = False
    centred: bool = False

    def __post_init__(self) -> None:
        sides = [self.crop] if isinstance(self.crop, int) else self.crop if isinstance(self.crop, tuple) else []
        if any(side < 1 for side in sides):
            raise RecipeError(f"a crop is at least 1 px: {self.crop}")

    @property
    def buckets(self) -> Buckets:
        """The sizes that come out."""
        if isinstance(self.crop, Buckets):
            return self.crop
        if self.crop is None:
            return Buckets(multiple=1)
        return Buckets(((self.crop, self.crop),) if isinstance(self.crop, int) else (self.crop,))

    def sample(self, rng: np.random.Generator, stored: tuple[int, int], wanted: tuple[int, int]) -> Placement:
        """Draw where a pair is cut, and how it is turned.

        Args:
            rng: the pair's generator in this epoch; four numbers are drawn, whatever the options.
            stored: height and width of the stored pictures, in px.
            wanted: height and width that come out, in px; at most those stored.
        """
        down, along, mirror, turn = rng.random(4)
        turns = int(turn * 4) if self.rotate else 0
        height, width = wanted[::-1] if turns % 2 else wanted
        if height > stored[0] or width > stored[1]:  # turned by a quarter it does not fit
            turns, (height, width) = turns - 1, wanted
        if self.centred:
            down = along = 0.5
        window = Window(_place(down, stored[0] - height), _place(along, stored[1] - width), height, width)
        return Placement(window, bool(self.flip and mirror < 0.5), turns)


def _place(position: float, room: int) -> int:
    """Return a whole number from 0 to `room`, all alike."""
    return min(int(position * (room + 1)), room)


def turned(pixels: NDArray[Any], placement: Placement) -> NDArray[Any]:
    """Return what was cut out by the placement's window as it is mirrored and turned.

    Args:
        pixels: HxW or HxWxC, uint8 or uint16: the window already.
        placement: of the pair.
    """
    if placement.mirrored:
        pixels = cv2.flip(pixels, 1)
    if placement.turns:
        pixels = cv2.rotate(pixels, _TURNS[placement.turns])
    return pixels
