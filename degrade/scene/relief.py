"""What a coarse grid remembers of a photo: where there is detail, and where there is distance.

The plan places crops without opening a photo. Eight by eight cells tell it which windows would show nothing but a wall,
and which windows of a landscape hold only the ground before one's feet.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Srgb

CELLS = 8
STEPS_PER_LEVEL = 16.0  # a stored unit of detail is 1/16 of an 8-bit level per px of the proxy
FAR_INVERSE = 0.22  # inverse depth below which a thing is far


class Relief(NamedTuple):
    """Two grids of CELLS x CELLS bytes, row by row."""

    detail: bytes  # mean gradient, in 1/16 levels per px, 255 at most
    far: bytes  # share of the cell that is far or sky, 0..255


def relief(proxy: Srgb, sky: Map, inverse: Map) -> Relief:
    """Return the grids of a photo.

    Args:
        proxy: hxwx3 uint8, the whole photo at low resolution.
        sky: hxw, 1 where sky.
        inverse: hxw relative inverse depth.
    """
    grey = cv2.cvtColor(proxy, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125))
    far = np.maximum(sky > 0.5, inverse < FAR_INVERSE).astype(np.float32)
    return Relief(_cells(slope * np.float32(STEPS_PER_LEVEL)), _cells(far * np.float32(255)))


def _cells(values: NDArray[np.float32]) -> bytes:
    means = cv2.resize(values, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(means), 0, 255).astype(np.uint8).tobytes()


def mean_in(grid: bytes, left: float, top: float, right: float, bottom: float) -> float:
    """Return the mean of the cells that a box touches.

    Args:
        grid: of `Relief`.
        left: of the box, in widths of the photo.
        top: in heights.
        right: in widths.
        bottom: in heights.
    """
    first, last = int(left * CELLS), min(int(right * CELLS - 1e-9), CELLS - 1)
    upper, lower = int(top * CELLS), min(int(bottom * CELLS - 1e-9), CELLS - 1)
    total = 0
    for row in range(upper, lower + 1):
        total += sum(grid[row * CELLS + first : row * CELLS + last + 1])
    return total / ((last - first + 1) * (lower - upper + 1))
