"""Land that rises to the sky: hills and mountains lie behind one another, the farther the nearer to the skyline.

A plane and what stands on it know two distances, and neither is a mountain's. Land is told from things by its skyline: it
runs right across the photo without steps, where roofs, masts and crowns of trees step up and down. On it inverse depth falls
from what a plane has just before the horizon to next to nothing at the skyline: for each flat-coloured region by how high its
foot lies, so that ridges stand behind one another like the wings of a stage, and within it by the row, for slopes recede.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map

Mask = NDArray[np.bool_]

LEAST_ACROSS = (0.75, 0.95)  # share of the columns that show sky, below which land is not seen and above which it is
STEP_FRAC = 0.016  # of the long side: between neighbouring columns a step, not a slope
STEPS = (0.06, 0.03)  # share of columns with a step, above which the skyline is of things and below which it is of land
SPECK_PX = 5  # a notch as narrow is a twig or a gap of the sky's map
BEFORE_FRAC = 0.04  # heights below the horizon from which the plane no longer tells how far land is
FOOT, TOP = 0.07, 0.008  # inverse depth of land at the horizon, and at the skyline
WALL_FRAC, WALL_PX = 0.05, 3  # of the long side that a wall rises, in so many columns: no peak does
WIDEST_TOWER = 0.35  # of the width
LAYERED = 0.6  # how far a region has the distance of its foot
FOOT_SHARE = 0.85  # of a region's rows that lie above its foot


def hilly(open_air: Mask) -> float:
    """Return how surely the skyline is that of land, 0..1.

    Args:
        open_air: hxw, where sky is.
    """
    line = _skyline(open_air)
    across = _ramp(float((line > 0).mean()), *LEAST_ACROSS)
    if not across:
        return 0.0
    calm = cv2.medianBlur(np.repeat(line.astype(np.float32)[None], SPECK_PX, 0), SPECK_PX)[SPECK_PX // 2]
    steps = np.abs(np.diff(calm)) > STEP_FRAC * max(open_air.shape)
    return across * _ramp(float(steps.mean()), *STEPS)


def receding(inverse: Map, labels: NDArray[np.int32], open_air: Mask, horizon_frac: float) -> Map:
    """Return inverse depth in which land above the horizon recedes to the skyline; what is nearer below it stays.

    Args:
        inverse: hxw relative inverse depth of plane and standing things.
        labels: hxw, flat-coloured regions 0..n-1.
        open_air: hxw, where sky is.
        horizon_frac: row of the horizon in heights.
    """
    sure = hilly(open_air)
    if not sure:
        return inverse
    height, width = inverse.shape
    start = (horizon_frac + BEFORE_FRAC) * height
    line = _skyline(open_air)
    rows = np.repeat(np.arange(height, dtype=np.float64)[:, None], width, 1)
    feet = _feet(rows, labels, ~open_air)
    up = (start - ((1 - LAYERED) * rows + LAYERED * feet[labels])) / (start - np.median(np.minimum(line, start - 1.0)))
    land = (FOOT * (TOP / FOOT) ** np.clip(up, 0, 1)).astype(np.float32)
    from_here = np.clip((start - rows) / (BEFORE_FRAC * height), 0, 1).astype(np.float32) * np.float32(sure)
    from_here[:, _towers(line, max(height, width))] = 0
    return np.where(open_air, inverse, inverse + from_here * (land - inverse)).astype(np.float32)


def _skyline(open_air: Mask) -> NDArray[np.float64]:
    """Return for each column the row at which the sky that begins highest ends, 0 where there is none."""
    first = np.argmax(open_air, axis=0)
    below = np.arange(len(open_air))[:, None] > first
    ends = np.argmax(below & ~open_air, axis=0)
    ends = np.where((below & ~open_air).any(0), ends, len(open_air))
    return np.where(open_air.any(0), ends, 0).astype(np.float64)


def _towers(line: NDArray[np.float64], long_px: int) -> Mask:
    """Return the columns between two walls: what rises from the skyline and falls back to it at once is a thing before the hills."""
    towers = np.zeros(len(line), bool)
    rise = line[:-WALL_PX] - line[WALL_PX:]
    ups, downs = np.flatnonzero(rise > WALL_FRAC * long_px), np.flatnonzero(rise < -WALL_FRAC * long_px)
    for up in ups.tolist():
        falls = downs[(downs > up) & (downs < up + WIDEST_TOWER * len(line))]
        if len(falls):
            towers[up : int(falls[-1]) + WALL_PX + 1] = True
    return towers


def _feet(rows: NDArray[np.float64], labels: NDArray[np.int32], land: Mask) -> NDArray[np.float64]:
    """Return for each region the row of its foot: nearly its lowest, for regions leak."""
    height, count = len(rows), int(labels.max()) + 1
    many = np.zeros((count, height))
    np.add.at(many, (labels[land], rows[land].astype(np.intp)), 1.0)
    total = many.cumsum(1)
    return np.argmax(total >= FOOT_SHARE * total[:, -1:], axis=1).astype(np.float64)


def _ramp(value: float, none: float, full: float) -> float:
    return min(max((value - none) / (full - none), 0.0), 1.0)
