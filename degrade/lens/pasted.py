"""Flares of a bank: photographed or drawn flares on black, laid over real lights.

Backgrounds of banks are never quite black, so a level is subtracted first (Wu et al., ICCV 2021, allow 0.02); then flips, turns, sizes
and blurs make one image into many. They differ from the bank's usual use in that they sit on the photo's own lights.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.contract import Linear, Texture

WORK_PX = 512  # long side at which an image of a bank is prepared


class Pasted(NamedTuple):
    """What is done to one image of the bank."""

    weight: float
    rotation_deg: float
    scale: float  # long side of the image, short sides of the photo
    flip: bool
    offset: float  # linear light that counts as the image's own background
    blur_frac: float


def prepared(texture: Texture, pasted: Pasted) -> Linear:
    """Return the flare of an image of the bank, hxwx3 of unit sum in green.

    Args:
        texture: HxWx4 sRGB and alpha.
        pasted: flip, background level and blur.
    """
    scale = min(WORK_PX / max(texture.shape), 1.0)
    small = cv2.resize(texture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else texture
    light = camera.to_linear(np.ascontiguousarray(small[..., :3]))
    light *= cv2.cvtColor(small[..., 3], cv2.COLOR_GRAY2RGB) * np.float32(1 / 255)
    light = np.maximum(light - np.float32(pasted.offset), 0)
    light = cv2.flip(light, 1) if pasted.flip else light
    sigma = pasted.blur_frac * max(light.shape) / pasted.scale
    light = cv2.GaussianBlur(light, (0, 0), sigma) if sigma > 0.3 else light
    return light / np.float32(max(float(cv2.sumElems(light)[1]), 1e-6))


def draw(canvas: Linear, flare: Linear, pasted: Pasted, light: tuple[float, float], energy: tuple[float, float, float]) -> None:
    """Add a prepared flare to a canvas with its middle on a light, in place.

    Args:
        canvas: HxWx3 linear light.
        flare: of `prepared`.
        pasted: turn, size and weight.
        light: px; may be outside.
        energy: sum over the flare's pixels per weight, for each channel.
    """
    scale = pasted.scale * min(canvas.shape[:2]) / max(flare.shape)
    height, width = flare.shape[:2]
    turn = math.radians(pasted.rotation_deg)
    matrix = np.array([[math.cos(turn), -math.sin(turn), 0.0], [math.sin(turn), math.cos(turn), 0.0]]) * scale
    matrix[:, 2] = np.array(light) - matrix[:, :2] @ np.array([(width - 1) / 2, (height - 1) / 2])
    strength = np.array(energy) * (pasted.weight / scale**2)
    placed = cv2.warpAffine(cv2.multiply(flare, (*strength.tolist(), 0.0)), matrix, canvas.shape[1::-1], flags=cv2.INTER_LINEAR)
    canvas += placed
