"""Defocus: what is nearer or farther than the plane of focus is spread over the picture of the aperture.

    diameter = D (miss + (1 - miss) |1/Z - 1/Z_f| / n)        (thin lens, inverse distance Z; n its 90th percentile)

in linear light, so that lamps become bright discs of the aperture's shape. The scene is cut into layers of equal inverse depth, one of
them in the plane of focus, and put together from the far end: each layer is the picture of what lies at its depth, continued behind
nearer things, spread by its own aperture, and seen through the spread matte of everything nearer. So a blurred foreground softens over
a sharp ground, and a sharp thing leaves no halo on a blurred one (Barsky and Kosloff, "Algorithms for Rendering Depth of Field
Effects", 2008).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import psf
from degrade.arrays import strips
from degrade.contract import Linear, Map
from degrade.motion import fill, fine

LAYERS = 6
AT_END = 0.02  # share of the range of depths within which the plane of focus is that of the nearest or the farthest things
LEAST_PX = 0.6  # a smaller disc is sharp
KERNEL_PX = 10.0  # larger discs are spread at half the size, a quarter, ...: what they spread is smooth
FILL_STEP = 4  # what lies behind things is found at a quarter of the size
JUST_BEHIND = 0.02  # share of the picture below which a hidden part is left as it is
FEW = 4  # every how many nodes of a depth map tell how much of the photo lies where

Layer = NDArray[np.float32]  # HxWx4: light, and what it covers


class Lens(NamedTuple):
    """One exposure with the focus elsewhere."""

    focus: float  # which share of the photo lies nearer than the plane of focus: 0 nearest, 1 farthest
    miss: float  # share of the blur that is everywhere: 1 is a photo that is evenly out of focus
    blades: int  # of the aperture; 0 is a disc
    roundness: float  # of the blades
    turn_deg: float


class Slab(NamedTuple):
    """Inverse depths of a layer and of those beside it, between which they pass into each other."""

    farther: float
    here: float
    nearer: float


def diameters(lens: Lens, inverse: Map, length_px: float, at: Map) -> Map:
    """Return the diameter of the disc at inverse depths, px.

    Args:
        lens: the exposure.
        inverse: hxw inverse depth of the photo, 1 nearest.
        length_px: blur length; at most a tenth of the photo is blurred more.
        at: the inverse depths, of any shape.
    """
    focus = _focus(lens, inverse)
    scale = max(float(np.quantile(np.abs(inverse[::FEW, ::FEW] - focus), 0.9)), 1e-3)
    share = lens.miss + (1 - lens.miss) * np.minimum(np.abs(at - focus) / scale, 1.3)
    return np.asarray(share * psf.disc_for(length_px), np.float32)


def _focus(lens: Lens, inverse: Map) -> float:
    """Return the inverse depth of the plane of focus."""
    return float(np.quantile(inverse[::FEW, ::FEW], 1.0 - lens.focus))


def render(light: Linear, lens: Lens, length_px: float, inverse: Map) -> Linear:
    """Return the photo with its focus elsewhere.

    Args:
        light: HxWx3 linear light with its highlights; left untouched.
        lens: the exposure.
        length_px: blur length, px of this picture.
        inverse: inverse depth, 1 nearest; a proxy of the same view.
    """
    if lens.miss >= 1.0 or float(np.ptp(inverse)) < 1e-3:
        return _evenly(light, lens, psf.disc_for(length_px))
    near = fine.on_edges(inverse, light)
    slabs = layers(float(near.min()), float(near.max()), _focus(lens, inverse))
    scenes: dict[int, tuple[Linear, Map]] = {}
    made, step = None, 1
    sizes = diameters(lens, inverse, length_px, np.array([slab.here for slab in slabs], np.float32)).tolist()
    for slab, size in zip(slabs, sizes, strict=True):
        own_step = step_for(size, light.shape)
        if own_step not in scenes:
            scenes[own_step] = strips.reduced(light, own_step), strips.reduced(near, own_step)
        own = spread(_cut(*scenes[own_step], slab, max(FILL_STEP // own_step, 1)), lens, size, own_step)
        if made is None:
            made, step = own, own_step
            continue
        size_px = scenes[min(step, own_step)][1].shape
        made, own = _enlarged(made, step // own_step, size_px), _enlarged(own, own_step // step, size_px)
        step = min(step, own_step)
        _cover(made, own)
    assert made is not None
    return cv2.cvtColor(_enlarged(made, step, light.shape), cv2.COLOR_RGBA2RGB)


def layers(low: float, high: float, focus: float) -> list[Slab]:
    """Return layers from inverse depth `low` to `high`, evenly spaced on each side of the plane of focus.

    One of them lies in it: what is between two layers is a mixture of both, and as blurred as they are.
    """
    share = min(max((focus - low) / (high - low), 0.0), 1.0)
    farther = min(max(round(share * (LAYERS - 1)), int(share > AT_END)), LAYERS - 1 - int(share < 1 - AT_END))
    middle = low + share * (high - low)
    edges = [*np.linspace(low, middle, farther, endpoint=False).tolist(), *np.linspace(middle, high, LAYERS - farther).tolist()]
    return [Slab(*three) for three in zip((edges[0] - 1, *edges[:-1]), edges, (*edges[1:], edges[-1] + 1), strict=True)]


def step_for(diameter_px: float, shape: tuple[int, ...]) -> int:
    """Return at what fraction of the size a disc is spread: a power of two."""
    step = 1
    while diameter_px > KERNEL_PX * step and min(shape[:2]) >= 32 * step:
        step *= 2
    return step


def _cut(light: Linear, near: Map, slab: Slab, step: int) -> Layer:
    """Return the picture with what is nearer than a layer replaced by the layer's own surroundings, and what it and that cover."""
    behind = _behind(light, near, slab, step)
    cut = np.empty((*near.shape, 4), np.float32)
    for rows in strips.rows_of(near.shape, step):
        colour = light[rows]
        if behind is not None:
            hidden = _ramp(near[rows], slab.here, slab.nearer)
            if float(hidden.max()) > 0:
                beyond = cv2.subtract(strips.enlarged(behind, step, rows, near.shape[1]), colour)
                colour = cv2.accumulateProduct(beyond, cv2.cvtColor(hidden, cv2.COLOR_GRAY2RGB), colour.copy())
        cv2.insertChannel(_ramp(near[rows], slab.farther, slab.here), cv2.cvtColor(colour, cv2.COLOR_RGB2RGBA, cut[rows]), 3)
    return cut


