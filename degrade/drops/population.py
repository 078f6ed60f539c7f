"""How many drops there are in rain, how large they are, how fast they fall, and how much light they keep from us.

    N(D) = N0 exp(-Lambda D),    N0 = 8000 /m^3/mm,    Lambda = 4.1 R^-0.21 /mm      (Marshall and Palmer, J. Met. 1948)
    v(D) = 9.65 - 10.3 exp(-0.6 D) m/s                                              (Atlas et al., Rev. Geophys. 1973)

with D in mm and R in mm/h. The moments of N are gamma functions, so whatever is asked of the whole population has a closed
form: the area of all drops in a cubic metre is N0 (pi / 4) 2 / Lambda^3, which is 0.18 R^0.63 per km.

Only drops whose image is wider than some size are worth a streak of their own. They are those within reach(D) = kappa D, so
there are (2 N0 / Lambda^4) kappa^3 of them per steradian, of diameters spread as D^3 exp(-Lambda D), and they cover as much
of the picture as ALL drops within 3 kappa / Lambda would: what lies beyond that distance is left to the curtain and the veil.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.arrays import fields
from degrade.contract import Map

PER_M3_MM = 8000.0  # N0
LARGEST_MM = 6.5  # larger drops break up
NEAREST_M = 0.3  # what falls closer is a wink of the whole picture
STREAKS = 20000  # drops that get a streak of their own, whatever the picture's size: they cover what it shows, not its pixels
MARKED_PX = 5e5  # length of all streaks together, where the exposure is long


class Rain(NamedTuple):
    """The drops that are drawn one by one: float32 vectors of equal length."""

    x: Map  # place in the picture at mid exposure, widths 0..1
    y: Map  # heights 0..1
    distance_m: Map
    diameter_mm: Map


def slope_per_mm(rain_mm_h: float) -> float:
    """Return Lambda, /mm."""
    return 4.1 * rain_mm_h**-0.21


def extinction_per_m(rain_mm_h: float) -> float:
    """Return what a metre of rain takes from the light, 0.312 R^0.67 per km as measured (Halder et al., ICCV 2019)."""
    return 0.312e-3 * rain_mm_h**0.67


def cover_per_m(rain_mm_h: float) -> float:
    """Return how much of a line of sight the drops of a metre block, as discs: half the extinction, or nearly."""
    return PER_M3_MM * math.pi / 4 * 2 / slope_per_mm(rain_mm_h) ** 3 * 1e-6


def fall_m_s(diameter_mm: Map) -> Map:
    """Return the terminal velocities in still air, m/s; zero for mist."""
    return np.maximum(np.float32(9.65) - np.float32(10.3) * np.exp(np.float32(-0.6) * diameter_mm), 0).astype(np.float32)


def fall_of(diameter_mm: float) -> float:
    """Return the terminal velocity of one size of drop, m/s."""
    return float(fall_m_s(np.array([diameter_mm], np.float32))[0])


def reach_m_per_mm(rain_mm_h: float, steradian: float, metres_px: float) -> float:
    """Return kappa: within how many metres per mm of its diameter a drop is drawn by itself.

    It is what `STREAKS` drops fill, or fewer where a long exposure makes their marks long: those overlap anyway.

    Args:
        rain_mm_h: rate of rain.
        steradian: what the picture covers, (width x height) / focal length^2.
        metres_px: how far a mean drop falls in the exposure, seen from a metre, in px of a picture of usual size.
    """
    slope = slope_per_mm(rain_mm_h)
    per_cube = 2 * PER_M3_MM / slope**4 * steradian
    per_square = per_cube * metres_px * slope / 2  # px of all marks: the mean of 1 / distance is slope / (2 kappa)
    return min((STREAKS / per_cube) ** (1 / 3), math.sqrt(MARKED_PX / per_square))


def typical_mm(rain_mm_h: float) -> float:
    """Return the mean diameter of the drops that are drawn one by one, 4 / Lambda."""
    return 4 / slope_per_mm(rain_mm_h)


def near_m(rain_mm_h: float, kappa: float) -> float:
    """Return the depth of rain that the drops drawn one by one stand for, 3 kappa / Lambda."""
    return 3 * kappa / slope_per_mm(rain_mm_h)


def drops(seed: int, rain_mm_h: float, steradian: float, kappa: float) -> Rain:
    """Return the drops within kappa D of the camera, a pure function of its arguments; a few too close are left out."""
    slope = slope_per_mm(rain_mm_h)
    count = round(2 * PER_M3_MM / slope**4 * steradian * kappa**3)
    words = fields.random_words(seed, (7, count))
    unit = (words.astype(np.float32) + np.float32(0.5)) / np.float32(fields.LEVELS)
    logs = np.log(unit[0] * unit[1]) + np.log(unit[2] * unit[3])  # the sum of four exponentials is a gamma of shape four
    diameter = np.minimum(logs / np.float32(-slope), np.float32(LARGEST_MM))
    distance = np.float32(kappa) * diameter * np.cbrt(unit[4])
    kept = distance > NEAREST_M
    down = (np.arange(count, dtype=np.float32) + unit[6]) / np.float32(max(count, 1))  # in order, so that drawing stays in the cache
    return Rain(unit[5][kept], down[kept], distance[kept], diameter[kept])
