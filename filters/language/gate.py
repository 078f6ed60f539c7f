"""Which degradation a real photo is taken for: pure, on the stored numbers of the CLIP filter.

A photo may carry several degradations: a street at night in the rain is dark, noisy and rainy. The one that shows most plainly is
its task; the others stay in the row, so that an instruction or a curriculum may use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Least = float | Mapping[str, float]  # one limit for all tasks, or one by task


class Carried(NamedTuple):
    """What a photo is taken for."""

    task: str | None  # None: nothing shows, or nothing plainly enough
    others: dict[str, float]  # what else shows, by p, most first


def gate(numbers: Mapping[str, float], least_p: Least, least_margin: Least = 0.0) -> Carried:
    """Return the task of a photo and what else it carries.

    Args:
        numbers: `p.{task}` and `margin.{task}` as the filter stored them; other names are passed over.
        least_p: from which p on a degradation shows, 0..1.
        least_margin: how far the task must stand above all other tasks, in logits; below it the photo has no task, only others.

    A task that a table of limits does not name never passes.
    """
    shown = {}
    for name, value in numbers.items():
        kind, _, task = name.partition(".")
        if kind == "p" and value >= _limit(least_p, task):
            shown[task] = value
    # p saturates, the margin does not: the top of a photo's margins is the top of its logits
    order = sorted(shown, key=lambda task: (-numbers[f"margin.{task}"], task))
    clear = bool(order) and numbers[f"margin.{order[0]}"] >= _limit(least_margin, order[0])
    return Carried(order[0] if clear else None, {task: shown[task] for task in (order[1:] if clear else order)})


def _limit(least: Least, task: str) -> float:
    return least.get(task, float("inf")) if isinstance(least, Mapping) else least