def _behind(light: Linear, near: Map, slab: Slab, step: int) -> Linear | None:
    """Return what a layer shows continued behind nearer things, at a fraction of the size, or nothing where hardly anything is hidden."""
    small = strips.reduced(near, step)
    hidden = _ramp(small, slab.here, slab.nearer)
    if float(hidden.mean()) < JUST_BEHIND:
        return None
    own = _ramp(small, slab.farther, slab.here) * (1 - hidden)
    return fill.filled(strips.reduced(light, step), np.maximum(own, np.float32(1e-3)))


def _ramp(near: Map, low: float, high: float) -> Map:
    """Return 0 up to an inverse depth, and 1 from another one on."""
    share = cv2.addWeighted(near, 1 / (high - low), near, 0.0, -low / (high - low))
    return np.clip(share, 0, 1, out=share)


def _cover(made: Layer, own: Layer) -> None:
    """Lay a layer over what is farther, in place."""
    for rows in strips.rows_of(own.shape):
        cover = cv2.extractChannel(own[rows], 3)
        if float(cover.max()) > 0:
            cv2.accumulateProduct(cv2.subtract(own[rows], made[rows]), cv2.merge([cover] * 4), made[rows])


def _evenly(light: Linear, lens: Lens, diameter_px: float) -> Linear:
    """Return the photo with all of it as far out of focus."""
    step = step_for(diameter_px, light.shape)
    return np.ascontiguousarray(_enlarged(spread(strips.reduced(light, step), lens, diameter_px, step), step, light.shape))


def _enlarged(picture: NDArray[np.float32], times: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a picture several times as large, cut to the (height, width, ...) that it had before it was reduced."""
    return strips.enlarged(picture, times, slice(0, shape[0]), shape[1]) if times > 1 else picture


def spread(picture: NDArray[np.float32], lens: Lens, diameter_px: float, step: int = 1) -> NDArray[np.float32]:
    """Return a picture spread by an aperture; itself where the disc is below a pixel.

    Args:
        picture: HxW or HxWxC float32.
        lens: the shape of the aperture.
        diameter_px: px of the picture before it was reduced.
        step: by which it was reduced, and will be enlarged; the blur of that is taken off the disc.
    """
    if diameter_px < LEAST_PX:
        return picture
    own_px = math.sqrt(diameter_px**2 - 4.0 * (step**2 - 1)) / step  # means and linear interpolation have variances of 1/12 and 1/6 (step^2 - 1)
    kernel = psf.aperture(own_px, lens.blades, lens.roundness, lens.turn_deg)
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT)
