"""The waves of a crop, read off the thumbnail of the whole photo: cosines that fit into the crop, not into the photo.

    c_uv = sum_y sum_x A_u(y) t(y, x) B_v(x),   A_u(y) = integral over cell y of cos(pi u (y - top) / (bottom - top)) dy

A frame is given by what it leaves out on either side, in STEPS of the side. The integrals are rounded to whole numbers,
and thumbnails are whole numbers: every sum is exact in float64, so that no BLAS, batch or number of threads can turn a
bit of a hash that follows from a sign.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from filters.near.thumbnails import SIDE, Thumbnails

STEPS = 128  # of a side
MOST = 12  # steps that a frame leaves out on one side: 9 %
WAVES = 16  # per axis: up to 8 cycles
_ROUND = 1 << 14
Waves = NDArray[np.float64]


@functools.cache
def frames() -> Waves:
    """Return the rows A_u of every frame of one axis, (MOST + 1)^2 x WAVES x SIDE; see `frame` for their order."""
    return np.stack([_rows(low, high) for low in range(MOST + 1) for high in range(MOST + 1)])


def frame(low: int, high: int) -> int:
    """Return the number of the frame that leaves out so many steps at the low and at the high end of an axis."""
    return low * (MOST + 1) + high


def whole(thumbnails: Thumbnails) -> Waves:
    """Return the waves of whole photos, NxWAVESxWAVES: rows vertical, columns horizontal frequency, in half cycles."""
    rows = frames()[frame(0, 0)]
    return rows @ thumbnails.astype(np.float64) @ rows.T


def unit() -> float:
    """Return the size of a wave whose amplitude is one 8-bit level (half the square root of the sum of its squares)."""
    return float(_ROUND) ** 2 / 2


def _rows(low: int, high: int) -> Waves:
    edges = np.linspace(0.0, 1.0, SIDE + 1)
    begin, end = low / STEPS, 1 - high / STEPS
    inside = (np.clip(edges, begin, end) - begin) / (end - begin)
    order = np.arange(WAVES)[:, None]
    integrals = np.where(order == 0, inside, np.sin(np.pi * order * inside) / (np.pi * np.maximum(order, 1)))
    return np.rint(np.diff(integrals, axis=1) * _ROUND)
