"""The interval of a number that best parts accepted from rejected items.

    balanced accuracy = (share of accepts inside + share of rejects outside) / 2

which does not ask how many of each there are; or, where a precision is asked for, the interval that keeps the most accepts while
at least that share of what it keeps was accepted. Of equals the widest is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_CUTS = 200  # places for an end that are tried: all of them below so many different values
Numbers = NDArray[np.float64]
Ends = tuple[float, float]


class Rules(NamedTuple):
    """Which intervals are allowed."""

    bounds: Ends  # where the number's own range ends: an end there takes nothing
    fixed: tuple[float | None, float | None]  # an end that does not move; None for one that may
    both: bool = True  # both ends may move at once; otherwise one of them, and the other stays at its bound
    precision: float | None = None


class Interval:
    """Finds the best interval; ends lie between neighbouring values, written as roundly as they can be.

    Args:
        values: N finite numbers.
        accepted: N booleans, of both kinds.
        rules: which intervals are allowed.
    """

    def __init__(self, values: Numbers, accepted: NDArray[np.bool_], rules: Rules) -> None:
        distinct, self._place = np.unique(values, return_inverse=True)
        self._accepted, self._precision, self._count = accepted, rules.precision, len(distinct)
        places = np.unique(np.linspace(1, self._count - 1, min(self._count - 1, MOST_CUTS)).round().astype(int))
        cuts = [(at, roundest(float(distinct[at - 1]), float(distinct[at]))) for at in places.tolist()]
        low, high = rules.fixed
        lows = [(0, rules.bounds[0]), *cuts] if low is None else [(int(np.searchsorted(distinct, low, "left")), low)]
        highs = [*cuts, (self._count, rules.bounds[1])] if high is None else [(int(np.searchsorted(distinct, high, "right")), high)]
        pairs = [(one, other) for one in lows for other in highs if one[0] <= other[0] and (rules.both or one[0] == 0 or other[0] == self._count)]
        pairs = pairs or [(lows[0], highs[-1])]
        pairs.sort(key=lambda ends: ends[0][0] - ends[1][0])  # the widest first
        self._begin, self._end = (np.array([ends[side][0] for ends in pairs]) for side in (0, 1))
        self._ends = [(one[1], other[1]) for one, other in pairs]

    def best(self, weights: NDArray[np.int64] | None = None) -> tuple[Ends, float]:
        """Return the best interval and its balanced accuracy.

        Args:
            weights: how often each item counts; default once. Some accept and some reject must count.
        """
        counted = np.ones(len(self._place)) if weights is None else weights.astype(np.float64)
        good, bad = self._below(counted * self._accepted), self._below(counted * ~self._accepted)
        kept, let_in = good[self._end] - good[self._begin], bad[self._end] - bad[self._begin]
        balanced = (kept / good[-1] + 1 - let_in / bad[-1]) / 2
        worth = balanced
        if self._precision is not None:
            precise = kept / np.maximum(kept + let_in, 1e-9)
            worth = np.where(precise >= self._precision, kept, precise - 2)  # where none is so precise, the most precise one
        first = int(np.argmax(np.round(worth, 12)))
        return self._ends[first], float(balanced[first])

    def _below(self, counted: Numbers) -> Numbers:
        """Return how much lies below each place between the distinct values."""
        sums: Numbers = np.concatenate([[0.0], np.cumsum(np.bincount(self._place, counted, self._count))])
        return sums


def roundest(low: float, high: float) -> float:
    """Return a number in the middle half between two others with as few digits as can be; the upper one where nothing lies between."""
    middle, quarter = (low + high) / 2, (high - low) / 4
    for digits in range(-6, 17):
        found = round(middle, digits)
        if low < found < high and abs(found - middle) <= quarter:
            return found
    return high
