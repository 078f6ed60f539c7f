"""A pair at the sizes at which evidence is taken: linear light, reduced once for all that look at it.

What a degradation does to light is said in linear light, and most of it is wide: 512 and 256 px on the short side hold it,
and average noise away. A smaller photo is taken as it is. Lengths are therefore measured in short sides, never in pixels of a copy.
"""

from __future__ import annotations

import functools
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Linear, Map, Srgb

T = TypeVar("T", bound=np.generic)

FINE_PX, COARSE_PX = 512, 256  # short sides of the copies
LEAST_PX = 64  # a shorter side holds too few tiles to compare
LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)


class Finding(NamedTuple):
    """What one degradation finds in a pair."""

    strength: float  # in the degradation's own unit; rises with severity
    explained: float  # 0..1: whether the degraded side is this clean side behind such a degradation


class Both(NamedTuple):
    """The two sides in linear light, HxWx3 float32 in [0, 1], of one size."""

    clean: Linear
    degraded: Linear


class Sides:
    """A pair, and its copies in linear light, made when they are first asked for.

    Args:
        clean: HxWx3 uint8 sRGB, no side below `LEAST_PX`.
        degraded: the same size.
    """

    def __init__(self, clean: Srgb, degraded: Srgb) -> None:
        self.clean = clean
        self.degraded = degraded

    @functools.cached_property
    def fine(self) -> Both:
        """The sides at most 512 px short."""
        return Both(light_of(self.clean, FINE_PX), light_of(self.degraded, FINE_PX))

    @functools.cached_property
    def coarse(self) -> Both:
        """The sides at most 256 px short."""
        return Both(reduced(self.fine.clean, COARSE_PX), reduced(self.fine.degraded, COARSE_PX))


@functools.cache
def _table() -> NDArray[np.uint16]:
    light = camera.srgb_to_linear(np.arange(256) / 255.0)
    return np.rint(light * camera.TOP).astype(np.uint16).reshape(1, 256)


def light_of(photo: Srgb, short_side_px: int) -> Linear:
    """Return the linear light of a photo, its short side at most as long as asked for: each value the mean of what it covers."""
    light = reduced(cv2.LUT(photo, _table()), short_side_px)  # 16 bits on the way: a quarter of the time of floats
    return np.multiply(light, np.float32(1 / camera.TOP), dtype=np.float32)


def reduced(picture: NDArray[T], short_side_px: int) -> NDArray[T]:
    """Return a picture reduced by area to a short side, never enlarged."""
    height, width = picture.shape[:2]
    scale = short_side_px / min(height, width)
    if scale >= 1.0:
        return picture
    return cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def luminance(picture: Linear) -> Map:
    """Return the luminance HxW of linear light."""
    return cv2.transform(picture, LUMINANCE)


def fine_part(picture: Map, sigma_px: float) -> Map:
    """Return what is finer than a Gaussian of this width."""
    return picture - cv2.GaussianBlur(picture, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
