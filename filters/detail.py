"""How sharp and how noisy a photo is, by how its neighbouring pixels differ, without a model and without a reference.

Sharpness is an exponent. Natural edges and textures are rough: the mean square difference of two pixels r apart grows
like r^(2H), with H near 1/2 for step edges and for 1/f^2 textures alike. Blur makes them smooth, H = 1. So

    sharpness = 1 - H,   2H = log2(D(2) / D(1)),   D(r) = mean (I(x + r) - I(x))^2 - 2 sigma^2

is 0.5 for ideal edges, 0.15 to 0.6 for photos as cameras and their software leave them, below 0.1 from a Gaussian blur
of 1.5 pixels on, whatever the contrast (structure functions: Kolmogorov 1941; D(1) alone, the usual gradient energy,
would call every low-contrast photo soft). It is taken in tiles with some structure, the sharpest tenth of which speaks
for the photo, because a blurred background is no fault. And it is taken along and across: the smaller counts, and by as
much less as it is smaller than the other, because a shaken camera blurs one direction only.

Noise is what a Laplacian that is blind to edges and ramps leaves in the quietest tiles (Immerkaer, CVIU 1996; there
over the whole picture, which takes texture for noise). Tiles near black or white are left out, for clipping silences
noise. Both work on the luma of groups of three neighbouring lines, spread so that a photo of any size costs the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Srgb

LINE_PX = 1 << 19  # pixels in the first lines of all groups
TILE_WIDTH, TILE_LINES = 64, 16
LOUD = 12.0  # D(1) + D(2), levels^2, from which a tile has structure
SHARPEST = 0.9  # quantile of the tiles that speaks for sharpness
QUIETEST = 0.08  # quantile of the tiles that speaks for noise
DARK, BRIGHT = 12, 243  # mean luma between which noise is not clipped
_TO_SIGMA = math.sqrt(math.pi / 2) / 6  # of the mean absolute response of Immerkaer's mask to white noise
LEAST_PX = 4  # a side below it has no neighbours to compare


class Lines(NamedTuple):
    """Three planes of luma, each HxW uint8: the lines y, y + 1 and y + 2 of every group."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    third: NDArray[np.uint8]


def lines(pixels: Srgb) -> Lines:
    """Return groups of three neighbouring lines, evenly spread over a photo of at least 4x4 pixels."""
    height, width = pixels.shape[:2]
    step = max(3, math.ceil(height * width / LINE_PX))
    count = max(1, (height - 2) // step)
    planes = [cv2.cvtColor(np.ascontiguousarray(pixels[at::step][:count]), cv2.COLOR_RGB2GRAY) for at in range(3)]
    return Lines(*planes)


def noise_sigma(groups: Lines) -> float:
    """Return the standard deviation of the noise in luma, 8-bit levels."""
    planes = [plane.astype(np.float32) for plane in groups]
    down = cv2.addWeighted(planes[0], 1.0, planes[2], 1.0, 0.0)
    down = cv2.scaleAdd(planes[1], -2.0, down)
    across = cv2.addWeighted(down[:, :-2], 1.0, down[:, 2:], 1.0, 0.0)
    response = _tiles(np.abs(cv2.scaleAdd(down[:, 1:-1], -2.0, across)))
    level = _tiles(planes[1][:, 1:-1])
    heard = response[(level > DARK) & (level < BRIGHT)]
    return float(np.quantile(heard, QUIETEST)) * _TO_SIGMA if heard.size else 0.0


def sharpness(groups: Lines, sigma: float) -> float:
    """Return 1 - H of the sharpest tenth of the tiles that hold structure: 0 smooth, 0.5 ideal edges, 1 white noise.

    Args:
        groups: from `lines`.
        sigma: the noise, from `noise_sigma`; it is no detail, and what it adds is taken off.
    """
    first, second, third = groups
    along = _roughness(first[:, 1:-1], first[:, :-2], first[:, 2:], sigma)
    across = _roughness(second[:, 1:-1], first[:, 1:-1], third[:, 1:-1], sigma)
    less, more = sorted((along, across))
    return less * less / more if more else 0.0


def _roughness(middle: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8], sigma: float) -> float:
    near, far = _squared_difference(middle, before), _squared_difference(after, before)
    structured = near + far > max(LOUD, 12 * sigma**2)
    if not structured.any():
        return 0.0
    near, far = (np.maximum(part[structured] - 2 * sigma**2, 1e-3) for part in (near, far))
    exponent = np.log2(np.clip(far / near, 1.0, 4.0)) / 2
    return float(np.quantile(1 - exponent, SHARPEST))


def _squared_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Map:
    difference = cv2.absdiff(one, other)
    return _tiles(cv2.multiply(difference, difference, dtype=cv2.CV_32F))


def _tiles(plane: Map) -> Map:
    """Return the mean of every tile; what is left over at the right and below is left out."""
    height, width = plane.shape
    rows, columns = max(1, height // TILE_LINES), max(1, width // TILE_WIDTH)
    whole = plane[: max(height - height % TILE_LINES, height % TILE_LINES), : max(width - width % TILE_WIDTH, width % TILE_WIDTH)]
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
