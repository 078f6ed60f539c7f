"""A falling drop leaves a streak as long as its fall in the exposure, wide as its image, and opaque as its share of the time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.drops import flight
from degrade.drops.population import Rain

STILL = flight.Shutter(10.0, 0.001, 5.0, 0.0, 0.0, 0.0)


def one(shutter: flight.Shutter, *, x: float = 0.5, y: float = 0.5, horizon: float = 0.5, distance: float = 2.0) -> flight.Streaks:
    """Return the streak of a drop of 2 mm in a picture of 1000 x 1000 px with a focal length of 1000 px."""
    camera = flight.view(1000, 1000, horizon, 2 * math.atan(0.5))
    drop = Rain(*(np.array([value], np.float32) for value in (x, y, distance, 2.0)))
    return flight.streaks(drop, shutter, camera, 1)


def test_length_is_speed_times_exposure() -> None:
    """At 2 m, 6.55 m/s in 10 ms are 33 px of a focal length of 1000 px."""
    assert float(one(STILL).down[0]) == pytest.approx(1000 * 6.55 * 0.010 / 2, rel=0.01)
    assert float(one(STILL._replace(exposure_ms=20.0)).down[0]) == pytest.approx(2 * float(one(STILL).down[0]), rel=1e-3)


def test_width_is_the_drop_in_focus_and_the_circle_of_confusion_out_of_it() -> None:
    """A drop at the focus is its own size wide; off it, aperture x focal length x the difference of the inverse distances."""
    assert float(one(STILL, distance=5.0).width[0]) == pytest.approx(1000 * 2e-3 / 5, rel=1e-3)
    blurred = float(one(STILL._replace(aperture_mm=10.0)).width[0])
    assert blurred == pytest.approx(math.hypot(1.0, 1000 * 0.010 * (1 / 2 - 1 / 5)), rel=1e-3)


def test_what_a_drop_blocks_does_not_depend_on_the_shutter() -> None:
    """Its own disc, in px, whatever the exposure and the focus."""
    areas = [float(one(shutter).area[0]) for shutter in (STILL, STILL._replace(exposure_ms=60.0), STILL._replace(aperture_mm=20.0))]
    assert areas == pytest.approx([math.pi / 4 * 1.0**2] * 3, rel=1e-3)


def test_wind_leans_streaks() -> None:
    """The angle is wind over fall."""
    streak = one(STILL._replace(wind_m_s=3.0))
    assert math.degrees(math.atan2(float(streak.across[0]), float(streak.down[0]))) == pytest.approx(flight.fall_deg(2.0, STILL._replace(wind_m_s=3.0)))
    assert flight.fall_deg(2.0, STILL._replace(wind_m_s=3.0)) == pytest.approx(math.degrees(math.atan2(3, 6.55)), abs=0.2)


def test_a_camera_that_looks_up_sees_rain_come_towards_it() -> None:
    """Streaks run away from where the rain comes from, above the picture, so on the right they lean to the right."""
    assert float(one(STILL, x=0.9, horizon=1.0).across[0]) > 0
    assert float(one(STILL, x=0.9, horizon=0.0).across[0]) < 0
    assert float(one(STILL, x=0.9, horizon=0.5).across[0]) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("along", [-4.0, 6.0])
@pytest.mark.parametrize("horizon", [0.5, 0.9, 0.1])
def test_a_streak_is_what_a_pinhole_sees_of_a_moving_point(along: float, horizon: float) -> None:
    """Both ends of the drop's way, projected by a camera that looks up or down, span the streak, to the right and downwards."""
    shutter = STILL._replace(exposure_ms=0.5, wind_m_s=2.0, along_m_s=along)
    streak = one(shutter, x=0.85, y=0.3, horizon=horizon)
    up = math.atan(horizon - 0.5)  # of a focal length as long as the picture is high
    middle = 2.0 * np.array([0.35, -0.2, 1.0])  # right, down and away, as the camera stands
    velocity = np.array([2.0, 6.55 * math.cos(up) - along * math.sin(up), -along * math.cos(up) - 6.55 * math.sin(up)])
    begin, end = (middle + velocity * seconds for seconds in (-0.25e-3, 0.25e-3))
    across, down = 1000 * (end[:2] / end[2] - begin[:2] / begin[2])
    assert float(streak.across[0]) == pytest.approx(across, rel=0.01)
    assert float(streak.down[0]) == pytest.approx(down, rel=0.01)


def test_turbulence_is_the_sideways_speed_in_shares_of_the_fall() -> None:
    """Over many drops in still air the deviation of the lean is the record, and the wobble's phase knows nothing of it."""
    many = Rain(*(np.full(4000, value, np.float32) for value in (0.5, 0.5, 2.0, 2.0)))
    streaks = flight.streaks(many, STILL._replace(turbulence=0.06), flight.view(1000, 1000, 0.5, 2 * math.atan(0.5)), 1)
    lean = streaks.across / streaks.down
    assert float(lean.std()) == pytest.approx(0.06, rel=0.05)
    assert abs(float(np.corrcoef(streaks.phase, lean)[0, 1])) < 0.06
    assert np.histogram(streaks.phase, 4, (0, 1))[0] == pytest.approx([1000] * 4, rel=0.12)


def test_a_drop_wobbles_in_its_first_mode() -> None:
    """Rayleigh's frequency for a sphere of water, sqrt(8 surface tension / (density radius^3)) / 2 pi, times the exposure."""
    hertz = math.sqrt(8 * 0.0728 / (998 * 1e-3**3)) / (2 * math.pi)
    assert float(one(STILL).waves[0]) == pytest.approx(hertz * 0.010, rel=0.02)
