"""Shift, scale and rotation in one: where what a degraded photo shows at x stands in its clean side.

    S(x) = c + scale R(rotation) (x - c) + shift,    c the centre of the photo

Written as complex numbers, z x + t, two of them compose and invert in a line.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Similarity(NamedTuple):
    """A map from places in one photo to places in another of the same size, about their common centre."""

    shift_x_px: float = 0.0  # to the right
    shift_y_px: float = 0.0  # down
    scale: float = 1.0  # > 0
    rotation_deg: float = 0.0  # clockwise, as one looks at it

    @property
    def shift_px(self) -> float:
        """The length of the shift of the centre."""
        return math.hypot(self.shift_x_px, self.shift_y_px)

    def matrix(self, width: int, height: int) -> NDArray[np.float64]:
        """Return the 2x3 matrix that OpenCV's warps take, for places counted from the middle of the first pixel."""
        turn = self._turn
        centre = complex(width - 1, height - 1) / 2
        moved = centre - turn * centre + complex(self.shift_x_px, self.shift_y_px)
        return np.array([[turn.real, -turn.imag, moved.real], [turn.imag, turn.real, moved.imag]])

    def inverse(self) -> Similarity:
        """Return the map back."""
        turn = 1 / self._turn
        return similarity(turn, -turn * complex(self.shift_x_px, self.shift_y_px))

    def after(self, first: Similarity) -> Similarity:
        """Return the map that takes `first`, and this one then."""
        shift = self._turn * complex(first.shift_x_px, first.shift_y_px) + complex(self.shift_x_px, self.shift_y_px)
        return similarity(self._turn * first._turn, shift)

    def resized(self, factor: float) -> Similarity:
        """Return the same map between photos that are `factor` times as large."""
        return self._replace(shift_x_px=self.shift_x_px * factor, shift_y_px=self.shift_y_px * factor)

    def reach_px(self, width: int, height: int) -> float:
        """Return how far the corner that moves most is moved, px."""
        corners = [complex(across * width, down * height) / 2 for across in (-1, 1) for down in (-1, 1)]
        return max(abs((self._turn - 1) * corner + complex(self.shift_x_px, self.shift_y_px)) for corner in corners)

    @property
    def _turn(self) -> complex:
        return cmath.rect(self.scale, math.radians(self.rotation_deg))


def similarity(turn: complex, shift: complex) -> Similarity:
    """Return the map x -> turn x + shift of complex numbers, about the centre."""
    return Similarity(shift.real, shift.imag, abs(turn), math.degrees(cmath.phase(turn)))
