"""Good pairs of every stratum, at the sizes of a small and of a usual recipe: how many does a limit refuse that should not?

Nothing is wrong with any of them. A mild pair differs by little, as one with half of its degradation left in; a severe one has lost
most of what its sides could be compared by. What limits cost at either end is told apart here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.pairs import SIDE_PX, TASKS, made, opened
from benchmarks.faults.table import Row, first_broken, numbers
from degrade.contract import STRATA
from filters.defaults import PAIRS
from filters.limits import Limit

SIDES_PX = (SIDE_PX, 1024)
NAMED = 3  # limits that are named, of those that refuse most

HEAD = """
## Good pairs by stratum

Pairs of the same photos to which nothing was done: how many of each task, stratum and size break a default limit all the same.

"""


def measured(folder: Path, half: int, count: int, sides_px: Sequence[int] = SIDES_PX) -> Iterator[Row]:
    """Yield up to so many good pairs of each task and stratum, at every size."""
    for side_px in sides_px:
        photos = opened(folder, half, side_px)
        for task in TASKS:
            for stratum in range(1, STRATA + 1):
                for pair in made(photos, (task,), count, (stratum,), side_px):
                    yield Row(pair.name, task, stratum, "", "", numbers(pair, pair.clean), side_px)


def figures(rows: Sequence[Row], limits: Mapping[str, Limit] = PAIRS) -> dict[str, Any]:
    """Return how many pairs broke a limit, by side, stratum and task, and which limit each broke first."""
    told: dict[str, Any] = {}
    for row in rows:
        broken = first_broken(row, limits)
        at = told.setdefault(str(row.side_px), {}).setdefault(str(row.stratum), {"tasks": {}, "limits": Counter()})
        counts = at["tasks"].setdefault(row.task, {"pairs": 0, "broke": 0})
        counts["pairs"] += 1
        counts["broke"] += broken is not None
        if broken:
            at["limits"][broken] += 1
    return told


def page(told: Mapping[str, Any]) -> str:
    """Return the table, a line for each size and stratum, with what it is of."""
    lines = ["| side | stratum | " + " | ".join(TASKS) + " | all | refused by, most often first |", "|---:|---:|" + "---:|" * (len(TASKS) + 1) + "---|"]
    for side_px, strata in told.items():
        for stratum, at in strata.items():
            tasks = at["tasks"]
            cells = [f"{tasks[task]['broke']} of {tasks[task]['pairs']}" if task in tasks else "-" for task in TASKS]
            pairs, broke = (sum(one[key] for one in tasks.values()) for key in ("pairs", "broke"))
            worst = ", ".join(name for name, _ in at["limits"].most_common(NAMED))
            lines.append(f"| {side_px} px | {stratum} | {' | '.join(cells)} | {100 * broke / pairs:.0f} % of {pairs} | {worst} |")
    return HEAD + "\n".join(lines) + "\n"
