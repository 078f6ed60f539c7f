"""Flare: the lens adds light, and the camera meters the sum.

    D = g (C + F),    F >= 0, linear light

Detail passes unchanged but for the exposure g, so `passage` measures g where F is smooth, which is nearly everywhere, and F = D / g - C
follows. Strength is the share of the photo that F drowns, in per cent: the mean of F in units of the clean side's mean light, counting up
to 1 at any place, as `degrade.flare` has it. Light cannot be taken away: see `added`.
"""

from __future__ import annotations

import numpy as np

from filters.explain import added
from filters.explain.sides import Finding, Sides, luminance


def explain(sides: Sides) -> Finding:
    """Return the drowned share of the photo in per cent, and whether the clean side passes through an addition of light."""
    light = added.split(sides)
    mean = max(float(luminance(sides.coarse.clean).mean()), 1e-4)
    return Finding(100 * float(np.minimum(np.maximum(light.added, 0) / mean, 1).mean()), light.explained)
