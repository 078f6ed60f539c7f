"""Rain beyond the drops that are drawn one by one: thousands of faint streaks to a pixel, known by their mean and their variance.

Campbell's theorem gives both without drawing one: marks of opacity a, each over a = (pi / 4) d^2 / (w L) of w L px, n to a px,
make a cover of mean n (pi / 4) d^2 and of variance n ((pi / 4) d^2)^2 / (w L). A log-normal field of that mean and variance,
drawn out along the fall of the drops, is the curtain.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Map
from degrade.drops import population
from degrade.drops.flight import Shutter, View, blur_px

NODES = 12  # diameters and distances of the sum over the population
DEPTH = 4.0  # the curtain ends at this many times the distance at which it begins: behind it rain is a veil
GRID_PX = 1024  # the longest side of its grid: streaks that thin are lost in what a larger picture shows
STEEPEST = 1.0  # px to the side for each px down: the tangent of the greatest slant that is drawn out


class Texture(NamedTuple):
    """What a stretch of rain looks like, in px of the picture."""

    mean: float  # share of a pixel that is covered
    sigma: float  # of the share, from pixel to pixel
    across: float  # of its marks
    down: float
    width: float


def texture(rain_mm_h: float, kappa: float, begin_m: float, shutter: Shutter, camera: View) -> Texture:
    """Return the statistics of the drops beyond kappa D between begin_m and DEPTH times as far, weighted by what they cover."""
    slope = population.slope_per_mm(rain_mm_h)
    diameter = np.linspace(0.25, 6, NODES, dtype=np.float32)
    distance = np.geomspace(begin_m, DEPTH * begin_m, NODES, dtype=np.float32)[:, None]
    fall = np.maximum(population.fall_m_s(diameter), np.float32(0.1))
    scale = np.float32(camera.focal_px) / distance
    size = diameter * np.float32(1e-3) * scale
    length = np.hypot(fall, np.float32(shutter.wind_m_s)) * np.float32(shutter.exposure_ms * 1e-3) * scale + size
    width = np.sqrt(size * size + blur_px(distance, shutter, camera) ** 2 + 1)
    there = np.exp(-slope * diameter) * (distance > kappa * diameter)
    per_px = population.PER_M3_MM * there * distance**3 / camera.focal_px**2  # another distance: the nodes are spaced by ratios
    per_px *= (diameter[1] - diameter[0]) * math.log(DEPTH) / (NODES - 1)
    area = np.float32(math.pi / 4) * size * size
    mean = population.cover_per_m(rain_mm_h) * (DEPTH - 1) * begin_m
    seen = per_px * area * area / (width * length)
    total = max(float(seen.sum()), 1e-12)
    down = float((seen * length).sum()) / total
    typical = float((seen * fall).sum()) / total
    slant = min(max(shutter.wind_m_s / typical, -STEEPEST), STEEPEST)
    down /= math.hypot(1, slant)
    return Texture(mean, math.sqrt(total), slant * down, down, float((seen * width).sum()) / total)


def cover(look: Texture, seed: int, height: int, width: int) -> Map:
    """Return a field with the texture's statistics, HxW float32 above zero.

    Args:
        look: of `texture`.
        seed: of the field.
        height: of the picture.
        width: of the picture.
    """
    step = max(max(height, width) / GRID_PX, 1.0)
    rise = max(min(look.down / step / 3, 4.0), 1.0)  # rows of the grid are as far apart as streaks allow
    slant = look.across / look.down
    rows, columns = math.ceil(height / (step * rise)) + 2, math.ceil((width + abs(slant) * height) / step) + 2
    noise = fields.gaussian(seed, rows, columns)
    long_px, wide_px = look.down / (step * rise), look.width / step
    sigma, taps = wide_px / 2.355, max(round(long_px), 1)
    wide, drawn_out = cv2.getGaussianKernel(round(8 * sigma + 1) | 1, sigma, cv2.CV_32F), np.full(taps, 1 / taps, np.float32)
    noise = cv2.sepFilter2D(noise, -1, wide, drawn_out, borderType=cv2.BORDER_REFLECT)
    lean = max(slant, 0.0) * height / step
    matrix = np.array([[1 / step, -slant / step, lean + 0.5], [0, 1 / (step * rise), 0.5]])
    field = cv2.warpAffine(noise, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)
    some = field[::2]  # after the warp, which smooths; half the rows tell
    variance = cv2.norm(some) ** 2 / some.size - cv2.mean(some)[0] ** 2  # a third of the time of cv2.meanStdDev
    field *= np.float32(math.sqrt(math.log1p((look.sigma / look.mean) ** 2) / max(variance, 1e-12)))
    cv2.exp(field, dst=field)
    field *= np.float32(look.mean / cv2.mean(field)[0])
    return np.asarray(field, np.float32)
