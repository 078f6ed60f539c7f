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
REACH = 1.6  # radii from its middle to which a drop is drawn
BATCH_PX = 1 << 13  # of drops that are drawn at once: few of the large, many of the small
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


class Discs(NamedTuple):
    """Drops: float32 vectors of equal length, px."""

    x: Map
    y: Map
    radius: Map


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
    discs, lobes = _drawn(drops, (rows, columns))
    begin = 0
    while begin < len(lobes):
        many = slice(begin, begin + max(BATCH_PX // _side(discs.radius[begin]) ** 2, 1))
        _put(light, opacity, shown, drops.view, Discs(*(values[many] for values in discs)), lobes[many])
        begin = many.stop
    side = 2 * math.ceil(3 * blur) + 1
    soft = [cv2.GaussianBlur(part, (side, side), blur, borderType=cv2.BORDER_REPLICATE) for part in (light, opacity)]
    return Wet(step, soft[0], soft[1])


def _drawn(drops: LensDrops, shape: tuple[int, int]) -> tuple[Discs, Map]:
    """Return drops, the largest first, and their outlines, nx8: as many as cover what is asked, by their typical size."""
    short = min(shape)
    mean_area = math.pi * (drops.radius_frac * short) ** 2 * math.exp(2 * drops.spread**2)
    words = fields.random_words(drops.seed, (max(round(drops.cover * math.prod(shape) / mean_area), 1), 2 + 1 + 2 * LOBES))
    drawn = fields.as_normal(words[:, 2:])
    radius = np.clip(np.float32(drops.radius_frac) * np.exp(np.float32(drops.spread) * drawn[:, 0]), SMALLEST_FRAC, LARGEST_FRAC)
    order = np.argsort(-radius, kind="stable")
    unit = (words[order, :2].astype(np.float32) + np.float32(0.5)) / np.float32(fields.LEVELS)
    return Discs(unit[:, 0] * np.float32(shape[1]), unit[:, 1] * np.float32(shape[0]), radius[order] * np.float32(short)), drawn[order, 1:]


def _side(radius: float) -> int:
    """Return the side of the square in which a drop is drawn, px."""
    return 2 * math.ceil(REACH * radius) + 1


def _put(light: Linear, opacity: Map, shown: Linear, view: float, discs: Discs, lobes: Map) -> None:
    """Lay drops under those that are there, all at once, in squares of the first one's size.

    Args:
        light: HxWx3, to be added to.
        opacity: HxW, to be added to.
        shown: the scene.
        view: how much of its width a drop shows.
        discs: n drops, the largest first: it swallows the small ones that it touches.
        lobes: nx8, of their outlines.
    """
    side = _side(discs.radius[0])
    left, top = (np.floor(place).astype(np.int64) - side // 2 for place in (discs.x, discs.y))
    middle = np.arange(side, dtype=np.float32) + np.float32(0.5)
    across, down = ((middle - (place - first).astype(np.float32)[:, None]) / discs.radius[:, None] for place, first in ((discs.x, left), (discs.y, top)))
    u, v = np.repeat(across, side, 0), np.repeat(down.reshape(-1, 1), side, 1)  # the squares stand one below the other
    each = Discs(*(np.repeat(values, side)[:, None] for values in discs))
    far, angle = cv2.cartToPolar(u, v)
    far /= _outline(angle, np.repeat(lobes, side, 0))
    inside = np.clip((1 - far) * each.radius + np.float32(0.5), 0, 1)
    bent = np.float32(0.25 * view) * (1 + far * far)  # the more, the nearer to the rim
    columns, rows = np.float32(shown.shape[1]), np.float32(shown.shape[0])
    map_x = (np.float32(0.35 / opacity.shape[1]) * each.x + np.float32(0.325) - u * bent) * columns
    map_y = (np.float32(0.35 / opacity.shape[0]) * each.y + np.float32(0.325) - v * bent) * rows
    picture = cv2.remap(shown, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    rim = np.minimum(far, 1)
    fresnel = inside * (1 - np.float32(RIM) * rim**RIM_POWER)
    fresnel *= 1 + np.float32(ABOVE) * np.clip(v, 0, 1) * rim
    picture = cv2.multiply(picture, cv2.cvtColor(fresnel, cv2.COLOR_GRAY2RGB))
    for index, (x, y) in enumerate(zip(left.tolist(), top.tolist(), strict=True)):
        _lay(light, opacity, picture[index * side : (index + 1) * side], inside[index * side : (index + 1) * side], (y, x))


def _outline(angle: Map, lobes: Map) -> Map:
    """Return how far from its middle a drop ends, in radii, for each angle and its row's lobes."""
    outline = np.ones_like(angle)
    for lobe in range(LOBES):
        wave = np.float32(lobe + 1)
        outline += np.float32(UNEVEN) / wave * lobes[:, 2 * lobe, None] * np.cos(wave * angle + 3 * lobes[:, 2 * lobe + 1, None])
    return np.maximum(outline, np.float32(0.35))


def _lay(light: Linear, opacity: Map, picture: Linear, inside: Map, corner: tuple[int, int]) -> None:
    """Add a drop where there is room, as far as it lies in the picture."""
    begin = [max(-first, 0) for first in corner]
    end = [min(size - first, side) for size, first, side in zip(opacity.shape, corner, inside.shape, strict=True)]
    own = tuple(slice(*ends) for ends in zip(begin, end, strict=True))
    place = tuple(slice(first + start, first + stop) for first, start, stop in zip(corner, begin, end, strict=True))
    room = 1 - opacity[place]
    light[place] += picture[own] * room[..., None]
    opacity[place] += inside[own] * room
