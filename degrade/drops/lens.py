"""Drops on the lens or on the window before it: each is a lens itself, of a few millimetres, that shows the scene upside down.

A drop bends light towards its middle, so that within it lies a wide view of the scene, turned over: bright sky below, dark
ground above. Its lower side sees more sky than the photo does, and shines; at its very rim, where it meets the glass steeply, no light
gets through (Fresnel), which draws a thin dark line around it. It is out of focus, so that both its shape and its picture are
soft (von Bernuth et al., ITSC 2019; ROLE of Hao et al., ICCVW 2019), but no softer than it is large: that would be dust.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Linear, Map

STEPS = (2, 4)  # drops are soft: they are made at half size, or at a quarter
SOFT_PX = 3.0  # blur from which a quarter will do
SMALLEST_FRAC, LARGEST_FRAC = 0.007, 0.08  # radius: what is smaller dries at once, and what is larger runs down; short sides
DROPS = 48  # at most
LOBES = 4  # of a drop's outline
UNEVEN = 0.16  # by how much the outline departs from a circle, one sigma of all lobes
RIM, RIM_POWER = 0.8, 8  # of the light that is lost at the very rim, and how narrow that is
ABOVE = 1.2  # light of the lower side beyond what the photo shows, in parts of it: it sees the sky above the frame
SOFTEST = 0.28  # blur of the outlines in typical radii
VIEW_PX = 192  # what a drop shows is small: the scene at this size


class LensDrops(NamedTuple):
    """Drops on glass."""

    cover: float  # share of the picture that they would cover side by side
    radius_frac: float  # of a typical drop, in short sides
    spread: float  # of the radii: sigma of the logarithm
    blur_frac: float  # of their outlines, in short sides: how near the glass is, and how wide the aperture
    view: float  # how much of the scene's width a drop shows
    seed: int


class Wet(NamedTuple):
    """What drops on the glass do, at a fraction of the picture's size."""

    step: int  # px of the picture per pixel
    light: Linear  # that they refract, times opacity
    opacity: Map  # how much of the scene they replace


def wet(scene: Linear, drops: LensDrops, height: int, width: int) -> Wet:
    """Return what the drops show, ceil(height / step) x ceil(width / step).

    Args:
        scene: hxwx3 linear light at low resolution.
        drops: on the glass.
        height: of the picture.
        width: of the picture.
    """
    step = STEPS[drops.blur_frac * min(height, width) > SOFT_PX]
    rows, columns = -(-height // step), -(-width // step)
    short = min(rows, columns)
    shown = cv2.resize(scene, (min(columns, VIEW_PX), min(rows, VIEW_PX)), interpolation=cv2.INTER_AREA)
    light, opacity = np.zeros((rows, columns, 3), np.float32), np.zeros((rows, columns), np.float32)
    blur = max(min(drops.blur_frac, SOFTEST * drops.radius_frac) * short, 0.7)
    for words in _drawn(drops, height / width):
        radius = float(np.clip(drops.radius_frac * math.exp(drops.spread * words[2]), SMALLEST_FRAC, LARGEST_FRAC)) * short
        _put(light, opacity, shown, drops.view, (words[0] * columns, words[1] * rows, radius), words[3:])
    side = 2 * math.ceil(3 * blur) + 1
    soft = [cv2.GaussianBlur(part, (side, side), blur, borderType=cv2.BORDER_REPLICATE) for part in (light, opacity)]
    return Wet(step, soft[0], soft[1])


def _drawn(drops: LensDrops, aspect: float) -> list[list[float]]:
    """Return for each drop its place, its size and its outline: as many as cover what is asked, by their typical size."""
    mean_area = math.pi * drops.radius_frac**2 * math.exp(2 * drops.spread**2) * (aspect if aspect < 1 else 1 / aspect)
    count = min(max(round(drops.cover / mean_area), 1), DROPS)
    words = fields.random_words(drops.seed, (count, 2 + 1 + 2 * LOBES))
    unit = (words.astype(np.float32) + np.float32(0.5)) / np.float32(fields.LEVELS)
    return np.hstack([unit[:, :2], fields.as_normal(words[:, 2:])]).astype(float).tolist()


def _put(light: Linear, opacity: Map, shown: Linear, view: float, disc: tuple[float, float, float], lobes: list[float]) -> None:
    """Lay one drop over what is there."""
    x, y, radius = disc
    reach = radius * 1.6
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, opacity.shape[1])
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 1, opacity.shape[0])
    if left >= right or top >= bottom:
        return
    across = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)) / np.float32(radius)
    down = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y)) / np.float32(radius)
    u, v = np.meshgrid(across, down)
    far, angle = cv2.cartToPolar(u, v)
    outline = np.ones_like(far)
    for lobe in range(LOBES):
        wave = lobe + 1
        outline += np.float32(UNEVEN / wave * lobes[2 * lobe]) * np.cos(np.float32(wave) * angle + np.float32(3 * lobes[2 * lobe + 1]))
    far /= np.maximum(outline, np.float32(0.35))
    inside = np.clip((1 - far) * np.float32(radius) + np.float32(0.5), 0, 1)
    bent = 1 + far * far  # the more, the nearer to the rim
    rows, columns = shown.shape[:2]
    middle_x, middle_y = x / opacity.shape[1], y / opacity.shape[0]
    map_x = (np.float32(0.35 * middle_x + 0.325) - np.float32(0.25 * view) * u * bent) * np.float32(columns)
    map_y = (np.float32(0.35 * middle_y + 0.325) - np.float32(0.25 * view) * v * bent) * np.float32(rows)
    picture = cv2.remap(shown, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    rim = np.minimum(far, 1)
    fresnel = inside * (1 - np.float32(RIM) * rim**RIM_POWER)
    fresnel *= 1 + np.float32(ABOVE) * np.clip(v, 0, 1) * rim
    place = slice(top, bottom), slice(left, right)
    light[place] = light[place] * (1 - inside)[..., None] + picture * fresnel[..., None]
    opacity[place] += (1 - opacity[place]) * inside
