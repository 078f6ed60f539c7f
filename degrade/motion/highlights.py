"""How bright the clipped parts of a photo really are, before their light is spread.

    L' = L (1 + (g - 1) e^2),    e = (s - knee) / (1 - knee),    s = (max + mean of the channels) / 2

RSBlur (Rim et al., ECCV 2022) lifts every saturated pixel alike. We let the lift depend on the size of what is clipped: a lamp
or a glint is many times display white, an overcast sky only a little, and a sky that is lifted like a lamp eats every
branch and roof before it. Colour is kept: a petal whose red is full is no lamp.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.arrays import strips
from degrade.contract import Linear, Map

KNEE = 0.95  # of s: what was not clipped stays as it is, to three codes
BROAD_FRAC = 0.06  # short sides; what fills a window of this size is a surface, not a lamp
SURFACE = 0.15  # exponent of the gain that is left to a surface
COARSE = 8  # px: the size of what is clipped is found at this fraction


def recovered(light: Linear, gain: float) -> Linear:
    """Return light in which small clipped things are `gain` times display white; what exceeds white already stays.

    Args:
        light: HxWx3 linear light, at least 8x8; left untouched, and returned itself where nothing is clipped.
        gain: how bright a clipped lamp is taken to be, in display whites, >= 1.
    """
    lifts = _lifts(light, gain)
    if not lifts:
        return light
    made = light.copy()
    for rows, lift in lifts:
        shown = cv2.threshold(light[rows], 1.0, 0.0, cv2.THRESH_TRUNC)[1]
        cv2.max(light[rows], cv2.multiply(shown, cv2.cvtColor(lift, cv2.COLOR_GRAY2RGB), shown), made[rows])
    return made


def _lifts(light: Linear, gain: float) -> list[tuple[slice, Map]]:
    """Return the rows that hold something clipped, and by what their light is multiplied."""
    if gain <= 1.0:
        return []
    excess = np.zeros(light.shape[:2], np.float32)
    clipped = [rows for rows in strips.rows_of(light.shape, COARSE) if _found(light[rows], excess[rows])]
    if not clipped:
        return []
    beyond = _gain_less_one(excess, gain)
    for rows in clipped:
        cv2.multiply(excess[rows], strips.enlarged(beyond, COARSE, rows, light.shape[1]), excess[rows])
        cv2.add(excess[rows], 1.0, excess[rows])
    return [(rows, excess[rows]) for rows in clipped]


def _found(light: Linear, excess: Map) -> bool:
    """Write e^2 of some rows, and return whether anything is clipped there."""
    red, green, blue = cv2.split(light)
    brightest = cv2.max(cv2.max(red, green), blue)
    if float(brightest.max()) <= KNEE:
        return False
    shown = cv2.threshold(light, 1.0, 0.0, cv2.THRESH_TRUNC)[1]
    mean = cv2.transform(shown, np.full((1, 3), 1 / 3))
    cv2.threshold(brightest, 1.0, 0.0, cv2.THRESH_TRUNC, brightest)
    cv2.addWeighted(brightest, 0.5 / (1 - KNEE), mean, 0.5 / (1 - KNEE), -KNEE / (1 - KNEE), mean)
    cv2.threshold(mean, 0.0, 0.0, cv2.THRESH_TOZERO, mean)
    cv2.multiply(mean, mean, excess)
    return float(excess.max()) > 0


def _gain_less_one(clipped: Map, gain: float) -> Map:
    """Return what a clipped pixel holds beyond display white, by how much of its surroundings is clipped too, at 1 / COARSE of its size."""
    coarse = strips.reduced(clipped, COARSE)
    side = 2 * max(round(BROAD_FRAC * min(clipped.shape) / COARSE / 2), 1) + 1
    around = cv2.blur(coarse, (side, side), borderType=cv2.BORDER_REPLICATE)
    exponent = 1.0 - (1.0 - SURFACE) * np.minimum(2 * around, 1)
    return np.asarray(np.power(np.float32(gain), exponent) - np.float32(1), np.float32)
