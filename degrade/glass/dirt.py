"""Dirt on the glass: it takes away from what passes and scatters the light that falls on it from the mirrored side.

Wiped smears (fractal noise, drawn out along a wipe) and specks of dust, or pictures of real dirt from a bank. The pane
is nearer than what the camera is focused on: dirt is never sharp, and close to the lens it is a veil.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.arrays import fields, strips
from degrade.contract import Linear, Map, Texture
from degrade.stream import field_rng

ALBEDO = 0.5  # of grey dust: the share of what it takes that comes back, not only to the camera
WIPE_LENGTH = 5  # length of a smear in its widths
OPAQUE = 0.2  # most that a speck of dust covers
SPECK_FRACS = (0.0006, 0.0018)  # radii of specks, short sides


class Dirt(NamedTuple):
    """Dirt that is made up."""

    coverage: float  # mean share of the glass that is covered
    speck_share: float  # of the coverage that is dust, the rest smears
    specks: int  # in the frame
    wipe_deg: float  # direction of the smears
    seed: int


class Placement(NamedTuple):
    """How an image of the bank lies on the glass."""

    turn_deg: float
    size_frac: float  # its long side, long sides of the frame; more than 1 hides its ends
    x_frac: float  # where its centre lies
    y_frac: float
    strength: float  # of its alpha


def soiled(dirt: Dirt, shape: tuple[int, int]) -> Map:
    """Return the covered share of the glass at every pixel, before defocus, HxW in [0, 0.9]."""
    half = -(-shape[0] // 2), -(-shape[1] // 2)  # smears are soft
    smears = strips.enlarged(_smears(dirt, half), 2, slice(0, shape[0]), shape[1]) * np.float32(dirt.coverage * (1 - dirt.speck_share))
    dust = np.minimum(_dust(dirt, shape) * np.float32(dirt.coverage * dirt.speck_share), np.float32(OPAQUE))
    return np.minimum(smears + dust, np.float32(0.9))


def _smears(dirt: Dirt, shape: tuple[int, int]) -> Map:
    """Return smears of mean 1, drawn out along the wipe."""
    height, width = shape
    reach = math.hypot(height, width)
    noise = fields.fractal(dirt.seed, int(reach) + 1, int(reach / WIPE_LENGTH) + 1, 0.05 * min(shape))
    turn = math.radians(dirt.wipe_deg)
    ahead, beside = math.cos(turn), math.sin(turn)
    out = np.array([[ahead / WIPE_LENGTH, beside / WIPE_LENGTH, 0.0], [-beside, ahead, 0.0]])
    out[:, 2] = (noise.shape[1] / 2, noise.shape[0] / 2) - out[:, :2] @ (width / 2, height / 2)
    wiped = cv2.warpAffine(noise, out, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)
    smears = cv2.exp(wiped)
    return smears / np.float32(max(float(smears.mean()), 1e-6))


def _dust(dirt: Dirt, shape: tuple[int, int]) -> Map:
    """Return specks of mean 1 at random places: for each large one there are many that are hardly seen."""
    places = field_rng(dirt.seed).random((dirt.specks, 3))
    rows, columns = (places[:, :2] * shape).astype(np.intp).T
    total = np.zeros(shape, np.float32)
    for coarse, radius_frac in enumerate(SPECK_FRACS):
        points = np.zeros(shape, np.float32)
        at = slice(coarse, None, len(SPECK_FRACS))
        np.add.at(points, (rows[at], columns[at]), (0.02 + places[at, 2] ** 5).astype(np.float32))
        total += cv2.GaussianBlur(points, (0, 0), radius_frac * min(shape) + 0.3, borderType=cv2.BORDER_REFLECT_101)
    return total / np.float32(max(float(total.mean()), 1e-9))


def laid(textures: tuple[Texture, ...], placements: tuple[Placement, ...], shape: tuple[int, int]) -> tuple[Map, Linear]:
    """Return the share that images of a bank cover, and what they would show in full light, premultiplied: HxW and HxWx3."""
    bare = np.ones(shape, np.float32)
    shown = np.zeros((*shape, 3), np.float32)
    for texture, place in zip(textures, placements, strict=True):
        there = _placed(texture, place, shape)
        alpha = there[..., 3] * np.float32(place.strength)
        colour = camera.srgb_to_linear(there[..., :3].astype(np.float64)).astype(np.float32)
        shown = shown * (1 - alpha[..., None]) + colour * alpha[..., None]
        bare *= 1 - alpha
    return 1 - bare, shown


def _placed(texture: Texture, place: Placement, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return an image of the bank as it lies in the frame, HxWx4 in [0, 1]; nothing where it does not reach."""
    height, width = shape
    scale = place.size_frac * max(shape) / max(texture.shape[:2])
    if scale < 1.0:  # by area, so that fine dirt does not vanish between pixels
        size = max(round(texture.shape[1] * scale), 1), max(round(texture.shape[0] * scale), 1)
        texture, scale = cv2.resize(texture, size, interpolation=cv2.INTER_AREA), 1.0
    centre = texture.shape[1] / 2, texture.shape[0] / 2
    matrix = cv2.getRotationMatrix2D(centre, place.turn_deg, scale)
    matrix[:, 2] += (place.x_frac * width - centre[0], place.y_frac * height - centre[1])
    return cv2.warpAffine(texture.astype(np.float32) / np.float32(255), matrix, (width, height), borderValue=(0, 0, 0, 0))
