"""Defocus: what is nearer or farther than the plane of focus is spread over the picture of the aperture.

    diameter = D (miss + (1 - miss) |1/Z - 1/Z_f| / n)        (thin lens, inverse distance Z; n its 90th percentile)

in linear light, so that lamps become bright discs of the aperture's shape. The scene is cut into layers of equal inverse depth and
put together from the far end: each layer is the picture of what lies at its depth, continued behind nearer things, spread by its own
aperture, and seen through the spread matte of everything nearer. So a blurred foreground softens over a sharp ground, and a
sharp thing leaves no halo on a blurred one (Barsky and Kosloff, "Algorithms for Rendering Depth of Field Effects", 2008).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade import psf
from degrade.arrays import strips
from degrade.contract import Linear, Map
from degrade.motion import fill, fine

LAYERS = 6
LEAST_PX = 0.6  # a smaller disc is sharp
KERNEL_PX = 10.0  # larger discs are spread at a fraction of the size: what they spread is smooth
FILL_STEP = 4  # what lies behind things is found at a quarter of the size
JUST_BEHIND = 0.02  # share of the picture below which a hidden part is left as it is


class Lens(NamedTuple):
    """One exposure with the focus elsewhere."""

    focus: float  # which share of the photo lies nearer than the plane of focus: 0 nearest, 1 farthest
    miss: float  # share of the blur that is everywhere: 1 is a photo that is evenly out of focus
    blades: int  # of the aperture; 0 is a disc
    roundness: float  # of the blades
    turn_deg: float


def diameters(lens: Lens, inverse: Map, length_px: float) -> Map:
    """Return the signed diameter of the disc at each place of a depth map, px; positive beyond the plane of focus.

    Args:
        lens: the exposure.
        inverse: hxw inverse depth, 1 nearest.
        length_px: blur length; at most a tenth of the photo is blurred more.
    """
    at = np.quantile(inverse, 1.0 - lens.focus)
    off = np.float32(at) - inverse
    scale = max(float(np.quantile(np.abs(off), 0.9)), 1e-3)
    share = lens.miss + (1 - lens.miss) * np.minimum(np.abs(off) / np.float32(scale), np.float32(1.3))
    return np.asarray(np.where(off < 0, -share, share) * np.float32(psf.disc_for(length_px)), np.float32)


def render(light: Linear, lens: Lens, length_px: float, inverse: Map) -> Linear:
    """Return the photo with its focus elsewhere.

    Args:
        light: HxWx3 linear light with its highlights; left untouched.
        lens: the exposure.
        length_px: blur length, px of this picture.
        inverse: inverse depth, 1 nearest; a proxy of the same view.
    """
    if lens.miss >= 1.0 or float(np.ptp(inverse)) < 1e-3:
        return spread(light, lens, psf.disc_for(length_px))
    near = fine.on_edges(inverse, light)
    edges = np.linspace(float(near.min()), float(near.max()), LAYERS)
    sizes = np.interp(edges, *_size_by_depth(lens, inverse, length_px))
    made: Linear | None = None
    for layer, (here, size) in enumerate(zip(edges, sizes, strict=True)):
        gap = float(edges[1] - edges[0])
        matte = np.clip((near - np.float32(here - gap)) / np.float32(gap), 0, 1)  # this layer and everything nearer
        hidden = np.clip((near - np.float32(here)) / np.float32(gap), 0, 1) if layer + 1 < LAYERS else np.zeros_like(near)
        own = spread(_continued(light, matte, hidden), lens, float(size))
        if made is None:
            made = own
            continue
        cover = spread(matte, lens, float(size))
        made += cover[..., None] * (own - made)
    assert made is not None
    return made


def _size_by_depth(lens: Lens, inverse: Map, length_px: float) -> tuple[list[float], list[float]]:
    """Return inverse depths, rising, and the diameter at each."""
    depths = np.unique(np.quantile(inverse, np.linspace(0, 1, 65)).astype(np.float32))
    scale_map = np.abs(diameters(lens, inverse, length_px)).ravel()
    order = np.argsort(inverse.ravel(), kind="stable")
    return depths.tolist(), np.interp(depths, inverse.ravel()[order], scale_map[order]).tolist()


def _continued(light: Linear, matte: Map, hidden: Map) -> Linear:
    """Return the picture with what is nearer than a layer replaced by the layer's own surroundings."""
    if float(hidden.mean()) < JUST_BEHIND:
        return light
    height, width = light.shape[:2]
    step = min(FILL_STEP, max(min(height, width) // 16, 1))
    small_hidden = strips.reduced(hidden, step)
    own = strips.reduced(matte, step) * (1 - small_hidden)
    grown = fill.filled(strips.reduced(light, step), np.maximum(own, np.float32(1e-3)))
    behind = strips.enlarged(grown, step, slice(0, height), width)
    return np.asarray(light + hidden[..., None] * (behind - light), np.float32)


def spread(picture: Linear | Map, lens: Lens, diameter_px: float) -> Linear | Map:
    """Return a picture or matte spread by an aperture; large discs are spread at a fraction of the size.

    Args:
        picture: HxWx3 or HxW float32; returned itself where the disc is below a pixel.
        lens: the shape of the aperture.
        diameter_px: px of this picture.
    """
    if diameter_px < LEAST_PX:
        return picture
    height, width = picture.shape[:2]
    step = max(min(math.ceil(diameter_px / KERNEL_PX), min(height, width) // 16), 1)
    small = strips.reduced(picture, step)
    kernel = psf.aperture(diameter_px / step, lens.blades, lens.roundness, lens.turn_deg)
    seen = cv2.filter2D(small, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return strips.enlarged(seen, step, slice(0, height), width)
