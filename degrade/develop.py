"""From a finished photo back to the light of one camera, and from there to a photo again.

    linear sRGB --inverse tone--> scene light --colour matrix--> balanced camera light --inverse gains--> RAW

Every step and number is of Brooks et al., "Unprocessing Images for Learned RAW Denoising" (CVPR 2019): the tone curve
is a smoothstep on sRGB values, undone by 0.5 - sin(asin(1 - 2x) / 3); the matrix is a random convex mix of four
cameras'; RAW is divided by a brightness gain and by the white balance gains of red and blue.

Two departures. The sRGB curve is left before (`camera.to_linear`), so the tone curve acts here on linear light, as one
16-bit table; on the way out scene light has 15 bits, 39 steps per 8-bit code where the curve is steepest. And the
published highlight-safe gain blends towards 1 by the mean of three channels, which cannot be undone; ours is a shoulder
per channel, g x + (1 - g) ((x - 0.9) / 0.1)^2 above 0.9: white is still the sensor's clipping point, and developing what
was un-developed gives the photo back.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.camera import TOP, linear_to_srgb, shown_words, srgb_to_linear, to_16_bit
from degrade.contract import Linear, Srgb

Raw = NDArray[np.float32]  # HxWx3 before white balance, 1.0 = the sensor clips
Codes = NDArray[np.int16]  # HxWx3 scene light in steps of 1/32767: what exceeds white saturates, what is negative shows black
Matrix = NDArray[np.float64]

WHITE = 32767.0  # code of display white

KNEE = 0.9  # balanced light above which the inverse gains turn back to 1

# XYZ (D65) -> camera RGB of the four cameras of the Darmstadt Noise Dataset (Ploetz and Roth, CVPR 2017), as
# published with Brooks et al.: Huawei Nexus 6P, Sony A7R, Olympus E-M10, Sony RX100 IV.
XYZ_TO_CAMERA = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
SRGB_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


class Look(NamedTuple):
    """The colours of one camera in one light."""

    matrix_mix: tuple[float, float, float, float]  # weights of the four cameras; only their ratios count
    rgb_gain: float  # brightness gain of the development
    red_gain: float  # white balance, relative to green
    blue_gain: float


def to_camera(look: Look) -> Matrix:
    """Return the 3x3 matrix from linear sRGB to balanced camera light; its rows sum to 1, so grey stays grey."""
    weights = np.array(look.matrix_mix) / sum(look.matrix_mix)
    matrix = np.tensordot(weights, XYZ_TO_CAMERA, 1) @ SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def raw_gains(look: Look) -> tuple[float, float, float]:
    """Return what turns balanced camera light into RAW values: one factor for red, green and blue."""
    green = 1.0 / look.rgb_gain
    return green / look.red_gain, green, green / look.blue_gain


@functools.cache
def _untone_table() -> NDArray[np.float32]:
    shown = linear_to_srgb(np.arange(65536) / TOP)
    flat = 0.5 - np.sin(np.arcsin(1.0 - 2.0 * shown) / 3.0)
    return srgb_to_linear(np.clip(flat, 0.0, 1.0)).astype(np.float32).reshape(1, 65536)


@functools.cache
def _untone_codes() -> NDArray[np.int16]:
    return np.asarray(np.rint(_untone_table() * WHITE), np.int16)


@functools.cache
def _untone_shown() -> NDArray[np.int16]:
    return cv2.LUT(shown_words(), _untone_codes())


@functools.cache
def _finish_table() -> NDArray[np.uint8]:
    """Return the 8-bit value of every code, negative ones last, as their bits read without a sign."""
    flat = linear_to_srgb(np.arange(32768) / WHITE)
    shown = np.rint(flat * flat * (3.0 - 2.0 * flat) * 255.0).astype(np.uint8)
    return np.concatenate([shown, np.zeros_like(shown)]).reshape(1, 65536)


def untone(linear: Linear) -> Linear:
    """Return the scene's light: linear light with the tone curve taken off, HxWx3 float32 in [0, 1].

    Light above display white is clipped: the sensor that took the photo clipped there.
    """
    return cv2.LUT(to_16_bit(linear), _untone_table())


def untone_to_codes(picture: Linear | Srgb, to: Codes) -> None:
    """Write the scene's light, of linear light or of 8-bit sRGB, as codes: half the memory, as exact as a photo needs."""
    if picture.dtype == np.uint8:
        cv2.LUT(picture, _untone_shown(), to)
    else:
        cv2.LUT(to_16_bit(np.asarray(picture, np.float32)), _untone_codes(), to)


def to_codes(light: Linear) -> Codes:
    """Return scene light as codes; what exceeds white saturates."""
    sheet = light.reshape(len(light), -1)
    return cv2.addWeighted(sheet, WHITE, sheet, 0.0, 0.0, dtype=cv2.CV_16S).reshape(light.shape)


def finish(codes: Codes, to: Srgb | None = None) -> Srgb:
    """Return the photo of scene light, or write it: tone curve, sRGB curve, 8 bits."""
    return cv2.LUT(codes.view(np.uint16), _finish_table(), to)


def close_shoulder(balanced: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Return the RAW values of one colour's balanced light, any shape; 1 stays 1 for gains below 1."""
    raw = np.multiply(balanced, np.float32(gain))
    if gain < 1.0 and balanced.max() > KNEE:
        over = np.subtract(balanced, np.float32(KNEE))
        np.clip(over, 0.0, np.inf, out=over)
        over *= over
        over *= np.float32((1.0 - gain) / (1.0 - KNEE) ** 2)
        raw += over
    return raw


def open_shoulder(raw: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Return the balanced light of one colour's RAW values, any shape: undoes `close_shoulder`."""
    if gain >= 1.0 or raw.max() <= KNEE * gain:
        return np.multiply(raw, np.float32(1.0 / gain))
    bend = (1.0 - gain) / (1.0 - KNEE) ** 2
    straight = np.minimum(raw, np.float32(KNEE * gain))
    over = raw - straight
    over *= np.float32(4.0 * bend)
    over += np.float32(gain * gain)
    np.sqrt(over, out=over)
    over -= np.float32(gain)  # (sqrt(g^2 + 4 bend (raw - straight)) - g) / (2 bend) above the knee, else 0
    over *= np.float32(0.5 / bend)
    straight *= np.float32(1.0 / gain)
    straight += over
    return straight


def un_develop(linear: Linear, look: Look) -> Raw:
    """Return the RAW values that would have made this photo, all three colours at every pixel.

    Args:
        linear: HxWx3 float32 linear sRGB; clipped to [0, 1].
        look: the camera.

    Returns:
        HxWx3 float32; colours outside the camera's gamut go slightly below 0 or above 1.
    """
    balanced = cv2.transform(untone(linear), to_camera(look).astype(np.float32))
    planes = [close_shoulder(plane, gain) for plane, gain in zip(cv2.split(balanced), raw_gains(look), strict=True)]
    return cv2.merge(planes)


def develop(raw: Raw, look: Look) -> Srgb:
    """Return the photo of RAW values: white balance, colour matrix, tone curve, sRGB, 8 bits; undoes `un_develop`."""
    planes = [open_shoulder(plane, gain) for plane, gain in zip(cv2.split(raw), raw_gains(look), strict=True)]
    return finish(to_codes(cv2.transform(cv2.merge(planes), np.linalg.inv(to_camera(look)).astype(np.float32))))
