"""Cameras are drawn inside their ranges, and their read noise follows their ISO."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from degrade.raw.cameras import CameraRanges, sample_camera
from degrade.stream import stream


def test_a_camera_lies_inside_its_ranges() -> None:
    """What the recipe narrows is narrowed."""
    ranges = CameraRanges(red_gain=(2.0, 2.1), strength=(0.5, 0.6), bits=(12,), hot=0.0, jpeg=1.0, jpeg_quality=(90.0, 92.0))
    for key in range(50):
        made = sample_camera(stream(1, "camera", str(key)), ranges, 400.0)
        assert 2.0 <= made.look.red_gain <= 2.1
        assert 0.5 <= made.denoiser.strength.mean <= 0.6
        assert made.bits == 12
        assert made.hot_per_mpx == 0.0
        assert made.jpeg_quality in (90, 91, 92)
        assert 0 <= made.phase < 4


def test_read_noise_follows_the_cameras_line() -> None:
    """Variances of read and shot noise: log r = 2.18 log s + 1.20."""
    typical = [np.median([sample_camera(stream(1, "camera", str(key)), CameraRanges(), iso).read_noise for key in range(200)]) for iso in (100.0, 6400.0)]
    assert abs(np.log(typical[1] / typical[0]) / np.log(64.0) - 1.09) < 0.03
    assert abs(2 * np.log(typical[0]) - 2.18 * np.log(1e-4) - 1.2) < 0.1


@pytest.mark.parametrize("bits", [(), (0,), (1,), (7,), (16,), (18,), (12, 16)])
def test_a_converter_that_cannot_be_is_refused(bits: tuple[int, ...]) -> None:
    """Counts of more than 15 bits would wrap, of few there is no picture, and of none nothing can be drawn."""
    with pytest.raises(ValidationError, match="from 8 to 15 bits"):
        CameraRanges(bits=bits)
    assert CameraRanges(bits=(8, 15)).bits == (8, 15)


@pytest.mark.parametrize("bounds", [(2.0, 3.0), (1.4, 1.8), (1.0, 1.1)])
def test_a_brightness_gain_beside_the_usual_one_is_spread_evenly(bounds: tuple[float, float]) -> None:
    """Where the bell of common gains lies outside, all of the range is drawn and not its nearer end alone."""
    gains = [sample_camera(stream(1, "camera", str(key)), CameraRanges(rgb_gain=bounds), 400.0).look.rgb_gain for key in range(200)]
    assert np.abs(np.histogram(gains, 4, bounds)[0] - 50).max() < 25
    assert len(set(gains)) == 200


def test_the_usual_brightness_gain_is_one_over_a_bell() -> None:
    """Its middle is 1 / 0.8."""
    gains = [sample_camera(stream(1, "camera", str(key)), CameraRanges(), 400.0).look.rgb_gain for key in range(400)]
    assert abs(np.median(gains) - 1.25) < 0.03
    assert abs(np.std(1 / np.array(gains)) - 0.1) < 0.02
