"""How much of the light a pane mirrors and how much it passes, by the angle at which it is hit.

Fresnel's equations for each polarisation at one surface, then two surfaces between which light bounces for ever:

    R_pane = 2 R / (1 + R),    T_pane = (1 - R) / (1 + R)

averaged over both polarisations: 8 % head-on, 100 % grazing. A second pane behind the first follows by the same sum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map

INDEX = 1.52  # of window glass
GRAZING = 0.03  # least cosine: a ray that misses the pane's plane is taken to graze it


class Glazing(NamedTuple):
    """What a second pane adds."""

    gap_mm: float  # between the panes
    wedge_mrad: float  # by how much the panes are not parallel: no window is flat to a milliradian
    wedge_deg: float  # direction in the picture in which they open


class Pane(NamedTuple):
    """The glass, and how the camera looks at it."""

    turn_deg: float  # between the line of sight and the pane's normal, sideways
    tilt_deg: float  # the same, up and down
    thickness_mm: float
    clarity: float  # share of the light that the glass itself does not swallow on one way through
    glazing: Glazing | None  # None: single glazing


def normal(pane: Pane, side: int) -> tuple[float, float, float]:
    """Return the pane's unit normal in the camera's axes (right, down, ahead); `side` -1 turns it to the other side."""
    turn, tilt = math.radians(pane.turn_deg) * side, math.radians(pane.tilt_deg)
    return math.sin(turn) * math.cos(tilt), math.sin(tilt), math.cos(turn) * math.cos(tilt)


def cosines(pane: Pane, side: int, shape: tuple[int, int], focal_px: float) -> Map:
    """Return the cosine of the angle of incidence for every pixel of a picture.

    Args:
        pane: the glass.
        side: 1, or -1 for a pane that is turned the other way.
        shape: rows and columns.
        focal_px: distance of the image plane in pixels.
    """
    height, width = shape
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / np.float32(focal_px)
    down = ((np.arange(height, dtype=np.float32) + 0.5 - height / 2) / np.float32(focal_px))[:, None]
    right, below, ahead = normal(pane, side)
    met = across * np.float32(right) + down * np.float32(below) + np.float32(ahead)
    met /= np.sqrt(across * across + down * down + 1)
    return np.clip(np.abs(met, out=met), np.float32(GRAZING), 1, out=met)


def surface(cosine: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what one surface mirrors of light polarised across and along the plane of incidence."""
    refracted = np.sqrt(1 - (1 - cosine * cosine) / np.float32(INDEX**2))
    across = ((cosine - INDEX * refracted) / (cosine + INDEX * refracted)) ** 2
    along = ((INDEX * cosine - refracted) / (INDEX * cosine + refracted)) ** 2
    return across, along


def mirrored(cosine: NDArray[np.float32], panes: int) -> NDArray[np.float32]:
    """Return the share of unpolarised light that one pane mirrors, or two behind one another."""
    across, along = (2 * one / (1 + one) for one in surface(cosine))
    if panes == 2:
        across, along = (2 * one / (1 + one) for one in (across, along))
    return np.asarray((across + along) / 2, np.float32)
