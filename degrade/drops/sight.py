"""How far the eye gets in rain: the distance of every pixel, and how much of its light the rain beyond the nearest lets through.

Haze and rain see the same scene through the same air (`degrade.air.passage`), but for two things: rain begins at the lens, and
its first metres are streaks; and the sky is veiled like the farthest land, because it is the cloud that the rain falls from.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.air.optical_depth import KOSCHMIEDER, SKY_PLANES, Layer, coarse_transmission, distance_m
from degrade.air.passage import Passage, glimpse, on_edges, scene_of
from degrade.contract import Assets, Linear, Map

CLOUD_M = 1200.0  # height of the clouds that it falls from: rain does not thin below them as fog does


class Sight(NamedTuple):
    """What is known of the scene at working size, and the veil's way back to full size."""

    step: int  # px of the photo per working px
    light: Linear  # the photo at working size
    sky: Map
    inverse: Map  # relative inverse depth, its jumps made vertical
    distance_m: Map
    coarse: Map  # the veil's transmission at working size
    veil: Passage  # the same at the photo's own size


def sight(light: Linear, layer: Layer, begin_m: float, assets: Assets) -> Sight:
    """Return the scene as rain finds it.

    Args:
        light: HxWx3 linear light.
        layer: visibility in the rain, the two planes, gusts; `scale_m` is where it ends above.
        begin_m: from where on rain is a veil.
        assets: needs `depth` and `sky`.

    Raises:
        ValueError: a prior is missing.
    """
    scene = scene_of(assets, "rain")
    seen = glimpse(light, scene)
    coarse = coarse_transmission(seen.inverse, None, layer, scene.horizon_frac, scene.height_rad)
    coarse = np.minimum(coarse * np.float32(math.exp(KOSCHMIEDER / layer.visibility_m * begin_m)), np.float32(1))
    metres = distance_m(seen.inverse, layer)
    metres[seen.sky > 0.5] = np.float32(SKY_PLANES * layer.far_m)
    return Sight(seen.step, seen.light, seen.sky, seen.inverse, metres, coarse, on_edges(seen, coarse).at_size(light.shape))
