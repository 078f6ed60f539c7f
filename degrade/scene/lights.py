"""Lights without a network: small clipped blobs that shine on what surrounds them, and a sun that has burnt a hole in the sky.

A lamp is brighter than the file can say: its core is clipped, compact and small, and the lens, the air and the wall behind it
make the photo fall off from it on ALL sides. White paper, letters, foam, snow and overcast sky are clipped too, but end at an
edge, or are large, or come in crowds. So each blob is asked in how many of 24 directions the light falls steadily away from it.
Flare sets place their lamps anywhere (Flare7K, Dai et al., NeurIPS 2022); we want the places and colours of real sources, and
rather miss a lamp than take a shirt for one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Light, Linear, Map, Srgb
from degrade.scene.proxy import proxy

WORK_PX = 640  # long side at which blobs are measured
SUN_PX = 128  # and at which the sun is looked for
MOST = 8
LEVELS = (249, 238, 226)  # 8-bit values above which a pixel may belong to a core: tone curves end lamps below white
BEYOND = 0.5  # sides of a crop within which a light that was cropped away still matters
LARGEST_FRAC = 0.06  # radius of a core in short sides; larger white things are walls and skies
CANDIDATES = 24  # largest blobs of a level that are looked at
DIRECTIONS = 24
RADII = 7
DAY = 0.15  # mean luminance of a scene in which lamps drown
NIGHT = 0.11  # and of one in which a clipped thing in the dark is a lamp, also where the lens is so clean that it shows no glow
DARK = 0.1  # luminance
SUN_POWER = 60.0  # display whites: as much as the strongest lamp


class _Blobs(NamedTuple):
    x: NDArray[np.float64]  # working px, n
    y: NDArray[np.float64]
    radius: NDArray[np.float64]


class _Around(NamedTuple):
    near: NDArray[np.float64]  # median luminance just outside each core, n
    far: NDArray[np.float64]  # where the glow has ended
    falling: NDArray[np.float64]  # share of directions in which the light falls steadily away from the core
    dark: NDArray[np.float64]  # share of directions in which there is next to none
    colour: NDArray[np.float64]  # nx3, of the glow, the strongest channel 1


def find(photo: Srgb) -> tuple[Light, ...]:
    """Return the light sources of a photo, at most 8, strongest first; places and radii as shares of the whole photo.

    Args:
        photo: HxWx3 uint8, upright, whole.
    """
    thin = min(photo.shape[:2]) < 2  # a line has no half
    half = photo if thin or max(photo.shape) < 2 * WORK_PX else cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = proxy(half, WORK_PX)  # by way of half the size: twice as quick
    values, light = _values(small), camera.to_linear(small)
    grey = cv2.cvtColor(light, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    found = _sun(grey, light)
    for level in LEVELS:
        blobs = _blobs(values, level)
        if not len(blobs.x):
            continue
        around = _around(light, blobs)
        for index in np.flatnonzero(_shine(around, float(grey.mean()), len(blobs.x))).tolist():
            lamp = _light(float(blobs.x[index]), float(blobs.y[index]), float(blobs.radius[index]), grey, around.colour[index], _power(around, index))
            if not any(_overlap(before, lamp, width / min(grey.shape), height / min(grey.shape)) for before in found):
                found.append(lamp)
    return tuple(sorted(found, key=flux, reverse=True)[:MOST])


def flux(light: Light) -> float:
    """Return how much light a source sends to the lens, relative: power times area times luminance of its colour."""
    red, green, blue = light.colour
    return light.power * light.radius_frac**2 * (camera.LUMINANCE[0] * red + camera.LUMINANCE[1] * green + camera.LUMINANCE[2] * blue)


def seen_in(lights: tuple[Light, ...], x: float, y: float, crop_width: float, crop_height: float, photo_width: int, photo_height: int) -> tuple[Light, ...]:
    """Return the lights in the fractions of a crop, in the same order; those more than half a side outside it are dropped.

    Args:
        lights: of the whole photo, from `find`.
        x: left edge of the crop in px of the photo.
        y: top edge.
        crop_width: px.
        crop_height: px.
        photo_width: px, of the whole photo at the scale in which the crop is given.
        photo_height: px.
    """
    scale = min(photo_width, photo_height) / min(crop_width, crop_height)
    moved = (
        light._replace(
            x_frac=(light.x_frac * photo_width - x) / crop_width,
            y_frac=(light.y_frac * photo_height - y) / crop_height,
            radius_frac=light.radius_frac * scale,
        )
        for light in lights
    )
    return tuple(light for light in moved if -BEYOND <= light.x_frac <= 1 + BEYOND and -BEYOND <= light.y_frac <= 1 + BEYOND)


def _values(small: Srgb) -> NDArray[np.uint8]:
    """Return how close a pixel is to clipping: between its strongest channel and its grey, so that red lamps count and red cloth does not."""
    red, green, blue = cv2.split(small)
    return cv2.addWeighted(cv2.max(cv2.max(red, green), blue), 0.5, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 0.5, 0.0)


def _blobs(values: NDArray[np.uint8], level: int) -> _Blobs:
    """Return the compact blobs above a level, largest first."""
    _, core = cv2.threshold(values, level, 1, cv2.THRESH_BINARY)
    _, _, stats, centres = cv2.connectedComponentsWithStats(core, connectivity=8)
    areas, across, down = (stats[1:, key].astype(np.float64) for key in (cv2.CC_STAT_AREA, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    radii = np.sqrt(areas / math.pi)
    compact = (areas >= 0.4 * across * down) & (np.maximum(across, down) < 3 * np.minimum(across, down))
    usable = np.flatnonzero((areas >= 2) & (radii <= LARGEST_FRAC * min(values.shape)) & (compact | (radii < 2)))
    largest = usable[np.argsort(-areas[usable], kind="stable")][:CANDIDATES]
    return _Blobs(centres[largest + 1, 0], centres[largest + 1, 1], radii[largest])


def _light(x: float, y: float, radius: float, grey: Map, colour: NDArray[np.float64], power: float) -> Light:
    height, width = grey.shape
    red, green, blue = (colour / colour.max()).tolist()
    return Light((x + 0.5) / width, (y + 0.5) / height, radius / min(height, width), (red, green, blue), power)


def _overlap(before: Light, light: Light, across: float, down: float) -> bool:
    """Whether a blob belongs to a light that was found already, at a level above; the photo's sides are in short sides."""
    apart = math.hypot((before.x_frac - light.x_frac) * across, (before.y_frac - light.y_frac) * down)
    return apart < 1.5 * (before.radius_frac + light.radius_frac) + 0.01


