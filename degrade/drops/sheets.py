"""Images of real rain: read as how much drops cover, and laid into the picture as streaks of its own light.

A photo of rain before black is a sheet: it is lit up to its border, and is laid over the whole picture. A single streak,
cut out, is dark all round, and is laid where and as large as was drawn, along the fall of the rain. Either way its brightness
counts as cover, never as white paint: it is as invisible before the sky as rain is, and the less there is of it, the nearer the
thing that it falls before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.contract import Map, Texture
from degrade.drops.population import NEAREST_M

LUMINANCE = np.array([camera.LUMINANCE], np.float32)
MOST_PX = 1024  # long side to which an image is reduced
FULL = 99.8  # percentile of an image that counts as its brightest streak
BORDER = 0.02  # mean brightness of the border, of the brightest, from which an image is a sheet


class Sheet(NamedTuple):
    """How one image of the bank is laid into the picture."""

    x_frac: float  # of its centre, in widths; of a sheet, which part is shown
    y_frac: float  # in heights
    scale: float  # a sheet's size over the least that fills the picture; a streak's in short sides
    mirrored: bool
    gain: float  # the cover of its brightest streaks


def cover(textures: Sequence[Texture], sheets: Sequence[Sheet], slant_deg: float, height: int, width: int) -> Map:
    """Return how much of each pixel they cover, HxW float32 from 0 to 1.

    Args:
        textures: an image for each sheet, HxWx4 uint8.
        sheets: how they lie.
        slant_deg: of the rain, from the vertical to the right.
        height: of the picture.
        width: of the picture.
    """
    total = np.zeros((height, width), np.float32)
    for texture, sheet in zip(textures, sheets, strict=False):
        seen = _read(texture)
        total += np.float32(sheet.gain) * _laid(seen, sheet, 0.0 if _is_sheet(seen) else slant_deg, (height, width))
    return np.minimum(total, np.float32(1))


def before(distance_m: Map, depth_m: float) -> Map:
    """Return the share of an image's rain that falls before each thing, hxw: drops cover alike in every metre.

    Args:
        distance_m: of the things, hxw.
        depth_m: of the rain that an image shows; beyond it all of it is to be seen.
    """
    return np.clip((distance_m - np.float32(NEAREST_M)) / np.float32(max(depth_m - NEAREST_M, 0.1)), 0, 1)


def _read(texture: Texture) -> Map:
    """Return an image as cover 0..1: what is even in it, a grey background, is no rain."""
    height, width = texture.shape[:2]
    scale = min(MOST_PX / max(height, width), 1.0)
    small = cv2.resize(texture, (max(round(width * scale), 8), max(round(height * scale), 8)), interpolation=cv2.INTER_AREA)
    light = cv2.transform(camera.to_linear(np.ascontiguousarray(small[..., :3])), LUMINANCE) * (small[..., 3] / np.float32(255))
    light = np.maximum(light - np.float32(np.median(light)), 0)
    return np.asarray(np.minimum(light / max(float(np.percentile(light, FULL)), 1e-3), 1), np.float32)


def _is_sheet(seen: Map) -> bool:
    border = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    return float(border.mean()) > BORDER


def _laid(seen: Map, sheet: Sheet, slant_deg: float, shape: tuple[int, int]) -> Map:
    """Return an image at its place; a sheet is repeated in mirrors where it ends, a streak is alone."""
    height, width = shape
    rows, columns = seen.shape
    alone = not _is_sheet(seen)
    size = sheet.scale * (min(shape) / max(rows, columns) if alone else max(height / rows, width / columns))
    turn = math.radians(slant_deg)
    across = -1.0 if sheet.mirrored else 1.0
    forth = size * np.array([[math.cos(turn) * across, math.sin(turn)], [-math.sin(turn) * across, math.cos(turn)]])
    place = np.array([sheet.x_frac * width - 0.5, sheet.y_frac * height - 0.5])
    matrix = np.column_stack([forth, place - forth @ np.array([(columns - 1) / 2, (rows - 1) / 2])])
    edge = cv2.BORDER_CONSTANT if alone else cv2.BORDER_REFLECT
    return cv2.warpAffine(seen, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=edge, borderValue=0)
