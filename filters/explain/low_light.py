"""Low light: fewer photons, and perhaps brightened since: what is left of the exposure shows as light that is missing.

    strength = log2(mean C / mean D)  in EV, over pixels that are clipped on neither side

of luminance in linear light: for an even exposure it is the EV exactly; lamps, which stay lit, are left out with what is clipped.
An unevenly lit photo, toned and brightened, is still D = a C + b within a tile, whatever the curve: see `passage`. A curve that falls
somewhere, or a shadow that hides what its neighbourhood shows, is not explained.
"""

from __future__ import annotations

import math

import numpy as np

from degrade.contract import Srgb
from filters.explain import passage
from filters.explain.sides import Finding, Sides, light_of, luminance

CLIPPED = 0.9  # linear light from which a channel may be clipped
BLACK = 0.01  # luminance below which 8 bits tell an EV no more
FEWEST = 0.02  # share of pixels between the two, or all of them count
GREY = 0.18  # luminance of middle grey
LAMPS = 0.005  # share of a dark photo that may be lamps
DARKEST = 2.0**-12


def explain(sides: Sides) -> Finding:
    """Return the EV that are missing (negative: brighter than the clean side), and whether every place lost its light alone."""
    clean, degraded = (luminance(side) for side in sides.coarse)
    fair = (sides.coarse.clean.max(axis=2) < CLIPPED) & (clean > BLACK)
    if fair.mean() < FEWEST:
        fair = np.ones_like(fair)
    strength = math.log2((float(clean[fair].mean()) + DARKEST) / (float(degraded[fair].mean()) + DARKEST))
    return Finding(strength, passage.explained(passage.passage(sides.coarse)))


def sign(photo: Srgb) -> float:
    """Return by how many EV a photo can be lifted, at most to middle grey and until `LAMPS` of it would clip; negative for bright photos.

    A photo that lacks exposure lacks it everywhere but in a few lamps. A night that was exposed as it should be is as dark in the middle,
    and has its lit windows and signs at white already.

    Args:
        photo: HxWx3 uint8 sRGB.
    """
    light = light_of(photo, 256)
    below_grey = math.log2(GREY / max(float(np.median(luminance(light))), DARKEST))
    room = math.log2(CLIPPED / max(float(np.quantile(light.max(axis=2), 1 - LAMPS)), DARKEST))
    return min(below_grey, room)
