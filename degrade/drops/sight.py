"""How far the eye gets in rain: the distance of every pixel, and how much of its light the rain beyond the nearest lets through.

Haze and rain see the same scene: two drawn planes make relative inverse depth metric (`degrade.air.optical_depth`), and the
guided filter brings the veil to the photo's own edges. Rain begins at the lens, but its first metres are streaks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.air import lamps
from degrade.air.optical_depth import KOSCHMIEDER, SKY_PLANES, Layer, coarse_transmission, distance_m
from degrade.arrays import guided, strips
from degrade.contract import Assets, Linear, Map

WORK_PX = 256  # long side at which distance and veil are computed
EPS = 4e-4  # variance of the guide below which a window counts as flat
CLOUD_M = 1200.0  # height of the clouds that it falls from: rain does not thin below them as fog does


class Sight(NamedTuple):
    """What is known of the scene at working size, and the veil's way back to full size."""

    step: int  # px of the photo per working px
    light: Linear  # the photo at working size
    sky: Map
    inverse: Map  # relative inverse depth, its jumps made vertical
    distance_m: Map
    coarse: Map  # the veil's transmission at working size
    mix: NDArray[np.float64]  # of the channels, to the guide
    slope: Map  # of the guided filter, HxW
    offset: Map


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
    inverse, sky = _priors(assets)
    step = min(math.ceil(max(light.shape[:2]) / WORK_PX), max(min(light.shape[:2]) // 8, 1))
    small = strips.reduced(light, step)
    size = (small.shape[1], small.shape[0])
    cell = max(size[0] / inverse.shape[1], size[1] / inverse.shape[0], 1.0)  # working px per pixel of the prior
    nearest, above = guided.steepened(_sized(inverse, size), max(round(1.5 * cell), 2)), _sized(sky, size)
    lit = lamps.at_night(small)
    if lit.any():
        nearest, above = np.maximum(nearest, np.float32(lamps.INVERSE) * lit), above * (1 - lit)
    level = np.zeros_like(above)  # the sky is veiled like the farthest land: it is the cloud that the rain falls from
    coarse = coarse_transmission(nearest, level, layer, assets.horizon_frac, assets.height_rad)
    coarse = np.minimum(coarse * np.float32(math.exp(KOSCHMIEDER / layer.visibility_m * begin_m)), np.float32(1))
    roots: Linear = cv2.sqrt(small)
    mix = guided.guide_mix(roots, coarse)
    slope, offset = guided.coefficients(cv2.transform(roots, mix.reshape(1, 3)), coarse, max(round(3 * cell), 4), EPS)
    metres = distance_m(nearest, layer)
    metres[above > 0.5] = np.float32(SKY_PLANES * layer.far_m)
    rows = slice(0, light.shape[0])
    full = [strips.enlarged(values, step, rows, light.shape[1]) for values in (slope, offset)]
    return Sight(step, small, above, nearest, metres, coarse, mix, full[0], full[1])


def through(part: Linear, seen: Sight, rows: slice) -> Map:
    """Return the veil's transmission of rows of the photo, in [0, 1].

    Args:
        part: those rows.
        seen: of `sight`.
        rows: which they are.
    """
    fine = guided.mixed(part, seen.mix)
    fine *= seen.slope[rows]
    fine += seen.offset[rows]
    return np.asarray(np.clip(fine, 0, 1, out=fine))


def _priors(assets: Assets) -> tuple[Map, Map]:
    if assets.depth is None or assets.sky is None:
        missing = "depth" if assets.depth is None else "sky"
        raise ValueError(f"rain needs assets.{missing}: make it with degrade.scene and cut it to the clean side")
    return assets.depth, assets.sky


def _sized(values: Map, size: tuple[int, int]) -> Map:
    """Return a map at (width, height): by area when smaller, linear when larger."""
    if values.shape[1::-1] == size:
        return values
    smaller = size[0] * size[1] < values.shape[0] * values.shape[1]
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
