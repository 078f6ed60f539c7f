"""Noise as blind super-resolution adds it between two resizings: to 8-bit codes, Gaussian or by photons, grey or in colour.

    Gaussian   y = x + s n                      n ~ N(0, 1)
    Poisson    y = P(x N) / N                   x in 0..1, N photons at white

Published recipes give Poisson noise a "scale" a and draw P(256 x) first, so that var = a^2 x / 256; that a is no count.
We turn it into the photons of the same variance, N = 256 / a^2, and both kinds are recorded by one number: their
deviation in codes at middle grey. A code never leaves 0..255 by wrapping, and no count is ever asked of negative light.
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import sensor
from degrade.arrays import fields, strips
from degrade.contract import Srgb

MIDDLE: Final = 0.5  # of white: where the deviation is told
KINDS: Final = ("gaussian", "poisson")
MID_PER_SCALE: Final = 255.0 * (MIDDLE / 256.0) ** 0.5  # codes at middle grey of a published Poisson scale of 1


class Speckle(NamedTuple):
    """One dose of noise."""

    kind: str  # of KINDS
    sigma: float  # deviation in codes at middle grey
    grey: bool  # the same in red, green and blue
    seed: int


def photons(sigma: float) -> float:
    """Return the photons at white whose count deviates by so many codes at middle grey."""
    return MIDDLE * (255.0 / sigma) ** 2


@functools.cache
def _shares() -> NDArray[np.float32]:
    return (np.arange(256) / 255.0).astype(np.float32).reshape(1, 256)


def speckled(picture: Srgb, speckle: Speckle) -> Srgb:
    """Return a picture with noise: HxWx3 uint8, clipped to 0..255.

    Args:
        picture: HxWx3 uint8; left untouched.
        speckle: kind and strength.
    """
    height, width = picture.shape[:2]
    words = fields.random_words(speckle.seed, (height, width if speckle.grey else 3 * width))
    made = np.empty_like(picture)
    for rows in strips.rows_of(picture.shape):
        noise = _noise(picture[rows], words[rows], speckle)
        cv2.add(picture[rows], cv2.merge([noise] * 3) if speckle.grey else noise.reshape(-1, width, 3), made[rows], dtype=cv2.CV_8U)
    return made


def _noise(picture: Srgb, words: NDArray[np.uint16], speckle: Speckle) -> NDArray[np.float32]:
    """Return the noise of some rows in codes, HxW if it is grey, else Hx3W."""
    if speckle.kind == "gaussian":
        return fields.as_normal(words) * np.float32(speckle.sigma)
    seen = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if speckle.grey else picture.reshape(len(picture), -1)
    return sensor.shot_noise(cv2.LUT(seen, _shares()), 1.0 / photons(speckle.sigma), words) * np.float32(255.0)
