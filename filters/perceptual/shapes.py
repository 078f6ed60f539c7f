"""Two sides, brought to a network's size together, and stacked with whatever else has that size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

Sides = NDArray[np.uint8]  # 2xHxWx3 sRGB: clean, degraded


def resized(pixels: Srgb, size: tuple[int, int]) -> Srgb:
    """Return a picture at a size (width, height) in px: by area where it shrinks, so that nothing aliases; by cubic where it grows."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    shrinks = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def at_most(pixels: Srgb, longest_px: int | None) -> tuple[int, int]:
    """Return the size (width, height) of a picture, reduced until its longer side is at most so many px; None leaves it as it is."""
    height, width = pixels.shape[:2]
    scale = 1.0 if longest_px is None else min(1.0, longest_px / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def sides(clean: Srgb, degraded: Srgb, size: tuple[int, int]) -> Sides:
    """Return both sides of a pair at a size (width, height), stacked: 2xHxWx3 uint8."""
    return np.stack([resized(clean, size), resized(degraded, size)])


def by_shape(items: Sequence[Sides], most_px: int | None = None) -> Iterator[tuple[list[int], Sides]]:
    """Yield the places of items of one shape, and those items as one array, Nx2xHxWx3.

    Args:
        items: of any mix of shapes.
        most_px: how many pixels of one side go at once, one item at least; None: all of a shape.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(item.shape, []).append(place)
    for shape, group in places.items():
        count = len(group) if most_px is None else max(1, most_px // (shape[1] * shape[2]))
        for start in range(0, len(group), count):
            some = group[start : start + count]
            yield some, np.stack([items[place] for place in some])
