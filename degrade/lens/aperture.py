"""The iris and the dirt on the front glass: the pupil whose diffraction pattern a light wears.

    U(x, y) = A exp(i phi),    A = blades x dust,    phi = grease + wiping strokes

Straight blades give spikes, dust and grease the fibres between them, strokes of a cloth a streak at right angles to them
(Fraunhofer: the power spectrum of the pupil; for flares e.g. Hullin et al., SIGGRAPH 2011). We depart from a regular polygon:
real blades sit a little off, so no two spikes are alike.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields
from degrade.contract import Map
from degrade.stream import field_rng

RADIUS_PX = 72  # of the pupil on its grid: half of it would lose the finest fibres
SIDE_PX = 2 * RADIUS_PX + 16
BLADE_SLIP = 0.015  # by how much of the radius a blade sits off, one sigma
SPECKS = 60  # at a dust of 1
BOW = 0.15  # curvature of a wiping stroke over the radius


class Aperture(NamedTuple):
    """An iris behind a front element."""

    blades: int  # 5-9
    roundness: float  # 0 straight blades, 1 a circle
    rotation_deg: float
    dust: float  # 0..1, specks and hairs that cover the glass
    grease: float  # radians of phase, one sigma
    strokes: float  # radians of phase, one sigma, of wiping strokes
    stroke_deg: float  # their direction
    seed: int


@functools.cache
def _grid(side: int) -> tuple[Map, Map, Map]:
    """Return x, y and radius of a square grid, in radii of the pupil."""
    half = (np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)) / np.float32(RADIUS_PX * side / SIDE_PX)
    x, y = np.meshgrid(half, half)
    return x, y, np.hypot(x, y).astype(np.float32)


def reach(aperture: Aperture, side: int) -> Map:
    """Return how far out each point of a grid lies, side x side: 1 on the edge of the iris, less inside.

    Args:
        aperture: the iris.
        side: px; the iris fills 12/13 of it.
    """
    x, y, radius = _grid(side)
    slips = field_rng(aperture.seed).standard_normal(aperture.blades) * BLADE_SLIP * (1 - aperture.roundness)
    furthest: Map = np.zeros_like(x)
    for blade, slip in enumerate(slips.tolist()):
        angle = math.radians(aperture.rotation_deg) + 2 * math.pi * blade / aperture.blades
        inner = math.cos(math.pi / aperture.blades) * (1 + slip)  # distance of the blade from the axis
        furthest = cv2.max(furthest, cv2.addWeighted(x, math.cos(angle) / inner, y, math.sin(angle) / inner, 0.0))
    return np.asarray(cv2.addWeighted(furthest, 1 - aperture.roundness, radius, aperture.roundness, 0.0))


def pupil(aperture: Aperture) -> NDArray[np.float32]:
    """Return the complex amplitude behind the iris, SIDE_PX x SIDE_PX x 2 (real, imaginary)."""
    x, y, _ = _grid(SIDE_PX)
    inside = np.clip((1 - reach(aperture, SIDE_PX)) * np.float32(RADIUS_PX) + np.float32(0.5), 0, 1)
    passed = inside * _dust(aperture)
    angle = math.radians(aperture.stroke_deg)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    profile = _strokes(aperture.seed + 1)
    column = (across + np.float32(BOW) * along * along + np.float32(1.5)) * np.float32(RADIUS_PX)
    strokes = cv2.remap(profile, column.astype(np.float32), np.zeros_like(column, np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    phase = np.float32(aperture.strokes) * strokes
    phase += np.float32(aperture.grease) * fields.fractal(aperture.seed + 2, SIDE_PX, SIDE_PX, RADIUS_PX / 3, octaves=5, persistence=0.6)
    real, imaginary = cv2.polarToCart(passed.astype(np.float32), phase.astype(np.float32))
    return np.asarray(cv2.merge([real, imaginary]), np.float32)


def _strokes(seed: int) -> Map:
    """Return the depth of strokes across their direction, 1 x 2 SIDE_PX: as much in fine ones as in coarse ones."""
    white = fields.gaussian(seed, 3, 2 * SIDE_PX)
    octaves = [cv2.GaussianBlur(row[None], (0, 0), sigma) * np.float32(1.9 * sigma**0.5) for row, sigma in zip(white, (0.6, 1.5, 4.0), strict=True)]
    return np.asarray(sum(octaves), np.float32) * np.float32(3**-0.5)


def _dust(aperture: Aperture) -> Map:
    """Return what specks and hairs let pass, SIDE_PX x SIDE_PX in 0..1."""
    rng = field_rng(aperture.seed + 3)
    clear = np.ones((SIDE_PX, SIDE_PX), np.float32)
    count = round(SPECKS * aperture.dust)
    places = rng.random((count, 2)) * SIDE_PX
    sizes = np.minimum(1.2 * (1 - rng.random(count)) ** -0.6, 9.0)  # many small, few large
    for (column, row), size in zip(places.tolist(), sizes.tolist(), strict=True):
        cv2.circle(clear, (int(column), int(row)), round(size), 0.0, -1)
    for start, turn in zip(rng.random((count // 8, 2)) * SIDE_PX, rng.random(count // 8).tolist(), strict=True):
        end = start + 40 * np.array([math.cos(math.tau * turn), math.sin(math.tau * turn)])
        cv2.line(clear, tuple(start.astype(int).tolist()), tuple(end.astype(int).tolist()), 0.2, 1)
    return clear
