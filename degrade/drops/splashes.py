"""Splashes: where a drop strikes ground that faces up, water is thrown up in a crown a few times as wide as the drop.

R mm/h brings N(D) v(D) drops a second to a square metre; a crown is there for some 50 ms (Yarin, Annu. Rev. Fluid Mech. 2006),
and what it throws up falls back as fast as it rose. Ground is told from walls by how inverse depth grows down the picture: on
a plane below the camera it grows as the row does below the horizon, on what stands upright not at all; from what stands on it and
is too low to show in the depth map, by its looks (`degrade.drops.ground`).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Map
from degrade.drops import population
from degrade.drops.flight import Shutter, Streaks, View, blur_px

LASTS_S = 0.05  # how long a crown stands
JETS = 6  # thrown up by a crown
MOST = 2500  # crowns that are drawn: the nearest to be seen, at random
WIDE, HIGH = 5.0, 22.0  # a crown's radius and a jet's height in diameters of the drop
LEAST_PX = 0.8  # radius of the smallest crown that is drawn
FLAT, STEEP = 0.8, 0.35  # growth of inverse depth, in a plane's, above which it is ground and below which it is not
AREA = 0.9  # of a jet and what it breaks into, in parts of the drop's disc


def upward(inverse: Map, sky: Map, horizon_frac: float) -> Map:
    """Return where the scene faces up, hxw in 0..1.

    Args:
        inverse: hxw relative inverse depth, 1 nearest.
        sky: hxw, 1 where sky.
        horizon_frac: row of the horizon in heights.
    """
    height = len(inverse)
    below = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height) - np.float32(horizon_frac)
    sigma = max(0.01 * height, 0.8)
    smooth = cv2.GaussianBlur(inverse, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    growth = np.asarray(np.gradient(smooth, axis=0)) * np.float32(height) * below[:, None] / np.maximum(smooth, np.float32(0.02))
    margin = min(math.ceil(3 * sigma), height - 2)
    growth[-margin:] = growth[-margin - 1]  # what lies below the picture is not known
    flat = np.clip((growth - STEEP) / (FLAT - STEEP), 0, 1) * (2 - np.clip(growth, 1, 2))  # a jump is no ground either
    return np.asarray(flat * (below[:, None] > 0.02) * (1 - sky), np.float32)


def flux_per_m2_s(rain_mm_h: float, least_mm: float) -> float:
    """Return how many drops larger than a diameter strike a square metre in a second."""
    slope = population.slope_per_mm(rain_mm_h)
    many = math.exp(-slope * least_mm) / slope
    slow = 10.3 * math.exp(-(slope + 0.6) * least_mm) / (slope + 0.6)
    return population.PER_M3_MM * (9.65 * many - slow)


def splashes(ground: Map, distance_m: Map, rain_mm_h: float, density: float, shutter: Shutter, camera: View, seed: int) -> Streaks:
    """Return the jets of the crowns that stand in the picture during the exposure.

    Args:
        ground: hxw, of `upward`.
        distance_m: hxw, same size.
        rain_mm_h: rate of rain.
        density: crowns, in parts of what the rate gives: grass makes few, wet stone many.
        shutter: exposure and lens.
        camera: the picture.
        seed: of places and shapes.
    """
    least_mm = np.maximum(np.float32(LEAST_PX / (1e-3 * WIDE * camera.focal_px)) * distance_m, np.float32(1))
    slope = np.float32(population.slope_per_mm(rain_mm_h))
    height, width = ground.shape
    rows = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    tilt = np.maximum((rows - np.float32(0.5)) * np.float32(camera.height / camera.focal_px) - np.float32(math.tan(camera.pitch_rad)), 0.02)
    metres = (distance_m * np.float32(camera.height / height / camera.focal_px)) ** 2 / tilt[:, None]  # m^2 of ground per px
    lasting = LASTS_S + shutter.exposure_ms * 1e-3
    rate = np.float32(flux_per_m2_s(rain_mm_h, 1.0) * lasting * density) * np.exp(-slope * (least_mm - 1))
    expected = np.cumsum(ground * metres * rate, dtype=np.float64)
    count = min(round(float(expected[-1])), MOST)
    unit = (fields.random_words(seed, (5, max(count, 1))).astype(np.float32) + np.float32(0.5)) / np.float32(fields.LEVELS)
    unit = unit[:, :count]
    place = np.minimum(np.searchsorted(expected, unit[0] * expected[-1]), ground.size - 1)
    away = distance_m.reshape(-1)[place]
    diameter = np.minimum(least_mm.reshape(-1)[place] - np.log(unit[1]) / slope, population.LARGEST_MM)
    cell = np.float32(camera.height / height)
    x = ((place % width).astype(np.float32) + unit[2]) * np.float32(camera.width / width)
    y = (place // width).astype(np.float32) * cell + unit[3] * cell
    uneven = fields.random_words(seed + 1, (JETS, count)).astype(np.float32) / np.float32(fields.LEVELS)
    return _jets(x, y, diameter, away, tilt[place // width], unit[4], uneven, shutter, camera)


def _jets(x: Map, y: Map, diameter: Map, away: Map, tilt: Map, turn: Map, uneven: Map, shutter: Shutter, camera: View) -> Streaks:
    """Return each crown as jets that lean outwards from a ring on the ground, seen at a slant."""
    scale = np.float32(1e-3 * camera.focal_px) * diameter / away  # px per diameter of the drop
    age = np.float32(0.25) + np.float32(0.75) * turn  # a crown that has just begun is small
    angle = np.float32(2 * math.pi) * ((np.arange(JETS, dtype=np.float32)[:, None] + uneven[::-1]) / JETS + turn)
    out = np.float32(WIDE) * age * scale * np.cos(angle)
    towards = np.float32(WIDE) * age * scale * np.sin(angle) * np.minimum(tilt, 1)
    rise = np.float32(HIGH) * age * (1 - np.float32(0.7) * age) * scale * (np.float32(0.2) + uneven)
    blur = blur_px(away, shutter, camera)
    wide = np.sqrt((np.float32(0.5) * scale) ** 2 + blur * blur)
    area = np.float32(AREA * math.pi / 4) * scale * scale * np.float32(LASTS_S / (LASTS_S + shutter.exposure_ms * 1e-3))
    each = [np.broadcast_to(values, out.shape) for values in (x, y, wide, area, away)]
    middle_x, middle_y, width, water, distance = (np.ascontiguousarray(values).reshape(-1) for values in each)
    across, down = np.float32(0.4) * out.reshape(-1), rise.reshape(-1)
    still = np.zeros_like(across)
    top = middle_y + towards.reshape(-1) - down / 2
    return Streaks(middle_x + out.reshape(-1), top, across, -down, width, water, distance * np.float32(0.98), still, still + np.float32(0.25))
