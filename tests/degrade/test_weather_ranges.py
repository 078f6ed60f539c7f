"""What a recipe may ask of haze and rain can be drawn, and what cannot be drawn is refused in words."""

from __future__ import annotations

from typing import Any, get_args

import pytest

import degrade
from degrade.contract import Facts, Generator
from degrade.stream import stream

WEATHER = pytest.mark.parametrize("generator", [degrade.by_name("haze"), degrade.by_name("rain")], ids=lambda made: made.name)
PLANES = {"near_m", "far_m"}  # bound each other


@WEATHER
def test_every_range_can_be_drawn_from_end_to_end(generator: Generator[Any, Any]) -> None:
    """Neither end of what is possible stops a draw, wherever a recipe puts its bounds."""
    facts = Facts(64, 64, textures=2)
    intervals = {name: info.json_schema_extra for name, info in generator.ranges.model_fields.items() if len(get_args(info.annotation)) == 2}
    assert len(intervals) > 15
    for name in intervals.keys() - PLANES:
        low, high = intervals[name]["possible"]
        for bounds in ((low, low), (high, high), (low, high)):
            ranges = generator.ranges(**{name: tuple(map(float, bounds))})
            for seed in range(6):
                assert generator.sample(stream(seed, generator.name, name), ranges, facts, 5)


@WEATHER
def test_a_near_plane_beyond_the_far_one_is_refused(generator: Generator[Any, Any]) -> None:
    """Depth would turn round; the message says which two ranges meet."""
    with pytest.raises(ValueError, match=r"`near_m` reaches 500.0 m and `far_m` begins at 100.0 m"):
        generator.ranges(near_m=(3.0, 500.0), far_m=(100.0, 900.0))
    assert generator.ranges(near_m=(3.0, 99.0), far_m=(100.0, 900.0))
