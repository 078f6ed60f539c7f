"""The lattice of lit sub-pixels of a display: where each colour shines within a cell of the pattern.

A cell is one display pixel, or 2x2 of them where red and blue take turns. Shapes and sizes follow published
micrographs of the five families; a lattice is returned with mean 1 per colour, so that dark gaps cost no brightness.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

CELL = 128  # steps of the phase across a cell, a power of two
WHITE = 0.45  # share of a grey that the white sub-pixel of RGBW takes over

Lattice = NDArray[np.float64]  # 3 x CELL x CELL


LAYOUTS = {"stripe": 1, "bgr": 1, "pentile": 2, "diamond": 2, "rgbw": 1}  # display pixels across a cell


@functools.lru_cache(maxsize=16)
def lattice(name: str, fill: float) -> Lattice:
    """Return the light of a white screen, red, green and blue by row and column of the phase; the mean of each is 1.

    Args:
        name: a key of `LAYOUTS`.
        fill: share of the panel that shines, 0.3 to 0.95.
    """
    shining = {"stripe": _stripe, "bgr": _bgr, "pentile": _pentile, "diamond": _diamond, "rgbw": _rgbw}[name](math.sqrt(fill))
    shining /= shining.mean((1, 2), keepdims=True)
    shining.setflags(write=False)
    return shining


def _offsets(centre: float, period: int) -> NDArray[np.float64]:
    """Return the distance from a centre to each step of the phase, in display pixels, around the cell."""
    away = (np.arange(CELL) + 0.5) / CELL * period - centre
    return np.asarray(np.abs(away - period * np.round(away / period)))


def _covered(inside: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Return how much of a step lies within a shape, from the distance to its edge."""
    return np.asarray(np.clip(inside * CELL / period + 0.5, 0.0, 1.0))


def _box(x: float, y: float, width: float, height: float, period: int) -> NDArray[np.float64]:
    across, down = _covered(width / 2 - _offsets(x, period), period), _covered(height / 2 - _offsets(y, period), period)
    return down[:, None] * across


def _rhombus(x: float, y: float, reach: float, period: int) -> NDArray[np.float64]:
    away = _offsets(y, period)[:, None] + _offsets(x, period)
    return _covered((reach - away) / math.sqrt(2), period)


def _stripe(side: float) -> Lattice:
    return np.stack([_box((place + 0.5) / 3, 0.5, side / 3, side, 1) for place in range(3)])


def _bgr(side: float) -> Lattice:
    return _stripe(side)[::-1].copy()


def _rgbw(side: float) -> Lattice:
    stripes = [_box((place + 0.5) / 4, 0.5, side / 4, side, 1) for place in range(4)]
    return np.stack([(1 - WHITE) * own + WHITE * stripes[3] for own in stripes[:3]])


def _pentile(side: float) -> Lattice:
    """Every pixel has a narrow green and a wide red or blue, in turns."""
    cell = np.zeros((3, CELL, CELL))
    for row in range(2):
        for column in range(2):
            cell[0 if row == column else 2] += _box(column + 0.3, row + 0.5, 0.55 * side, side, 2)
            cell[1] += _box(column + 0.79, row + 0.5, 0.36 * side, side, 2)
    return cell


def _diamond(side: float) -> Lattice:
    """Small greens on a square lattice, larger reds and blues between them as on a chessboard."""
    cell = np.zeros((3, CELL, CELL))
    for row in range(2):
        for column in range(2):
            cell[0 if row == column else 2] += _rhombus(column + 0.5, row + 0.5, 0.5 * side, 2)
            cell[1] += _rhombus(column, row, 0.38 * side, 2)
    return cell
