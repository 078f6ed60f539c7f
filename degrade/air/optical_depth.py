"""How much haze lies between the camera and each pixel, at the size of the priors.

Relative inverse depth i (1 nearest, 0 farthest) becomes metric between two planes, 1/d = i/near + (1 - i)/far, after a drawn shift
(networks know inverse depth only up to scale and shift, so what they call 0.1 may be the far plane). The air is
a layer that thins exponentially with height, so a ray of length d and elevation e crosses as much as

    L = d (1 - exp(-x)) / x,    x = d sin(e) / scale height,

of the air at the ground (Quilez' height fog, in closed form); the sky is the same with a distance beyond all things, and L tends to
scale height / sin(e). Patches multiply it by the mean density along the ray, marched through slices of distance: log-normal in each,
and 1 on average.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Map

SKY_PLANES = 10.0  # the sky lies this many far planes away: beyond all land, short of infinity at the horizon
SLICES = 4
PATCH_GRID_PX = 48  # patches are soft: they are marched at this size
LEAST_CELL_PX = 4.0  # of that grid
KOSCHMIEDER = 3.912  # -ln(0.02): at the visibility, 2 % of contrast is left


class Layer(NamedTuple):
    """The air and the two planes between which the scene lies."""

    visibility_m: float  # at the ground
    near_m: float
    far_m: float
    far_cut: float  # inverse depth below which everything lies at the far plane
    scale_m: float  # height in which the density falls to 1/e
    patchiness: float = 0.0  # sigma of the log density; 0 is even air
    patch_m: float = 30.0
    patch_seed: int = 0


def check_planes(near_m: tuple[float, float], far_m: tuple[float, float]) -> None:
    """Raise ValueError where the near plane could be drawn beyond the far one: depth would turn round."""
    if near_m[1] >= far_m[0]:
        raise ValueError(f"`near_m` reaches {near_m[1]} m and `far_m` begins at {far_m[0]} m: near things could lie behind far ones; move them apart")


def distance_m(inverse: Map, layer: Layer) -> Map:
    """Return metres, of relative inverse depth 0..1."""
    if layer.far_cut > 0:
        inverse = np.maximum(inverse - np.float32(layer.far_cut), 0) / np.float32(1.0 - layer.far_cut)
    return np.float32(1.0) / (inverse * np.float32(1 / layer.near_m - 1 / layer.far_m) + np.float32(1 / layer.far_m))


def coarse_transmission(inverse: Map, sky: Map | None, layer: Layer, horizon_frac: float, height_rad: float, density: Map | None = None) -> Map:
    """Return exp(-optical depth), hxw float32 in [0, 1].

    Args:
        inverse: hxw relative inverse depth, 1 nearest.
        sky: hxw, 1 where sky, same size; soft edges mix the two transmissions. None: all is land.
        layer: the air.
        horizon_frac: row of the horizon in heights.
        height_rad: vertical field of view.
        density: hxw, how many times as dense as even air the air on each ray is; None is even.
    """
    height, width = inverse.shape
    rows = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    slant = np.maximum((horizon_frac - rows) * 2.0 * math.tan(height_rad / 2.0), 0.0)
    climb = np.repeat((np.sin(np.arctan(slant)) / layer.scale_m).astype(np.float32)[:, None], width, 1)
    scale = height / (2.0 * math.tan(height_rad / 2.0))  # px per unit of slope
    patches = _patches((height, width), layer, scale) if layer.patchiness > 0 else []

    def passed(crossed: Map) -> Map:
        depth = crossed * np.float32(-KOSCHMIEDER / layer.visibility_m)
        if patches:
            depth *= _density(crossed, patches, layer)
        if density is not None:
            depth *= density
        return cv2.exp(depth)

    over_land = passed(_crossed(distance_m(inverse, layer), climb))
    if sky is None:
        return over_land
    beyond = np.full((height, 1), SKY_PLANES * layer.far_m, np.float32)
    over_sky = passed(np.repeat(_crossed(beyond, climb[:, :1]), width, 1))
    return np.asarray(np.clip(over_land + sky * (over_sky - over_land), 0, 1), np.float32)


def _crossed(distance: Map, climb: Map) -> Map:
    """Return the length of ground-dense air on rays: d (1 - exp(-x)) / x with x = d * climb."""
    x = np.maximum(distance * climb, np.float32(1e-3))  # below it the quotient is 1 to half a per mille
    return np.asarray(distance * (1 - cv2.exp(-x)) / x, np.float32)


def _slices(layer: Layer) -> list[float]:
    """Return the distances that bound the slices, metres; the last reaches beyond all land."""
    ratio = (3.0 * layer.far_m / layer.near_m) ** (1.0 / SLICES)
    return [0.0] + [layer.near_m * ratio ** (index + 1) for index in range(SLICES)]


def _patches(shape: tuple[int, int], layer: Layer, scale_px: float) -> list[Map]:
    """Return the relative density in each slice: patches all of one size, smaller in the picture the farther away.

    It is 1 on average over the picture: patches move haze and add none, and the visibility stays what it is said to be.

    Args:
        shape: of the maps that they will thicken.
        layer: the air.
        scale_px: px of those maps per unit of slope.
    """
    step = max(max(shape) / PATCH_GRID_PX, 1.0)
    height, width = max(round(shape[0] / step), 8), max(round(shape[1] / step), 8)
    bounds = _slices(layer)
    made = []
    for index in range(SLICES):
        middle_m = math.sqrt(max(bounds[index], layer.near_m) * bounds[index + 1])
        cell_px = min(max(layer.patch_m / middle_m * scale_px / step, LEAST_CELL_PX), 2.0 * max(height, width))
        density = cv2.exp(fields.fractal(layer.patch_seed + 100 * index, height, width, cell_px, octaves=2) * np.float32(layer.patchiness))
        made.append(density / np.float32(cv2.mean(density)[0]))
    return made


def _density(crossed: Map, patches: list[Map], layer: Layer) -> Map:
    """Return the mean relative density along each ray, at the size of `crossed`.

    Args:
        crossed: hxw length of dense air on each ray, metres: a ray that climbs out of the layer ends there.
        patches: of `_patches`.
        layer: the air.
    """
    size = patches[0].shape[1::-1]
    coarse = cv2.resize(crossed, size, interpolation=cv2.INTER_LINEAR)
    bounds = _slices(layer)
    dense = np.zeros_like(coarse)
    for index, patch in enumerate(patches):
        beyond = None if index == SLICES - 1 else bounds[index + 1]
        dense += patch * (np.clip(coarse, bounds[index], beyond) - np.float32(bounds[index]))
    return cv2.resize(dense / coarse, crossed.shape[1::-1], interpolation=cv2.INTER_LINEAR)
