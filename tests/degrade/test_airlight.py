"""Airlight is the sky's while haze is thin, its own when it is dense, and brighter towards the bright side of the sky."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.air.airlight import LUMINANCE, WHITE, airlight, darkness, lamplit, towards
from degrade.contract import Linear, Map

BLUE = np.array([0.2, 0.3, 0.6], np.float32)


def scene(sky_colour: np.ndarray = BLUE, land: float = 0.1) -> tuple[Linear, Map]:
    """A sky over even land, 32 x 48."""
    above = np.repeat((np.arange(32) < 16).astype(np.float32)[:, None], 48, 1)
    return np.where(above[..., None] > 0, sky_colour, np.float32(land)).astype(np.float32), above


def test_thin_haze_sends_the_light_of_the_sky_that_is_seen() -> None:
    """Without opacity, colour and level are the sky's at the horizon, whatever the tint and the sun."""
    air = airlight(*scene(), 0.5, 0.0, 1.0, 0.2, 0.5)
    assert air.colour == pytest.approx(BLUE, rel=1e-3)
    assert air.own == 0


def test_dense_haze_is_whiter_than_the_sky_and_warm_under_a_low_sun() -> None:
    """Droplets scatter all colours alike."""
    cool, warm = (airlight(*scene(), 0.5, 0.9, 1.0, 0.2, warmth).colour for warmth in (0.0, 0.5))
    assert cool[0] / cool[2] > BLUE[0] / BLUE[2] * 1.5
    assert warm[0] / warm[2] > cool[0] / cool[2]


def test_under_a_black_sky_a_lit_street_is_a_night() -> None:
    """Air above bright signs is darker than they are, and paler than the sky; under a sky as bright as the land it is day."""
    night = airlight(*scene(BLUE * 0.01, 0.15), 0.5, 0.9, 1.0, 0.5, 0.0)
    day = airlight(*scene(land=0.15), 0.5, 0.9, 1.0, 0.5, 0.0)
    assert night.night > 0.7
    assert day.night == 0
    assert night.colour @ LUMINANCE < 0.6 * 0.15
    assert night.colour.max() / night.colour.min() < 0.5 * (BLUE.max() / BLUE.min())


def test_sunlit_fog_outshines_a_dark_scene_and_fog_at_night_does_not() -> None:
    """By day dense fog is brighter than what it hides; at night it is what lamps put into it."""
    day = airlight(*scene(land=0.3), 0.5, 0.9, 1.0, 0.5, 0.0).colour @ LUMINANCE
    assert day > 1.5 * 0.3
    night = airlight(*scene(BLUE * 0.005, 0.004), 0.5, 0.9, 1.0, 0.5, 0.0)
    assert night.colour @ LUMINANCE < 0.01
    assert darkness(night) > 0.9


def test_no_airlight_outshines_white() -> None:
    """Neither the level nor the direction lifts it above what the camera meters."""
    light, above = scene(np.float32([0.6, 0.6, 0.6]))
    light[:16, 24:] = 1.0
    air = airlight(light, above, 0.5, 0.9, 2.0, 0.5, 0.5)
    assert air.colour.max() <= WHITE + 1e-6
    assert towards(air, light, above, 1.0).max() <= WHITE + 1e-6


def test_air_is_brighter_towards_the_bright_side_of_the_sky() -> None:
    """It follows the sky around it, also below the horizon; asked not to follow, it is one colour."""
    light, above = scene()
    light[:16, 32:] *= 1.5
    air = airlight(light, above, 0.5, 0.3, 1.0, 0.5, 0.0)
    followed, even = (towards(air, light, above, follow) for follow in (0.8, 0.0))
    assert followed[8, 44].mean() > 1.15 * followed[8, 4].mean()
    assert followed[18, 44].mean() > 1.1 * followed[18, 4].mean()
    assert np.ptp(even.reshape(-1, 3), axis=0).max() < 1e-5
    assert even[0, 0] == pytest.approx(air.colour, rel=1e-3)


def test_thin_haze_has_the_colour_of_each_side_of_the_sky() -> None:
    """A red sunset on one side does not tint the other."""
    light, above = scene()
    light[:16, 32:] = (0.6, 0.3, 0.15)
    air = airlight(light, above, 0.5, 0.0, 1.0, 0.5, 0.0)
    followed = towards(air, light, above, 0.9)
    assert followed[8, 44, 0] > followed[8, 44, 2]
    assert followed[8, 4, 0] < followed[8, 4, 2]


def test_a_scene_without_sky_has_air_of_its_own() -> None:
    """No sky, no direction, but light."""
    light = np.full((32, 48, 3), 0.2, np.float32)
    above = np.zeros((32, 48), np.float32)
    air = airlight(light, above, 0.4, 0.2, 1.0, 0.5, 0.0)
    assert air.own == pytest.approx(1.0)
    assert air.colour.mean() > 0.2
    assert np.ptp(towards(air, light, above, 0.9).reshape(-1, 3), axis=0).max() < 1e-4


def test_night_air_is_bright_about_lamps_and_day_air_is_not() -> None:
    """About a lamp night fog is brighter than far from it, its mean is kept, and by day nothing changes."""
    scene_light = np.full((32, 48, 3), 0.002, np.float32)
    scene_light[8:12, 8:12] = 1.0
    even = np.full_like(scene_light, 0.02)
    night, day = (lamplit(even, scene_light, darkness_) for darkness_ in (1.0, 0.0))
    assert night[10, 10, 1] > 2 * night[25, 40, 1]
    assert night.mean() == pytest.approx(0.02, rel=0.1)
    assert np.array_equal(day, even)
