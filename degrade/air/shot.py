"""Shot noise of a camera behind haze: what the scene's own noise lost on its way is put back.

    I' = max(I + sqrt(gain I) n, 0),    n of mean 0 and variance 1, one value for all channels

in linear light: developed photos keep little colour noise. Behind the densest haze sigma is two codes of the file, so n has
256 levels, from 8 random bits: a quarter of the cost of a fine field.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields
from degrade.contract import Linear

CODES = 256


def words(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return 8 random bits for every pixel, HxW, a pure function of the seed."""
    count = height * width
    return fields.random_words(seed, ((count + 1) // 2,)).view(np.uint8)[:count].reshape(height, width)


@functools.cache
def quantiles() -> NDArray[np.float32]:
    """Return the 256 midpoint quantiles of a normal distribution, 1x256, scaled to a variance of one."""
    step = fields.LEVELS // CODES
    table = fields.as_normal(np.arange(step // 2, fields.LEVELS, step, dtype=np.uint16)[None])
    table -= table.mean(dtype=np.float64)
    return np.asarray(table / table.std(), np.float32)


def add(light: Linear, drawn: NDArray[np.uint8], gain: float) -> None:
    """Add shot noise to light, in place.

    Args:
        light: HxWx3, not below zero.
        drawn: HxW, of `words`.
        gain: variance per linear light.
    """
    grain = cv2.cvtColor(cv2.LUT(drawn, quantiles() * np.float32(gain**0.5)), cv2.COLOR_GRAY2RGB)
    cv2.accumulateProduct(cv2.sqrt(light), grain, light)
    cv2.threshold(light, 0.0, 0.0, cv2.THRESH_TOZERO, dst=light)
