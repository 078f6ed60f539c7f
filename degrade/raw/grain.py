"""Film grain: clumps of silver or dye, strongest in the middle tones and as coarse as the film is fast.

In a Boolean model of grains the light through a small window varies as u (1 - u), u the share that is covered
(Newson, Delon and Galerne, "A Stochastic Film Grain Model for Resolution-Independent Rendering", CGF 2017). We take that law of
the mean and replace its Monte Carlo by a Gaussian field of the grain's size: alike at the sizes one prints. The three
dye layers share most of their grain.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.arrays import fields
from degrade.contract import Linear, Map, Srgb

SIGMA_AT_400 = 0.022  # deviation of sRGB values in the middle tones of an ISO 400 film, scanned to a megapixel


class Grain(NamedTuple):
    """One film."""

    size_px: float  # diameter of a clump
    colour_frac: float  # share of each layer's variance that is its own: 0 is black-and-white grain
    seed: int


def sigma(iso: float) -> float:
    """Return the deviation of sRGB values (0..1) in the middle tones of a film of this speed."""
    return SIGMA_AT_400 * math.pow(iso / 400.0, 0.35)  # granularity of films grows with about the cube root of speed


def _field(seed: int, height: int, width: int, size_px: float) -> Map:
    """Return Gaussian noise of unit variance, smooth over `size_px`."""
    blur_px = 0.35 * size_px
    side = 2 * max(int(2.5 * blur_px + 0.5), 1) + 1
    kernel = np.asarray(cv2.getGaussianKernel(side, blur_px), np.float64)
    kernel /= math.sqrt(float(np.square(kernel).sum()))  # each pass keeps the variance
    return cv2.sepFilter2D(fields.gaussian(seed, height, width), cv2.CV_32F, kernel, kernel)


@functools.cache
def _shown_table() -> NDArray[np.float32]:
    return camera.linear_to_srgb(np.arange(65536) / camera.TOP).astype(np.float32).reshape(1, 65536)


@functools.cache
def _spread_table() -> NDArray[np.float32]:
    shown = _shown_table()
    return cv2.sqrt(4.0 * shown * (1.0 - shown))


def render(linear: Linear, iso: float, grain: Grain) -> Srgb:
    """Return the scan of a film: 8-bit sRGB.

    Args:
        linear: HxWx3 linear light.
        iso: the film's speed.
        grain: its clumps.
    """
    height, width = linear.shape[:2]
    words = camera.to_16_bit(linear)
    shared = _field(grain.seed, height, width, grain.size_px) * np.float32(math.sqrt(1.0 - grain.colour_frac))
    own = math.sqrt(grain.colour_frac)
    layers = [cv2.scaleAdd(_field(grain.seed + 1 + layer, height, width, grain.size_px), own, shared) for layer in range(3)]
    noise = cv2.multiply(cv2.merge(layers), cv2.LUT(words, _spread_table()), scale=255.0 * sigma(iso))
    return cv2.addWeighted(cv2.LUT(words, _shown_table()), 255.0, noise, 1.0, 0.0, dtype=cv2.CV_8U)
