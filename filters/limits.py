"""Decisions: numbers and limits in, a verdict out. Pure, in microseconds, as often as one likes.

A limit is an interval [lowest, highest] for one number, for all tasks or for some: what is too large a change for noise is
none at all for haze. A number that a scorer could not give for an item (no face in it, nothing to match) is not held
against it; an item that a scorer could not open at all is, by the reason it wrote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from degrade.errors import Reason
from filters.verdict import KEEP, Verdict

EVERY = "default"  # the interval of the tasks that a limit does not name

Bounds = tuple[float, float]
Limit = Mapping[str, Bounds]  # by task; `default` for the others


def parse(page: Any) -> dict[str, Bounds]:
    """Read a limit: `[lowest, highest]`, or a table of them by task with `default` for the rest; raises ValueError."""
    if not isinstance(page, Mapping):
        return {EVERY: _bounds(page)}
    if not page:
        raise ValueError("an empty table limits nothing: give [lowest, highest], or one per task")
    return {str(task): _bounds(bounds) for task, bounds in page.items()}


def page_of(limit: Limit) -> Any:
    """Return a limit as a recipe writes it: null where there is none."""
    pages = {task: [None if math.isinf(end) else end for end in bounds] for task, bounds in limit.items()}
    return pages[EVERY] if pages.keys() == {EVERY} else pages


def _bounds(page: Any) -> Bounds:
    ends = page if isinstance(page, (list, tuple)) else ()
    if len(ends) != 2 or any(isinstance(end, bool) or not isinstance(end, (int, float, type(None))) for end in ends):
        raise ValueError(f"{page!r}: a limit is two numbers, [lowest, highest]; null for none")
    low, high = (none if end is None else float(end) for end, none in zip(ends, (-math.inf, math.inf), strict=True))
    if not low <= high:
        raise ValueError(f"{list(page)}: the smaller first")
    return low, high


LimitPage = Annotated[dict[str, Bounds], BeforeValidator(parse), PlainSerializer(page_of, return_type=Any)]


def decide(numbers: Mapping[str, float], limits: Mapping[str, Limit], task: str = "") -> Verdict:
    """Return whether an item may stay; the first limit that it breaks is the reason.

    Args:
        numbers: by name, `scorer.measure`.
        limits: by the same names, in the order in which they are asked.
        task: of the item.
    """
    for name, limit in limits.items():
        value, bounds = numbers.get(name), limit.get(task, limit.get(EVERY))
        if value is None or bounds is None or bounds[0] <= value <= bounds[1]:
            continue
        reason = Reason.BELOW_LIMIT if value < bounds[0] else Reason.ABOVE_LIMIT
        return Verdict(keep=False, reason=reason, detail=broken(name, value, bounds))
    return KEEP


def broken(name: str, value: float, bounds: Bounds) -> str:
    """Say which number broke which interval."""
    low, high = bounds
    number = f"{name} {beyond(value, bounds)}"
    if math.isfinite(low) and math.isfinite(high):
        return f"{number} outside [{end(low)}, {end(high)}]"
    return f"{number} below {end(low)}" if value < low else f"{number} above {end(high)}"


def beyond(value: float, bounds: Bounds, fewest: int = 4) -> str:
    """Return a number that lies outside of an interval, with as many digits as it takes to see that it does."""
    low, high = bounds
    whole = len(f"{abs(value):.0f}")  # digits before the point are all told
    told = (f"{value:.{digits}g}" for digits in range(min(max(fewest, whole), 17), 18))  # 17 tell any two numbers apart
    return next(text for text in told if (float(text) < low if value < low else not float(text) <= high))


def end(limit: float) -> str:
    """Return the end of an interval as it was written."""
    short = f"{limit:g}"
    return short if float(short) == limit else repr(limit)
