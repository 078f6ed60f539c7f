"""Shot noise has the variance of its light, and is grown again from its seed."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.air import shot


@pytest.mark.parametrize("level", [0.02, 0.2, 0.8])
def test_variance_is_gain_times_light_and_the_mean_stays(level: float) -> None:
    """A flat patch shows the law within 2 %."""
    light = np.full((512, 511, 3), level, np.float32)
    shot.add(light, shot.words(5, 512, 511), 3e-4)
    assert light[..., 0].var() == pytest.approx(3e-4 * level, rel=0.02)
    assert light.mean() == pytest.approx(level, rel=1e-3)


def test_the_quantiles_are_a_standard_normal_distribution() -> None:
    """Mean 0, variance 1, kurtosis near 3, rising."""
    table = shot.quantiles().ravel().astype(np.float64)
    assert abs(table.mean()) < 1e-6
    assert table.var() == pytest.approx(1, abs=1e-5)
    assert (table**4).mean() == pytest.approx(3, abs=0.2)
    assert np.all(np.diff(table) > 0)


def test_words_are_a_function_of_the_seed_and_even() -> None:
    """The same seed gives the same bits, every code comes as often as another, neighbours do not know each other."""
    drawn = shot.words(7, 511, 513)
    assert np.array_equal(drawn, shot.words(7, 511, 513))
    assert not np.array_equal(drawn, shot.words(8, 511, 513))
    counts = np.bincount(drawn.ravel(), minlength=256)
    assert abs(counts / counts.mean() - 1).max() < 0.15
    assert abs(np.corrcoef(drawn[:, 1:].ravel(), drawn[:, :-1].ravel())[0, 1]) < 0.01


def test_black_stays_black() -> None:
    """No light, no shot noise, and none falls below zero."""
    light = np.zeros((16, 16, 3), np.float32)
    light[:8] = 1e-5
    shot.add(light, shot.words(1, 16, 16), 3e-4)
    assert light[8:].max() == 0
    assert light.min() >= 0
