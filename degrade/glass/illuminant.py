"""Two lights, one white balance: what is mirrored stands in another light than what is seen through the glass.

A camera balances for the scene behind the glass; the mirrored scene, a photo that was balanced for its own light, keeps
the difference of both. In linear light, before white balance,

    mirrored' = C^-1 diag(there / here) C mirrored

with C the matrix to the camera's colours and the ratio that of two black bodies in its red, green and blue.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from degrade import develop
from degrade.air.airlight import LUMINANCE

SECOND_RADIATION = 0.014388  # m K, of Planck's law
WAVELENGTHS_M = (600e-9, 540e-9, 460e-9)  # where a camera's colours are most sensitive


@functools.cache
def _camera() -> tuple[develop.Matrix, develop.Matrix]:
    """Return the matrix to the colours of an average camera, and back."""
    to_camera = develop.to_camera(develop.Look((1.0, 1.0, 1.0, 1.0), 1.0, 1.0, 1.0))
    return to_camera, np.asarray(np.linalg.inv(to_camera), np.float64)


def cast(here_k: float, there_k: float) -> develop.Matrix:
    """Return the 3x3 matrix, on linear sRGB, that shows a scene lit at `there_k` kelvin to a camera balanced for `here_k`."""
    ratios = [math.exp(SECOND_RADIATION / wavelength * (1.0 / here_k - 1.0 / there_k)) for wavelength in WAVELENGTHS_M]
    there, back = _camera()
    return np.asarray(back @ np.diag([ratio / ratios[1] for ratio in ratios]) @ there)


def muted(colour: float) -> develop.Matrix:
    """Return the 3x3 matrix, on linear sRGB, that leaves a share of all colourfulness and luminance as it is."""
    return np.asarray(colour * np.eye(3) + (1.0 - colour) * LUMINANCE)
