"""How bright the clipped parts of a photo really are, before their light is spread.

    L' = L (1 + (g - 1) e^2),    e = (s - knee) / (1 - knee),    s = (max + mean of the channels) / 2

RSBlur (Rim et al., ECCV 2022) lifts every saturated pixel alike. We let the lift depend on the size of what is clipped: a lamp
or a glint is many times display white, an overcast sky only a little, and a sky that is lifted like a lamp eats every
branch and roof before it. Colour is kept: a petal whose red is full is no lamp.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.contract import Linear, Map

KNEE = 0.95  # of s: what was not clipped stays as it is, to three codes
BROAD_FRAC = 0.06  # short sides; what fills a window of this size is a surface, not a lamp
SURFACE = 0.15  # exponent of the gain that is left to a surface
COARSE = 8  # px: the size of what is clipped is found at this fraction


def recovered(light: Linear, gain: float) -> Linear:
    """Return light in which small clipped things are `gain` times display white; what exceeds white already stays.

    Args:
        light: HxWx3 linear light; left untouched, and returned itself where nothing is clipped.
        gain: how bright a clipped lamp is taken to be, in display whites, >= 1.
    """
    shown = np.minimum(light, 1)
    red, green, blue = cv2.split(shown)
    brightest = cv2.max(cv2.max(red, green), blue)
    if gain <= 1.0 or float(brightest.max()) <= KNEE:
        return light
    total = cv2.transform(shown, np.full((1, 3), 1 / 6))
    excess: Map = np.clip((cv2.scaleAdd(brightest, 0.5, total) - np.float32(KNEE)) / np.float32(1 - KNEE), 0, 1)
    lift = cv2.multiply(excess, excess)
    lift *= _gain_less_one(lift, gain)
    lift += np.float32(1)
    return cv2.max(light, cv2.multiply(shown, cv2.cvtColor(lift, cv2.COLOR_GRAY2RGB)))


def _gain_less_one(clipped: Map, gain: float) -> Map:
    """Return what a clipped pixel holds beyond display white, by how much of its surroundings is clipped too."""
    height, width = clipped.shape
    coarse = cv2.resize(clipped, (max(width // COARSE, 1), max(height // COARSE, 1)), interpolation=cv2.INTER_AREA)
    side = 2 * max(round(BROAD_FRAC * min(height, width) / COARSE / 2), 1) + 1
    around = cv2.blur(coarse, (side, side), borderType=cv2.BORDER_REPLICATE)
    exponent = 1.0 - (1.0 - SURFACE) * np.minimum(2 * around, 1)
    beyond: Map = np.power(np.float32(gain), exponent).astype(np.float32) - np.float32(1)
    return cv2.resize(beyond, (width, height), interpolation=cv2.INTER_LINEAR)
