"""What of the scene's light comes through: transmission at working size, brought to the photo's own edges and size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.air import lamps
from degrade.air.optical_depth import Layer, coarse_transmission
from degrade.arrays import guided, strips
from degrade.contract import Assets, Linear, Map

WORK_PX = 256  # long side at which transmission is computed before it gets the photo's edges
EPS = 4e-4  # variance of the guide below which a window counts as flat

Density = Callable[[tuple[int, int]], Map | None]


class Scene(NamedTuple):
    """What is known about where things are; maps of the clean side, of any size."""

    inverse: Map  # relative inverse depth
    sky: Map
    horizon_frac: float
    height_rad: float


class Glimpse(NamedTuple):
    """The scene at working size."""

    step: int  # px of the photo per working px
    light: Linear  # the photo
    inverse: Map  # relative inverse depth, its jumps made vertical, lamps of the night no farther than they shine
    sky: Map
    cell: float  # working px per pixel of the prior: no jump is better known


class Passage(NamedTuple):
    """Transmission at working size, and the guided filter that gives it the photo's edges."""

    step: int  # px of the photo per working px
    coarse: Map  # transmission at working size
    mix: NDArray[np.float64]  # of the channels, to the guide
    slope: Map
    offset: Map
    light: Linear  # the photo at working size

    def at_size(self, shape: tuple[int, ...]) -> Passage:
        """Return the passage with slope and offset at the photo's size: the one thing that is cheaper at once than in strips."""
        slope, offset = (strips.enlarged(values, self.step, slice(0, shape[0]), shape[1]) for values in (self.slope, self.offset))
        return self._replace(step=1, slope=slope, offset=offset)

    def through(self, light: Linear, rows: slice) -> Map:
        """Return the transmission of some rows: slope * guide + offset, in [0, 1].

        Args:
            light: these rows of the photo whose `at_size` this is.
            rows: which they are.
        """
        fine = guided.mixed(light, self.mix)
        fine *= self.slope[rows]
        fine += self.offset[rows]
        return np.asarray(np.clip(fine, 0, 1, out=fine))


def scene_of(assets: Assets, name: str) -> Scene:
    """Return what a degradation of that name is told of the scene; raises ValueError if a prior is missing."""
    if assets.depth is None or assets.sky is None:
        missing = "depth" if assets.depth is None else "sky"
        raise ValueError(f"{name} needs assets.{missing}: make it with degrade.scene and cut it to the clean side")
    return Scene(assets.depth, assets.sky, assets.horizon_frac, assets.height_rad)


def passage(light: Linear, scene: Scene, layer: Layer, density: Density) -> Passage:
    """Return what comes through the air.

    Args:
        light: HxWx3 linear light: the guide for the edges.
        scene: where things are.
        layer: the air.
        density: for a height and width, how many times as dense as even air each ray's is; None where the air is even.
    """
    seen = glimpse(light, scene)
    banked = density(seen.light.shape[:2])
    return on_edges(seen, coarse_transmission(seen.inverse, seen.sky, layer, scene.horizon_frac, scene.height_rad, banked))


def glimpse(light: Linear, scene: Scene) -> Glimpse:
    """Return the scene at the size at which air is computed.

    Args:
        light: HxWx3 linear light.
        scene: where things are.
    """
    long_side, short_side = max(light.shape[:2]), min(light.shape[:2])
    step = min(math.ceil(long_side / WORK_PX), max(short_side // 8, 1))
    small = strips.reduced(light, step)
    size = (small.shape[1], small.shape[0])
    cell = max(size[0] / scene.inverse.shape[1], size[1] / scene.inverse.shape[0], 1.0)
    nearest, above = guided.steepened(sized(scene.inverse, size), max(round(1.5 * cell), 2)), sized(scene.sky, size)
    lit = lamps.at_night(small, above)
    if lit.any():
        nearest, above = np.maximum(nearest, np.float32(lamps.INVERSE) * lit), above * (1 - lit)
    return Glimpse(step, small, nearest, above, cell)


def on_edges(seen: Glimpse, coarse: Map) -> Passage:
    """Return a transmission at working size with the guided filter that brings it to the photo's edges."""
    roots: Linear = cv2.sqrt(seen.light)
    mix = guided.guide_mix(roots, coarse)
    guide: Map = cv2.transform(roots, mix.reshape(1, 3))
    slope, offset = guided.coefficients(guide, coarse, max(round(3 * seen.cell), 4), EPS)
    return Passage(seen.step, coarse, mix, slope, offset, seen.light)


def sized(values: Map, size: tuple[int, int]) -> Map:
    """Return a map at (width, height): by area when smaller, linear when larger."""
    if values.shape[1::-1] == size:
        return values
    smaller = size[0] * size[1] < values.shape[0] * values.shape[1]
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
