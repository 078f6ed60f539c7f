"""Cameras are drawn inside their ranges, and their read noise follows their ISO."""

from __future__ import annotations

import numpy as np

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
