"""Streams are named, independent, and the same by either door."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.stream import Streams, chance, field_rng, log_uniform, new_seed, pick, stream, uniform, unit_draws


def test_raw_draws_are_pinned():
    """These numbers are part of every data set ever made: they never change."""
    assert stream(7, "haze", "abc:0").random(3).tolist() == [0.2538321262136656, 0.4490116241723111, 0.28921848780202797]
    assert list(unit_draws(7, "plan", "abc:0")[:3]) == [0.7312581458848574, 0.47066977831513657, 0.7710309158906145]
    assert field_rng(123).integers(0, 2**32, 3).tolist() == [1213385123, 2220520591, 1773295034]


def test_the_quick_door_gives_the_same_streams():
    """`Streams.at` draws what `stream` draws, also after another stream was half used."""
    quick = Streams()
    for name, key in (("haze", "a"), ("noise", "a"), ("haze", "b"), ("haze", "a")):
        one, other = quick.at(5, name, key), stream(5, name, key)
        assert one.random(5).tolist() == other.random(5).tolist()
        assert one.integers(0, 7, 3).tolist() == other.integers(0, 7, 3).tolist()


@pytest.mark.parametrize("change", [{"seed": 8}, {"name": "rain"}, {"key": "abc:1"}])
def test_each_part_of_a_name_makes_another_stream(change):
    """Seed, purpose and subject all count."""
    name = {"seed": 7, "name": "haze", "key": "abc:0"}
    assert stream(**name).random() != stream(**{**name, **change}).random()
    assert unit_draws(**name) != unit_draws(**{**name, **change})


def test_draws_have_their_distributions():
    """Uniform, log-uniform, chance and seeds: means over 4,000 draws."""
    rng = np.random.default_rng(1)
    assert np.mean([uniform(rng, 2, 4) for _ in range(4000)]) == pytest.approx(3, abs=0.05)
    assert np.mean(np.log([log_uniform(rng, 0.01, 100) for _ in range(4000)])) == pytest.approx(0, abs=0.2)
    assert np.mean([chance(rng, 0.3) for _ in range(4000)]) == pytest.approx(0.3, abs=0.03)
    assert len({new_seed(rng) for _ in range(4000)}) == 4000
    assert np.mean([unit_draws(1, "x", str(at)) for at in range(500)]) == pytest.approx(0.5, abs=0.02)


def test_a_pick_is_as_frequent_as_its_weight():
    """Names lie end to end on the unit interval; one of weight 0 is never picked, nor is there a place beyond the last."""
    weights = {"none": 0.0, "one": 1.0, "three": 3.0, "nil": 0.0}
    assert [pick(weights, position) for position in (0.0, 0.2499, 0.25, 1 - 2**-53)] == ["one", "one", "three", "three"]
    rng = np.random.default_rng(1)
    assert np.mean([pick(weights, rng.random()) == "three" for _ in range(4000)]) == pytest.approx(0.75, abs=0.03)
    assert pick(dict.fromkeys(range(10), 0.1) | {"off": 0.0}, 1.0) != "off"
