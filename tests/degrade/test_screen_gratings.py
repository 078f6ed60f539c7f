"""Procedural patterns have the bands, the colours and the strength that were drawn."""

from __future__ import annotations

import numpy as np

from degrade.screen import gratings

PLAIN = gratings.Grating(20.0, 0.0, 0.7, 60.0, 0.0, 0.0, 0.2, 0.0, 0.0, 1.0, 5)


def wave_of(grating: gratings.Grating, height: int = 256, width: int = 256) -> np.ndarray:
    """Return the modulation of one pattern at full weight."""
    total = np.zeros((height, width, 3), np.float32)
    pattern = gratings.pattern_of(grating, height, width)
    for top in range(0, height, 64):
        gratings.add(total[top : top + 64], pattern, slice(top, min(top + 64, height)), 1.0)
    return total


def test_bands_across_the_short_side_are_those_drawn() -> None:
    """An unbent pattern of twenty bands has its peak at twenty cycles, at any size."""
    for side in (256, 512):
        spectrum = np.abs(np.fft.rfft(wave_of(PLAIN, side, side)[..., 1], axis=1)).mean(0)
        assert spectrum.argmax() == 20


def test_a_pattern_has_mean_nought_and_rms_one() -> None:
    """Whatever is drawn: nothing is stretched, nothing brightened."""
    busy = PLAIN._replace(bend=0.5, swirl=1.0, second=0.8, beat=0.8, bands=60.0)
    for grating in (PLAIN, busy):
        wave = wave_of(grating)
        assert np.abs(wave.mean((0, 1))).max() < 0.05
        assert abs(np.sqrt(np.mean(wave**2)) - 1) < 0.1


def test_the_lag_makes_colour() -> None:
    """Without a lag between colours a pattern is grey; with a third of a cycle its colours add to nothing."""
    assert np.ptp(wave_of(PLAIN._replace(lag=0.0)), 2).max() < 1e-5
    assert np.abs(wave_of(PLAIN._replace(lag=1 / 3)).mean(2)).max() < 0.02


def test_bands_never_get_finer_than_a_picture_can_show() -> None:
    """On a small picture a fine pattern is coarsened instead of aliased into another one."""
    wave = wave_of(PLAIN._replace(bands=500.0), 96, 96)
    assert np.abs(np.fft.rfft(wave[..., 1], axis=1)).mean(0).argmax() <= 96 / gratings.FINEST_PX


def test_a_pattern_comes_and_goes_over_the_frame() -> None:
    """Somewhere it is at most two thirds as strong as elsewhere."""
    wave = wave_of(PLAIN)[..., 0].reshape(4, 64, 4, 64).std((1, 3))
    assert wave.min() < 0.67 * wave.max()
