"""An editor's resize undone: editors answer in sizes of their own, stretched, padded or cut, and do not say which.

Each way is undone in turn, and the one whose result matches the degraded photo best is what the editor did.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters.registration.match import match

How = Literal["same", "stretch", "pad", "crop"]
ALIKE_PX = 0.5  # by which aspects may differ, over a side, for all ways to be one


class Unresized(NamedTuple):
    """Both sides at one size, that of the degraded photo or of its part that the clean side shows."""

    clean: Srgb
    degraded: Srgb
    how: How  # stretch: by other factors across and down; pad: bars or new content around; crop: the middle only


def unresize(clean: Srgb, degraded: Srgb) -> Unresized:
    """Return an editor's output at the size of the photo that it was given.

    Args:
        clean: the editor's output, HxWx3 uint8 sRGB of any size.
        degraded: what it was given, HxWx3 uint8 sRGB.

    Raises:
        BadSample: the output shows the photo in none of these ways.
    """
    (tall, wide), (height, width) = clean.shape[:2], degraded.shape[:2]
    if (tall, wide) == (height, width):
        return Unresized(clean, degraded, "same")
    if abs(wide / width - tall / height) * min(width / wide, height / tall) * max(width, height) <= ALIKE_PX:
        return Unresized(_brought(clean, width, height), degraded, "stretch")
    ways = [Unresized(_brought(clean, width, height), degraded, "stretch"), _padded(clean, degraded), _cut(clean, degraded)]
    best = max(ways, key=_likeness)
    if _likeness(best) == 0.0:
        raise BadSample(Reason.BELOW_LIMIT, f"{wide}x{tall} shows nothing of {width}x{height} where stretching, padding or cutting would have put it")
    return best


def _padded(clean: Srgb, degraded: Srgb) -> Unresized:
    """Undo bars: the photo is the largest middle part of the output that has its aspect."""
    height, width = degraded.shape[:2]
    return Unresized(_brought(_middle(clean, width, height), width, height), degraded, "pad")


def _cut(clean: Srgb, degraded: Srgb) -> Unresized:
    """Undo a cut: the output is the largest middle part of the photo that has its aspect."""
    tall, wide = clean.shape[:2]
    part = _middle(degraded, wide, tall)
    return Unresized(_brought(clean, part.shape[1], part.shape[0]), part, "crop")


def _middle(photo: Srgb, width: int, height: int) -> Srgb:
    """Return the largest middle part that has the aspect of width x height."""
    tall, wide = photo.shape[:2]
    factor = min(wide / width, tall / height)
    across, down = min(round(width * factor), wide), min(round(height * factor), tall)
    left, top = (wide - across) // 2, (tall - down) // 2
    return np.ascontiguousarray(photo[top : top + down, left : left + across])


def _brought(photo: Srgb, width: int, height: int) -> Srgb:
    kernel = cv2.INTER_AREA if width <= photo.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, (width, height), interpolation=kernel), np.uint8)


def _likeness(way: Unresized) -> float:
    found = match(way.clean, way.degraded)
    return 0.0 if found is None else found.matched * found.confidence / (1 + found.flow_px)
