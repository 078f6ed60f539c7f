"""How falling drops are photographed: long, faint streaks.

A drop of d px that crosses L px while the shutter is open, and is seen w px wide, blocks (pi / 4) d^2 / (w L) of the light of every
pixel on its way: the share of the exposure for which it covers the pixel (Garg and Nayar, IJCV 2007).

What is conserved is the drop's own area, (pi / 4) d^2: a longer shutter or a lens out of focus spreads it, and makes it faint.
Wind carries drops along, small ones the farther from the vertical; wind along the view and a camera that looks up or down
make streaks fan out from a point, as on a windscreen. A drop wobbles as it falls, and its streak is brighter and dimmer along
its length (Garg and Nayar, TOG 2006).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.arrays import fields
from degrade.contract import Map
from degrade.drops.population import Rain, fall_m_s, fall_of

WOBBLE_HZ = 342.0  # of a drop of 1 mm: sqrt(8 surface tension / (density radius^3)) / 2 pi, Rayleigh's first mode


class Shutter(NamedTuple):
    """How the rain is photographed, and what the wind does meanwhile."""

    exposure_ms: float
    aperture_mm: float  # diameter of the entrance pupil
    focus_m: float
    wind_m_s: float  # to the right
    along_m_s: float  # towards the camera
    turbulence: float  # sigma of each drop's own sideways speed, in shares of its fall


class View(NamedTuple):
    """The picture as a camera."""

    height: int
    width: int
    focal_px: float
    pitch_rad: float  # the camera looks up by

    @property
    def steradian(self) -> float:
        """What the picture covers, as if its corners were as large as its middle."""
        return self.height * self.width / self.focal_px**2


class Streaks(NamedTuple):
    """Straight marks in a picture: float32 vectors of equal length."""

    x: Map  # middle, px
    y: Map
    across: Map  # from end to end, px, to the right
    down: Map
    width: Map  # px
    area: Map  # of the drop: the mark's opacity, summed over its px
    distance_m: Map
    waves: Map  # how often its brightness swings from end to end
    phase: Map  # where the swing begins, in periods


def view(height: int, width: int, horizon_frac: float, height_rad: float) -> View:
    """Return the camera of a clean side: its focal length in px and how far up it looks."""
    slope = 2 * math.tan(height_rad / 2)
    return View(height, width, height / slope, math.atan((horizon_frac - 0.5) * slope))


def blur_px(distance_m: Map, shutter: Shutter, camera: View) -> Map:
    """Return the diameter of the circle of confusion."""
    off = np.abs(np.float32(1) / distance_m - np.float32(1 / shutter.focus_m))
    return off * np.float32(1e-3 * shutter.aperture_mm * camera.focal_px)


def fall_deg(diameter_mm: float, shutter: Shutter) -> float:
    """Return how far from the vertical drops of a size fall, degrees, to the right."""
    return math.degrees(math.atan2(shutter.wind_m_s, fall_of(diameter_mm)))


def streaks(rain: Rain, shutter: Shutter, camera: View, seed: int) -> Streaks:
    """Return the marks that drops leave in a picture.

    Args:
        rain: the drops.
        shutter: exposure, lens and wind.
        camera: the picture.
        seed: of the turbulence, and of the wobble's phase.
    """
    fall = fall_m_s(rain.diameter_mm)
    words = fields.random_words(seed, (2, fall.size))
    gusts = fields.as_normal(words[:1])[0]
    sideways = np.float32(shutter.wind_m_s) + np.float32(shutter.turbulence) * gusts * fall
    down = fall * np.float32(math.cos(camera.pitch_rad)) - np.float32(shutter.along_m_s * math.sin(camera.pitch_rad))
    towards = np.float32(shutter.along_m_s * math.cos(camera.pitch_rad)) + fall * np.float32(math.sin(camera.pitch_rad))
    x, y = rain.x * np.float32(camera.width), rain.y * np.float32(camera.height)
    scale = np.float32(camera.focal_px) / rain.distance_m  # px per metre
    passed = np.float32(shutter.exposure_ms * 1e-3)
    swelling = passed * np.clip(towards / rain.distance_m, -8, 8)
    size = rain.diameter_mm * np.float32(1e-3) * scale
    blur = blur_px(rain.distance_m, shutter, camera)
    return Streaks(
        x,
        y,
        sideways * passed * scale + (x - np.float32(camera.width / 2)) * swelling,
        down * passed * scale + (y - np.float32(camera.height / 2)) * swelling,
        np.sqrt(size * size + blur * blur),
        np.float32(math.pi / 4) * size * size,
        rain.distance_m,
        np.float32(WOBBLE_HZ) * passed / (rain.diameter_mm * np.sqrt(rain.diameter_mm)),
        words[1] * np.float32(1 / fields.LEVELS),
    )
