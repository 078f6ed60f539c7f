"""A thing that moves is blurred, lets the ground through at its ends, and leaves the rest alone."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from degrade.contract import Linear
from degrade.motion import objects, things

MOVER = objects.Mover(pick=0.0, heading_deg=0.0, bend=0.0, feather_px=0.6)


def ball() -> tuple[Linear, np.ndarray, np.ndarray]:
    """Return a bright red disc on a green ground, its segments in pieces, and flat depth."""
    light = np.full((256, 256, 3), (0.05, 0.3, 0.05), np.float32)
    cv2.circle(light, (128, 128), 32, (0.8, 0.1, 0.1), -1, cv2.LINE_AA)
    labels = np.repeat(np.repeat(np.arange(64, dtype=np.int32).reshape(8, 8), 16, 0), 16, 1)
    small = cv2.resize(light, (128, 128), interpolation=cv2.INTER_AREA)
    labels = labels + 64 * (small[..., 0] > 0.4).astype(np.int32)
    _, labels = np.unique(labels, return_inverse=True)
    return light, labels.reshape(128, 128).astype(np.int32), np.full((32, 32), 0.5, np.float32)


@pytest.mark.parametrize("length", [1.5, 9.0, 40.0])
@pytest.mark.parametrize("bend", [-0.15, 0.0, 0.15])
def test_the_way_is_centred_and_as_long_as_it_says(length: float, bend: float) -> None:
    """The way's mean is where the thing was, its spread that of a straight even streak, its steps at most a pixel."""
    points = objects.way(MOVER._replace(bend=bend, heading_deg=30.0), length)
    assert np.abs(points.mean(0)).max() < 1e-9
    assert math.sqrt((points**2).sum(1).mean()) == pytest.approx(length / math.sqrt(12))
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 1.2


def test_pieces_make_a_thing() -> None:
    """The disc is found as one, though its segments are pieces."""
    light, labels, inverse = ball()
    small = cv2.resize(light, (128, 128), interpolation=cv2.INTER_AREA)
    mask = things.thing(small, labels, cv2.resize(inverse, (128, 128)), 0.0)
    disc = small[..., 0] > 0.4
    assert (mask & disc).sum() > 0.95 * disc.sum()
    assert (mask & ~disc).sum() < 0.05 * disc.sum()


def test_only_the_thing_is_blurred() -> None:
    """Away from the thing's way nothing changes; its middle keeps its colour; its ends are half ground, half thing."""
    light, labels, inverse = ball()
    before = light.copy()
    seen = objects.render(light, MOVER, 24.0, labels, inverse)
    assert np.array_equal(light, before)
    assert np.array_equal(seen[:80], light[:80])
    assert np.abs(seen[128, 120:136] - light[128, 128]).max() < 0.05
    for end in (128 - 32, 128 + 32):  # where the outline was, the thing was half of the time
        assert seen[128, end, 0] == pytest.approx(0.425, abs=0.1)
        assert seen[128, end, 1] == pytest.approx(0.2, abs=0.06)
    inside = seen[128, 128 + 32 - 8]  # the sharp thing is gone: the ground shows within its old outline
    assert inside[0] < 0.75
    assert inside[1] > 0.12


def test_a_photo_without_things_survives() -> None:
    """One segment, or one colour, gives a picture and no error."""
    light = np.full((64, 96, 3), 0.3, np.float32)
    flat = np.full((16, 16), 0.5, np.float32)
    for labels in (np.zeros((64, 96), np.int32), np.arange(96, dtype=np.int32)[None].repeat(64, 0) // 8):
        assert np.abs(objects.render(light, MOVER, 5.0, labels, flat) - 0.3).max() < 1e-3
