"""What was clipped holds its light again, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from degrade import camera
from degrade.contract import Srgb
from degrade.motion import highlights


def test_a_lamp_is_lifted_and_a_sky_hardly() -> None:
    """A small white disc holds nearly the whole gain, a white half of the photo a fraction of it."""
    night = np.full((256, 256, 3), 0.01, np.float32)
    night[100:104, 100:104] = 1
    assert highlights.recovered(night, 10.0)[102, 102, 0] > 7
    day = np.full((256, 256, 3), 0.2, np.float32)
    day[:128] = 1
    assert 1 < highlights.recovered(day, 10.0)[40, 128, 0] < 1.6


def test_what_was_not_clipped_stays(astronaut: Srgb) -> None:
    """What is below the knee is untouched to the bit, the photo looks the same, and a full red is no lamp."""
    light = camera.to_linear(astronaut)
    lifted = highlights.recovered(light, 10.0)
    below = light.max(-1) < highlights.KNEE
    assert np.array_equal(lifted[below], light[below])
    assert lifted.max() > 2
    assert np.abs(camera.to_srgb(lifted).astype(int) - astronaut).mean() < 0.05
    red = np.zeros((64, 64, 3), np.float32)
    red[20:24, 20:24, 0] = 1
    assert np.array_equal(highlights.recovered(red, 10.0), red)


@pytest.mark.parametrize("gain", [1.0, 5.0])
def test_light_that_is_there_already_stays(gain: float) -> None:
    """A lamp that an earlier step made four times white is not lifted twice, and the input is left alone."""
    light = np.full((64, 64, 3), 0.1, np.float32)
    light[30:33, 30:33] = 4
    before = light.copy()
    made = highlights.recovered(light, gain)
    assert made[31, 31, 0] <= max(4.0, gain)
    assert made.min() == pytest.approx(0.1)
    assert np.array_equal(light, before)
