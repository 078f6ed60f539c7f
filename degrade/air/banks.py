"""Fog banks: images of real fog and smoke, read as how dense the air is, never pasted as grey.

    k = max(1 + sum of s (d - mean d), THINNEST),    d = luminance x alpha of the image, laid into the picture,

multiplies the optical depth along each ray: what stands before the bank stays clear, what lies behind it fades into the
airlight of the scene, and on average over the picture the air is as thick as it was. (RealRestorer blends about 200 such patterns
over the finished picture, whatever its light and its depth.)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.contract import Map, Texture

THINNEST = 0.15  # no bank clears the air beside it altogether
GRAIN_PX = 128  # long side to which an image is reduced: fog is soft
RIM = 0.12  # share of its side over which an image fades: a photo of fog ends nowhere
FULL = 99.0  # percentile of an image that counts as its densest: dim pictures are no thinner fog
LUMINANCE = np.array([camera.LUMINANCE], np.float32)


class Bank(NamedTuple):
    """Where one image of the bank lies in the picture, and how dense it is."""

    x_frac: float  # of its centre, in widths
    y_frac: float  # in heights
    size_frac: float  # its side, in long sides of the picture
    flatness: float  # its height over its width, as laid: fog lies in layers
    angle_deg: float  # by which it is turned before it is flattened
    mirrored: bool
    strength: float  # how much more extinction at its densest, in parts of the even air's


def relative_density(textures: Sequence[Texture], banks: Sequence[Bank], shape: tuple[int, int]) -> Map:
    """Return how many times as dense as even air the air is on each ray, hxw, 1 on average.

    Args:
        textures: an image for each bank, HxWx4 uint8.
        banks: how they lie.
        shape: height and width of the result.
    """
    factor = np.ones(shape, np.float32)
    for texture, bank in zip(textures, banks, strict=False):
        laid = _laid(_read(texture), bank, shape)
        factor += np.float32(bank.strength) * (laid - laid.mean())
    return np.maximum(factor, np.float32(THINNEST))


def _read(texture: Texture) -> Map:
    """Return an image as density 0..1, small, fading at its rim."""
    height, width = texture.shape[:2]
    scale = min(GRAIN_PX / max(height, width), 1.0)
    small = cv2.resize(texture, (max(round(width * scale), 8), max(round(height * scale), 8)), interpolation=cv2.INTER_AREA)
    light = cv2.transform(camera.to_linear(np.ascontiguousarray(small[..., :3])), LUMINANCE)
    density = light * small[..., 3] * _window(*small.shape[:2])
    return np.asarray(np.minimum(density / max(float(np.percentile(density, FULL)), 1e-3), 1), np.float32)


@functools.lru_cache(8)
def _window(height: int, width: int) -> Map:
    """Return 1 inside and a smooth way down to 0 at the rim."""
    down, across = (np.clip((0.5 - np.abs((np.arange(side) + 0.5) / side - 0.5)) / RIM, 0, 1) for side in (height, width))
    ramp = np.minimum(down[:, None], across[None])
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _laid(density: Map, bank: Bank, shape: tuple[int, int]) -> Map:
    """Return a density turned, flattened and put at its place; 0 where it does not reach."""
    height, width = shape
    rows, columns = density.shape
    side = bank.size_frac * max(shape) / max(rows, columns)  # px of the picture per px of the image
    turn = math.radians(bank.angle_deg)
    across = -1.0 if bank.mirrored else 1.0
    turned = np.array([[math.cos(turn) * across, -math.sin(turn)], [math.sin(turn) * across, math.cos(turn)]])
    forth = side * np.diag([1.0, bank.flatness]) @ turned
    place = np.array([bank.x_frac * width - 0.5, bank.y_frac * height - 0.5])
    matrix = np.column_stack([forth, place - forth @ np.array([(columns - 1) / 2, (rows - 1) / 2])])
    return cv2.warpAffine(density, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
