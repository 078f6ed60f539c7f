"""Point spread functions of apertures: the picture of a point that is out of focus.

A full aperture leaves a disc, a stopped-down one the polygon of its blades; kernels are drawn large and reduced by area,
so that their size is continuous, and sum to 1.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map

OVERSAMPLING = 8
LEAST_SIDE = 3


def disc_for(length_px: float) -> float:
    """Return the diameter of the disc with the spread of a straight even streak: sqrt(8 / 12) of its length."""
    return length_px * math.sqrt(8.0 / 12.0)


def aperture(diameter_px: float, blades: int, roundness: float, turn_deg: float) -> Map:
    """Return the kernel of an aperture, kxk float32, k odd, sum 1; its area is that of a disc of the diameter.

    Args:
        diameter_px: of the disc; below a pixel the kernel is nearly a single one.
        blades: corners of the polygon; 0 is a disc.
        roundness: 0 straight blades, 1 blades as curved as the disc.
        turn_deg: rotation of the polygon.
    """
    side = max(2 * math.ceil(diameter_px * 0.6 + 0.5) + 1, LEAST_SIDE)
    across = (np.arange(side * OVERSAMPLING) + 0.5) / OVERSAMPLING - side / 2
    x, y = np.meshgrid(across, across)
    radius = np.hypot(x, y)
    edge = 0.5 * diameter_px * _outline(np.arctan2(y, x) - math.radians(turn_deg), blades, roundness)
    fine = (radius <= np.maximum(edge, 0.5 / OVERSAMPLING)).astype(np.float32)
    psf = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
    lit = np.flatnonzero(psf.max(0) + psf.max(1) > 0)
    trim = min(int(lit[0]), side - 1 - int(lit[-1])) if side > LEAST_SIDE else 0
    psf = psf[trim : side - trim, trim : side - trim]
    return psf / np.float32(psf.sum(dtype=np.float64))


def _outline(angle: NDArray[np.float64], blades: int, roundness: float) -> NDArray[np.float64]:
    """Return how far the rim is from the centre, by angle, relative to a disc of the same area."""
    if not blades:
        return np.ones_like(angle)

    def rim(at: NDArray[np.float64]) -> NDArray[np.float64]:
        sector = 2 * math.pi / blades
        straight = math.cos(sector / 2) / np.cos(np.mod(at, sector) - sector / 2)
        return np.asarray(roundness + (1 - roundness) * straight)

    around = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    return np.asarray(rim(angle) / math.sqrt(float((rim(around) ** 2).mean())))
