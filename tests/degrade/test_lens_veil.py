"""Veils fall off from their light; rings and streaks have the drawn size and direction."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.lens import streak, veil
from degrade.lens.streak import Streak
from degrade.lens.veil import Halo, Shine, Veil

SHINE = Shine(60.0, 40.0, np.array([1.0, 0.8, 0.6]))


def test_the_veil_falls_with_the_drawn_power_of_the_distance() -> None:
    """Beyond its core the log of the veil over the log of the distance has the drawn slope, within 2 %."""
    dark = np.full((256, 256, 3), 1e-3, np.float32)
    shine = Shine(10.0, 128.0, np.ones(3))
    made = veil.veil(dark, (shine,), Veil(1.0, 2.2, 0.02, 0.0))[128, 60:250, 1]
    slope = np.polyfit(np.log(np.arange(60, 250) - 10.0), np.log(made), 1)[0]
    assert slope == pytest.approx(-2.2, rel=0.02)


def test_a_light_beyond_the_edge_veils_from_that_edge() -> None:
    """The nearest edge is the brightest, and it falls all the way across."""
    dark = np.full((96, 128, 3), 1e-3, np.float32)
    row = veil.veil(dark, (Shine(-20.0, 48.0, np.ones(3)),), Veil(1.0, 2.0, 0.05, 0.0))[48, :, 0]
    assert np.all(np.diff(row) < 0)


def test_the_scene_veils_itself() -> None:
    """With all of the veil from the scene, a window brightens what is beside it more than what is far."""
    scene = np.full((96, 128, 3), 0.02, np.float32)
    scene[20:40, 20:40] = 3.0
    made = veil.veil(scene, (SHINE,), Veil(1.0, 2.0, 0.05, 1.0))
    assert made[30, 44, 1] > 1.5 * made[80, 110, 1] > 0


def test_the_ring_has_its_radius_and_red_outside() -> None:
    """The ring peaks at its radius from the light, and red a little farther out than blue."""
    made = veil.halo((200, 200, 3), Shine(100.0, 100.0, np.ones(3)), Halo(1.0, 0.3, 0.02, 0.05, 9))
    rows, columns = np.mgrid[0:200, 0:200]
    radius = np.hypot(columns - 100, rows - 100).astype(int)
    profiles = [np.bincount(radius.ravel(), made[..., at].ravel()) / np.bincount(radius.ravel()) for at in (0, 1, 2)]
    peaks = [int(profile[:100].argmax()) for profile in profiles]
    assert abs(peaks[1] - 60) <= 2
    assert peaks[0] > peaks[1] > peaks[2]


def test_the_ring_is_seamless() -> None:
    """Its unevenness closes where the turn begins again."""
    made = veil.halo((200, 200, 3), Shine(100.0, 100.0, np.ones(3)), Halo(1.0, 0.3, 0.05, 0.0, 9))[..., 1]
    assert abs(float(made[99, 40] - made[101, 40])) < 0.05 * float(made[100, 40])


def test_a_streak_runs_through_its_light_at_its_angle() -> None:
    """The ridge of a streak is a line through the light with the drawn slope."""
    canvas = np.zeros((200, 300, 3), np.float32)
    streak.draw(canvas, Streak(1.0, 20.0, 0.5, 0.01, (0.3, 0.6, 1.0), 3), (140.0, 90.0), (10.0, 10.0, 10.0))
    columns = np.arange(80, 200)
    rows = canvas[:, 80:200, 2].argmax(0)
    slope, offset = np.polyfit(columns, rows, 1)
    assert slope == pytest.approx(np.tan(np.radians(20.0)), abs=0.02)
    assert slope * 140 + offset == pytest.approx(90.0, abs=1.0)
    assert canvas[..., 2].sum() > canvas[..., 0].sum()
