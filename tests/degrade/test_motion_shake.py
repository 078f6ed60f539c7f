"""A shaken photo is its own views, weighted by the time each was seen."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.contract import Linear, Srgb
from degrade.motion import shake

HAND = shake.Shake(exposure_ms=60.0, tremor_hz=10.0, tremor=0.05, roll=0.5, forward=0.2, seed=7)
STRAIGHT = HAND._replace(exposure_ms=5.0, tremor=0.0, roll=0.0, forward=0.0)


def point(size: int = 129, value: float = 1.0, side: int = 1, at: tuple[int, int] = (64, 64)) -> Linear:
    """Return a square of light in the dark."""
    dark = np.zeros((size, size, 3), np.float32)
    dark[at[1] - side // 2 : at[1] + side // 2 + 1, at[0] - side // 2 : at[0] + side // 2 + 1] = value
    return dark


def spread_px(seen: Linear) -> tuple[float, float, float]:
    """Return the mass centre and root mean square spread of light."""
    light = seen[..., 1].astype(np.float64)
    y, x = np.mgrid[: len(light), : len(light)]
    mean_x, mean_y = (light * x).sum() / light.sum(), (light * y).sum() / light.sum()
    return float(mean_x), float(mean_y), float(np.sqrt((light * ((x - mean_x) ** 2 + (y - mean_y) ** 2)).sum() / light.sum()))


@pytest.mark.parametrize("exposure_ms", [10.0, 120.0, 500.0])
@pytest.mark.parametrize("length", [2.0, 9.0, 40.0])
def test_weights_sum_to_one_and_poses_to_nothing(exposure_ms: float, length: float) -> None:
    """The views' weights are one in all, and on average the camera points where it pointed."""
    views = shake.views(HAND._replace(exposure_ms=exposure_ms), length, 320, 240, 300.0)
    assert views.weights.sum() == pytest.approx(1)
    assert np.abs(views.weights @ views.poses).max() < 1e-6 * max(float(np.abs(views.poses).max()), 1e-9) + 1e-12
    assert 2 <= len(views.weights) <= shake.MOST_VIEWS


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("length", [12.0, 30.0])
def test_a_point_is_spread_as_far_as_its_length_says(seed: int, length: float) -> None:
    """A point in the middle keeps its light and place, and its spread is that of a straight even streak of the length."""
    seen = shake.render(point(), STRAIGHT._replace(seed=seed), length, 0.75)
    x, y, spread = spread_px(seen)
    assert seen[..., 1].sum() == pytest.approx(1, abs=0.02)
    assert abs(x - 64) < 0.15
    assert abs(y - 64) < 0.15
    assert spread == pytest.approx(length / math.sqrt(12), rel=0.12)


def test_a_bright_point_leaves_a_saturated_streak() -> None:
    """A lamp of four times white, five px wide, shaken by twelve, is a white line and not a grey one; clipped first it is grey."""
    lamp = point(value=4.0, side=5)
    streak = shake.render(lamp, STRAIGHT, 12.0, 0.75)[..., 1]
    clipped = shake.render(np.minimum(lamp, 1), STRAIGHT, 12.0, 0.75)[..., 1]
    rows, columns = np.nonzero(streak >= 1)
    assert math.hypot(np.ptp(rows), np.ptp(columns)) > 8
    assert clipped.max() < 0.6


@pytest.mark.parametrize("length", [8.0, 20.0, 45.0])
def test_a_blurred_edge_has_no_replicas(length: float) -> None:
    """The autocorrelation of a shaken edge's slope falls from its middle without a second peak."""
    edge = np.zeros((129, 129, 3), np.float32)
    edge[:, 64:] = 1
    straight = max((STRAIGHT._replace(seed=seed) for seed in range(8)), key=lambda hand: float(np.ptp(shake.views(hand, 9.0, 129, 129, 160.0).poses[:, 0])))
    slope = np.diff(shake.render(edge, straight, length, 0.75)[64, 15:114, 1].astype(np.float64))
    correlation = np.correlate(slope, slope, "full")[len(slope) - 1 :]
    assert np.diff(correlation).max() < 0.01 * correlation[0]


def test_corners_turn_when_the_camera_rolls() -> None:
    """With roll alone the middle stays sharp and corners are smeared."""
    rolled = STRAIGHT._replace(roll=1e4)
    middle = shake.render(point(), rolled, 12.0, 0.75)
    corner = shake.render(point(at=(16, 16)), rolled, 12.0, 0.75)
    assert spread_px(middle)[2] < 1.0
    assert spread_px(corner)[2] > 2.5


def test_long_exposures_are_crooked() -> None:
    """Drift and tremor bend the path of half a second; a hundredth is all but a line."""

    def bentness(exposure_ms: float) -> float:
        found = []
        for seed in range(12):
            way = shake.path(HAND._replace(exposure_ms=exposure_ms, seed=seed))[:, :2]
            found.append(np.linalg.norm(np.diff(way, axis=0), axis=1).sum() / np.linalg.norm(way[-1] - way[0]))
        return float(np.median(found))

    assert bentness(10.0) < 1.02
    assert bentness(500.0) > 1.4


def test_the_pair_stays_in_place(astronaut: Srgb) -> None:
    """No shift of a shaken photo is nearer to the clean one than none."""
    clean = camera.to_linear(astronaut[64:320, 64:320])
    seen = shake.render(clean, HAND, 10.0, 0.75)
    middle = seen[16:-16, 16:-16]
    off = {
        (x, y): float(cv2.norm(np.ascontiguousarray(clean[16 + y : 240 + y, 16 + x : 240 + x]), np.ascontiguousarray(middle)))
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    }
    assert min(off, key=lambda shift: off[shift]) == (0, 0)
