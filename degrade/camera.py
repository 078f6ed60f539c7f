"""The camera's light: sRGB to linear light and back, once each way.

The transfer curve is IEC 61966-2-1's. Both directions are tables: 8-bit photos have 256 codes, and linear light is
quantised to 16 bits on its way out, which is 20 steps per 8-bit code where the curve is steepest, so that
`to_srgb(to_linear(x)) == x` holds for every code.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Srgb

TOP = 65535.0
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue (ITU-R BT.709)


def srgb_to_linear(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the linear light of sRGB values in [0, 1]."""
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sRGB values of linear light in [0, 1]."""
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * np.maximum(value, 0.0031308) ** (1 / 2.4) - 0.055)


@functools.cache
def _decode_table() -> NDArray[np.float32]:
    return srgb_to_linear(np.arange(256) / 255.0).astype(np.float32).reshape(1, 256)


@functools.cache
def _encode_table() -> NDArray[np.uint8]:
    return np.rint(linear_to_srgb(np.arange(65536) / TOP) * 255.0).astype(np.uint8).reshape(1, 65536)


def to_linear(srgb: Srgb) -> Linear:
    """Return linear light, float32 in [0, 1], of an 8-bit sRGB picture."""
    return cv2.LUT(srgb, _decode_table())


def light_of(picture: Linear | Srgb) -> Linear:
    """Return the linear light of a picture that is linear light or 8-bit sRGB."""
    return to_linear(np.asarray(picture, np.uint8)) if picture.dtype == np.uint8 else np.asarray(picture, np.float32)


@functools.cache
def shown_words() -> NDArray[np.uint16]:
    """Return the 16-bit linear light of the 256 sRGB values, 1x256."""
    return to_16_bit(_decode_table())


def to_16_bit(linear: Linear) -> NDArray[np.uint16]:
    """Return linear light as 16-bit integers, clipped to [0, 1] and rounded."""
    sheet = linear.reshape(len(linear), -1)
    scaled = cv2.addWeighted(sheet, TOP, sheet, 0.0, 0.0, dtype=cv2.CV_16U)  # thrice as fast as cv2.multiply by a scalar
    return scaled.reshape(linear.shape)


def to_srgb(linear: Linear) -> Srgb:
    """Return the 8-bit sRGB picture of linear light; what exceeds [0, 1] is clipped as a sensor and a file would."""
    return cv2.LUT(to_16_bit(linear), _encode_table())


def shown_of(picture: Linear | Srgb) -> Srgb:
    """Return the 8-bit sRGB of a picture that is linear light or 8-bit sRGB."""
    return np.asarray(picture, np.uint8) if picture.dtype == np.uint8 else to_srgb(np.asarray(picture, np.float32))


def recover_highlights(linear: Linear, gain: float, knee: float = 0.9) -> Linear:
    """Return light in which what the sensor clipped holds more than display white again.

    A smooth lift: untouched below the knee, `gain` times as bright at 1.0, so that lamps and sun carry their power
    into blur, glow and flare (the saturation lift of RSBlur, Rim et al., ECCV 2022, made continuous).

    Args:
        linear: HxWx3 float32 in [0, 1].
        gain: how much brighter than display white a clipped pixel is taken to be, >= 1.
        knee: the linear value above which the lift begins, per channel.
    """
    if gain <= 1.0:
        return linear
    excess = np.subtract(linear, np.float32(knee))
    np.clip(excess, 0.0, np.inf, out=excess)
    lift = cv2.multiply(excess, excess, scale=(gain - 1.0) / (1.0 - knee) ** 2)
    return cv2.add(linear, lift)
