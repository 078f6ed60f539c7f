"""Drops burst on ground that faces up, not on walls or in the sky, the more the harder it rains."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.contract import Map
from degrade.drops import flight, population, splashes, splat

SHUTTER = flight.Shutter(8.0, 2.0, 8.0, 0.0, 0.0, 0.0)
CAMERA = flight.view(256, 256, 0.4, 0.75)


def plane(near_m: float = 3.0) -> tuple[Map, Map]:
    """Return inverse depth and distance of a meadow below a horizon at 0.4, with a wall on the left that stands at mid distance."""
    rows = (np.arange(128, dtype=np.float32) + np.float32(0.5)) / 128
    inverse = np.repeat(np.clip((rows - 0.4) / 0.6, 0, 1)[:, None], 128, 1).astype(np.float32)
    inverse[:104, :40] = inverse[104, 0]
    return inverse, np.asarray(near_m / np.maximum(inverse, 1e-3), np.float32)


def test_the_ground_faces_up_and_the_wall_does_not() -> None:
    """Meadow is found, up to the lower edge; wall, horizon and sky are not."""
    inverse, _ = plane()
    up = splashes.upward(inverse, (inverse <= 0).astype(np.float32), 0.4)
    assert up[70:, 60:].min() > 0.7
    assert up[20:98, 8:32].max() == 0
    assert up[:50].max() == 0


def test_crowns_stand_where_the_ground_is() -> None:
    """Nearly all that splashes cover lies on the meadow, a few jets reach above it."""
    inverse, metres = plane()
    up = splashes.upward(inverse, (inverse <= 0).astype(np.float32), 0.4)
    marks = splashes.splashes(up, metres, 60.0, 1.0, SHUTTER, CAMERA, 5)
    layer = splat.cover(marks, metres, 256, 256)
    assert layer.sum() > 0
    assert layer[:190, :70].sum() < 0.02 * layer.sum()
    assert layer[:95].sum() < 0.02 * layer.sum()


def test_heavier_rain_makes_more_crowns() -> None:
    """Their number rises with the rate and with the share of drops that splash."""
    inverse, metres = plane(near_m=6.0)
    camera = flight.view(1024, 1024, 0.4, 0.75)
    up = splashes.upward(inverse, (inverse <= 0).astype(np.float32), 0.4)
    counts = [splashes.splashes(up, metres, rate, 0.02, SHUTTER, camera, 5).x.size for rate in (2.0, 8.0, 40.0)]
    assert counts[0] < counts[1] < counts[2]
    assert splashes.splashes(up, metres, 40.0, 0.01, SHUTTER, camera, 5).x.size == pytest.approx(counts[2] / 2, abs=splashes.JETS)


def test_the_flux_is_the_sum_over_sizes_of_number_times_speed() -> None:
    """The closed form agrees with a sum."""
    diameter = np.linspace(1.0, 12, 20000)
    many = population.PER_M3_MM * np.exp(-population.slope_per_mm(20.0) * diameter) * (9.65 - 10.3 * np.exp(-0.6 * diameter))
    assert splashes.flux_per_m2_s(20.0, 1.0) == pytest.approx(float(np.trapezoid(many, diameter)), rel=1e-3)


def test_no_ground_no_splash() -> None:
    """A picture without ground gets none, and no error."""
    none = splashes.splashes(np.zeros((64, 64), np.float32), np.full((64, 64), 5.0, np.float32), 60.0, 1.0, SHUTTER, CAMERA, 5)
    assert none.x.size == 0
    assert math.isfinite(float(none.x.sum()))


def test_as_many_crowns_stand_as_drops_strike_the_ground_while_one_lasts() -> None:
    """Flux times square metres times 50 ms and the exposure: of a plain from 3 to 7 m before a camera 1.5 m above it."""
    camera = flight.view(1024, 1024, 0.4, 0.75)
    slope = (np.arange(1024) + 0.5 - 0.4 * 1024) / camera.focal_px
    metres = np.repeat((1.5 / np.maximum(slope, 1e-3))[:, None], 1024, 1).astype(np.float32)
    plain = ((metres > 3) & (metres < 7)).astype(np.float32)
    area_m2 = 1024 / camera.focal_px * (7**2 - 3**2) / 2
    expected = splashes.flux_per_m2_s(20.0, 1.0) * area_m2 * (0.05 + 0.008)
    crowns = splashes.splashes(plain, metres, 20.0, 1.0, SHUTTER, camera, 5).x.size / splashes.JETS
    assert crowns == pytest.approx(expected, rel=0.03)