def _rays(x: NDArray[np.float64], y: NDArray[np.float64], radii: NDArray[np.float64]) -> tuple[Map, Map]:
    """Return the points at n x k radii in every direction from n centres, each n x directions x k."""
    angles = np.linspace(0, 2 * math.pi, DIRECTIONS, endpoint=False)[None, :, None]
    across, down = x[:, None, None] + np.cos(angles) * radii[:, None, :], y[:, None, None] + np.sin(angles) * radii[:, None, :]
    return across.astype(np.float32), down.astype(np.float32)


def _inside(x: Map, y: Map, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.asarray((x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0]))


def _around(light: Linear, blobs: _Blobs) -> _Around:
    """Return what the surroundings of blobs look like, along rays away from them."""
    first, last = 1.25 * blobs.radius + 3.0, 3.5 * blobs.radius + 0.035 * min(light.shape[:2]) + 3.0
    x, y = _rays(blobs.x, blobs.y, first[:, None] * (last / first)[:, None] ** np.linspace(0, 1, RADII))
    flat = (-1, DIRECTIONS * RADII)
    seen = cv2.remap(light, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).reshape(x.shape)
    inside = _inside(x[..., -1], y[..., -1], light.shape)
    no_rise = values[..., 1:] <= values[..., :-1] * np.float32(1.06) + np.float32(0.002)
    steady = (no_rise.mean(-1) >= (RADII - 2) / (RADII - 1)) & (values[..., -1] < np.float32(0.8) * values[..., 0])
    ring = seen.reshape(*x.shape, 3)[:, :, :2].mean((1, 2), dtype=np.float64) + 0.02
    return _Around(
        near=np.median(values[..., 0], 1).astype(np.float64),
        far=np.median(values[..., -1], 1).astype(np.float64),
        falling=(steady & inside).mean(1),
        dark=((values.max(-1) < DARK) & inside).mean(1),
        colour=ring / ring.max(1, keepdims=True),
    )


def _shine(around: _Around, scene: float, crowd: int) -> NDArray[np.bool_]:
    """Answer for each blob whether it is a source: it glows all round, or it is alone in the dark of a dark scene.

    The brighter the scene and the greater the crowd, the more is asked of it.
    """
    day = min(scene / DAY, 1.0)
    glows = around.falling >= 0.6 + day * (0.05 + 0.2 * min(crowd / CANDIDATES, 1.0))
    glows &= (around.far < 0.5 - 0.2 * day) & (around.near > 0.4 * day) & (around.colour.min(1) > 0.35 * day)
    alone = around.dark >= 0.65
    return np.asarray(glows | alone if scene < NIGHT else glows)


def _power(around: _Around, index: int) -> float:
    """Return how far a core was clipped, in display whites: what the lens and the air spread into its glow tells."""
    return float(np.clip(1.0 + 60.0 * (around.near[index] - around.far[index]), 2.0, SUN_POWER))


def _sun(grey: Map, light: Linear) -> list[Light]:
    """Return the sun, or nothing: the one broad maximum of a photo, far above the rest of it, from which all falls away."""
    scale = min(SUN_PX / max(grey.shape), 1.0)
    size = max(round(grey.shape[1] * scale), 8), max(round(grey.shape[0] * scale), 8)
    short = min(size)
    soft: Map = cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (0, 0), 0.03 * short)
    _, peak, _, (column, row) = cv2.minMaxLoc(soft)
    if peak < 0.7 or peak < 4.2 * float(grey.mean()):
        return []
    x, y = _rays(np.array([float(column)]), np.array([float(row)]), np.geomspace(0.06, 0.4, RADII)[None] * short)
    values = cv2.remap(soft, x[0], y[0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    falls = (values[:, 1:] <= values[:, :-1] * np.float32(1.03)).mean(1) >= (RADII - 2) / (RADII - 1)
    surrounded = _inside(x[0, :, RADII // 2], y[0, :, RADII // 2], soft.shape).mean()
    if falls.mean() < 0.85 or surrounded < 0.7 or np.median(values[:, -1]) > 0.35 * peak:
        return []
    radius = min(math.sqrt(float((soft > 0.9 * peak).sum()) / math.pi), 0.05 * short)
    ring = cv2.remap(light, x[0] / np.float32(scale), y[0] / np.float32(scale), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return [_light(float(column), float(row), radius, soft, ring[:, 0].mean(0, dtype=np.float64) + 0.02, SUN_POWER)]
