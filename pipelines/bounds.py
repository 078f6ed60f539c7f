"""The ranges of all numbers that scorers announce: a limit that ends where a number's range ends takes nothing there."""

from __future__ import annotations

import functools

import degrade
import filters


@functools.cache
def ranges() -> dict[str, tuple[float, float]]:
    """Return the least and the largest value of every number, by `scorer.measure`."""
    return {
        f"{made.name}.{measure.name.format(task=task)}": measure.range
        for made in filters.FILTERS
        for measure in made.measures
        for task in (degrade.NAMES if "{task}" in measure.name else ("",))
    }
