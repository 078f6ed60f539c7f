"""Veiling glare and rings: light that glass, dust and barrel scatter over the whole frame.

    V(x) = sum over lights of E / (r^2 + core^2)^(fall / 2)    +    the scene's own highlights, spread wide

Glare falls with about the second power of the angle (Stiles and Holladay's law of the eye; lenses: McCann and Rizzi, 2007). A
light beyond the edge of the frame sends the same veil in.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields
from degrade.contract import Linear, Map

GRID_PX = 128  # short side of the grid: all here is soft
NARROW, WIDE = 0.03, 0.2  # short sides: what the scene's highlights are spread by, half each


class Veil(NamedTuple):
    """Scatter without structure."""

    weight: float
    fall: float  # power of the distance
    core_frac: float  # radius inside which the veil is even
    scene: float  # share of it that comes from the scene's highlights instead of its lights


class Halo(NamedTuple):
    """A faint ring round the light, from the rim of an element."""

    weight: float
    radius_frac: float
    width_frac: float
    dispersion: float  # by how much red is larger than blue
    seed: int  # of its unevenness round the ring


class Shine(NamedTuple):
    """A light as the lens sees it."""

    x: float  # px of the grid
    y: float
    energy: NDArray[np.float64]  # per channel, the strongest light's luminance about 1


def distances(shine: Shine, shape: tuple[int, ...]) -> tuple[Map, Map]:
    """Return the horizontal and vertical distance of every pixel from a light, in short sides: 1xW and Hx1."""
    short = np.float32(min(shape[:2]))
    across = (np.arange(shape[1], dtype=np.float32) - np.float32(shine.x)) / short
    down = (np.arange(shape[0], dtype=np.float32) - np.float32(shine.y)) / short
    return across[None], down[:, None]


def veil(scene: Linear, shines: tuple[Shine, ...], params: Veil) -> Linear:
    """Return the veil at the size of the scene, mean 1 in luminance before the colours of the lights.

    Args:
        scene: hxwx3 linear light at low resolution, highlights recovered.
        shines: the lights, in px of that grid.
        params: what was drawn.
    """
    made = np.zeros_like(scene)
    for shine in shines:
        across, down = distances(shine, scene.shape)
        spread = cv2.pow((across * across + np.float32(params.core_frac**2)) + down * down, -params.fall / 2)
        made += spread[..., None] * shine.energy.astype(np.float32)
    made *= np.float32((1 - params.scene) / max(float(made.mean()), 1e-12))
    short = min(scene.shape[:2])
    bright = scene * scene  # what is bright counts, what is dull gives a flat floor
    around = cv2.GaussianBlur(bright, (0, 0), NARROW * short, borderType=cv2.BORDER_REFLECT)
    around += cv2.GaussianBlur(bright, (0, 0), WIDE * short, borderType=cv2.BORDER_REFLECT)
    made += around * np.float32(params.scene / max(float(around.mean()), 1e-12))
    return made


def halo(shape: tuple[int, ...], shine: Shine, params: Halo) -> Linear:
    """Return the ring round a light, hxwx3, of unit mean over a square short side in green."""
    across, down = distances(shine, shape)
    radius = np.sqrt(across * across + down * down)
    angle = np.arctan2(np.broadcast_to(down, radius.shape), np.broadcast_to(across, radius.shape)) * np.float32(6 / math.pi) + np.float32(8)
    uneven = cv2.remap(_round_the_ring(params.seed), angle.astype(np.float32), np.zeros_like(radius), cv2.INTER_LINEAR)
    channels = []
    for red in (1, 0, -1):
        offset = (radius - np.float32(params.radius_frac * (1 + params.dispersion * red))) / np.float32(params.width_frac)
        channels.append(cv2.exp(-0.5 * np.maximum(offset, -0.5 * offset) ** 2) * uneven)  # a soft inner, a sharper outer edge
    area = 2 * math.pi * params.radius_frac * params.width_frac * math.sqrt(2 * math.pi)
    made: Linear = cv2.merge(channels) * (shine.energy / area).astype(np.float32)
    return made


def _round_the_ring(seed: int) -> Map:
    """Return brightness for 12 parts of the turn, and for those before and after, 1x17."""
    parts = np.clip(1 + 0.45 * fields.gaussian(seed, 1, 12), 0.1, None)
    return np.concatenate([parts[:, -2:], parts, parts[:, :3]], 1)
