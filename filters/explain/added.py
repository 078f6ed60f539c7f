"""What was added to the clean side's light, once the new exposure is known; nothing can be taken away by adding.

    F = D / g - C,    g what passes of the clean side's detail over the whole photo

Where F is negative beyond what rounding, noise and a fall of g towards the corners leave, light is missing, and no lens or pane explains it.
So `explained` is that of `passage`, times the share of F's energy that is not below zero:

    1 - sum min(F + s, 0)^2 / sum F^2,    s = 0.02 + 0.25 C.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.contract import Map
from filters.explain import passage
from filters.explain.sides import Sides, luminance

LEAST_EXPOSURE = 0.05
SLACK, SLACK_OF_LIGHT = 0.02, 0.25  # how far F may fall below zero


class Added(NamedTuple):
    """The added light of a pair."""

    added: Map  # HxW luminance, as it was before the exposure changed
    explained: float


def split(sides: Sides) -> Added:
    """Return the light that was added, and whether adding light explains the pair."""
    clean, degraded = (luminance(side) for side in sides.coarse)
    found = passage.passage(sides.coarse)
    exposure = max(math.exp(-passage.lost(found)), LEAST_EXPOSURE)
    light = degraded / np.float32(exposure) - clean
    taken = np.minimum(light + np.float32(SLACK) + np.float32(SLACK_OF_LIGHT) * clean, 0)
    negative = float((taken * taken).sum()) / (float((light * light).sum()) + 1e-6 * light.size)
    return Added(light, passage.explained(found) * (1 - min(negative, 1.0)))
