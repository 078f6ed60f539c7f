"""The drops of rain have Marshall and Palmer's sizes, and are where a camera would see them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.drops import population


def reach(rate: float, steradian: float = 0.5, metres_px: float = 1.0) -> float:
    return population.reach_m_per_mm(rate, steradian, metres_px)


@pytest.mark.parametrize("rate", [1.0, 10.0, 100.0])
def test_blocking_agrees_with_the_measured_extinction(rate: float) -> None:
    """Twice the discs of all drops (diffraction bends away as much as a disc blocks) is the published extinction, within a third."""
    assert 2 * population.cover_per_m(rate) == pytest.approx(population.extinction_per_m(rate), rel=0.34)


def test_the_drops_carry_the_water_of_their_rate() -> None:
    """Volume times fall speed, summed over the sizes, gives back the mm that fall in an hour, within a quarter."""
    diameter = np.linspace(0.05, 8, 4000)
    for rate in (2.0, 20.0):
        many = population.PER_M3_MM * np.exp(-population.slope_per_mm(rate) * diameter)
        volume = math.pi / 6 * (diameter * 1e-3) ** 3 * population.fall_m_s(diameter.astype(np.float32))
        assert float((many * volume).sum() * (diameter[1] - diameter[0])) * 3600 * 1000 == pytest.approx(rate, rel=0.25)


def test_large_drops_fall_at_nine_metres_a_second() -> None:
    """Terminal velocities are those of Gunn and Kinzer's table, within 4 %."""
    assert [population.fall_of(size) for size in (1.0, 2.0, 3.0, 5.0)] == pytest.approx([4.03, 6.49, 8.06, 9.09], rel=0.04)


def test_drops_spread_as_a_gamma_of_shape_four() -> None:
    """The mean diameter of drops within reach is 4 / Lambda, and none is farther than its reach."""
    rate, kappa = 20.0, reach(20.0)
    rain = population.drops(3, rate, 0.5, kappa)
    assert float(rain.diameter_mm.mean()) == pytest.approx(4 / population.slope_per_mm(rate), rel=0.02)
    assert np.all(rain.distance_m <= kappa * rain.diameter_mm * 1.0001)
    assert float((rain.distance_m / (kappa * rain.diameter_mm)).mean()) == pytest.approx(0.75, abs=0.02)  # even in volume


def test_what_they_cover_is_what_all_drops_within_the_nearest_metres_would() -> None:
    """The discs of the drops drawn one by one fill the share that 3 kappa / Lambda metres of rain block."""
    rate, steradian = 5.0, 0.5
    kappa = reach(rate, steradian)
    rain = population.drops(3, rate, steradian, kappa)
    share = float((math.pi / 4 * (rain.diameter_mm * 1e-3 / rain.distance_m) ** 2).sum()) / steradian
    expected = population.cover_per_m(rate) * (population.near_m(rate, kappa) - population.NEAREST_M)
    assert share == pytest.approx(expected, rel=0.05)


def test_a_long_exposure_needs_fewer_streaks() -> None:
    """The length of all streaks stays within bounds, and their number too."""
    for metres_px in (1.0, 20.0, 400.0):
        kappa = reach(30.0, 0.5, metres_px)
        rain = population.drops(1, 30.0, 0.5, kappa)
        assert rain.x.size <= population.STREAKS
        assert float((metres_px / rain.distance_m).sum()) < 1.3 * population.MARKED_PX


def test_drops_are_a_pure_function_of_their_seed() -> None:
    """The same seed gives the same drops, another gives others, all within the picture."""
    first, again, other = (population.drops(seed, 10.0, 0.5, 1.0) for seed in (1, 1, 2))
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first.x[:50], other.x[:50])
    assert all(0 <= float(places.min()) <= float(places.max()) <= 1 for places in (first.x, first.y))
