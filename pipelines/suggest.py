"""Limits from what people decided: for every number the interval that best parts accepted from rejected pairs, and how sure that is.

Ends move only where the recipe's limit has one that can take something; of a number without a limit, one end (see `interval`).
How sure: the same on 300 bootstrap samples of the decisions (B. Efron, Annals of Statistics 7, 1979), the middle 90 % of each
end and of the balanced accuracy. For the place of a jump that is somewhat too sure: of simulated reviewers with a limit in
mind and doubt about it, the range held their limit 78 to 87 times of 100.

People are asked mostly about pairs at the limits: the figures are of those, not of the run as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from degrade.stream import stream
from manifests import commit
from manifests.limits import EVERY
from manifests.page import queue
from manifests.page.columns import score_names
from manifests.page.reviews import ReviewLog, outcome
from pipelines.bounds import ranges
from pipelines.interval import Ends, Interval, Numbers, Rules
from pipelines.review import COLUMNS as NEEDED
from pipelines.review import column, open_rows
from pipelines.run import Run, require

LEAST = 30  # decisions, and of each kind at least LEAST_EACH
LEAST_EACH = 5
RESAMPLED = 300
MIDDLE = (0.05, 0.95)  # of the bootstrap samples
TELLING = 0.6  # a number without a limit is named when the lower end of its balanced accuracy is above this


class Suggested(NamedTuple):
    """A limit that the decisions speak for."""

    score: str
    task: str  # `default` for those that the recipe's limit does not name
    recipe: Ends | None  # the recipe's limit
    low: float
    high: float
    low_between: Ends  # the middle 90 % of bootstrap samples
    high_between: Ends
    accepted: int
    rejected: int
    accuracy: float  # balanced
    accuracy_between: Ends
    accuracy_now: float  # of the recipe's limit; without one everything is kept: 0.5
    precision: float  # accepted, of what the suggested limit keeps
    kept: float  # of the accepted

    @property
    def tells(self) -> bool:
        """Whether the number parts accepted from rejected pairs better than chance."""
        return self.accuracy_between[0] > (TELLING if self.recipe is None else 0.5)


def suggest(run: Run, precision: float | None = None) -> list[Suggested]:
    """Return a suggestion for every number with enough decisions: those with a limit in its order, then others that tell.

    Args:
        run: selected and reviewed.
        precision: ask for this share of accepted among what is kept, instead of balanced accuracy.

    Raises:
        RunError: the run is not selected yet.
    """
    require(run.manifest, "select", run.folder)
    table, accepted = decided(run)
    limits = run.recipe.select.limits
    tasks = np.array(pc.cast(table.column("task"), pa.string()).to_pylist(), dtype=object)
    others = [name for name in score_names(table) if name not in limits]
    found: list[Suggested] = []
    strangers: list[Suggested] = []
    for name in [*limits, *others]:
        values, limit = column(table, name), limits.get(name, {})
        for task in limit or (EVERY,):
            rows = ~np.isin(tasks, [other for other in limit if other != EVERY]) if task == EVERY else tasks == task
            rows &= np.isfinite(values)
            rng = stream(run.recipe.seed, "review suggest", f"{name} {task}")
            made = _suggested(name, task, limit.get(task), (values[rows], accepted[rows]), rng, precision)
            if made is not None and (limit or made.tells):
                (found if limit else strangers).append(made)
    return found + sorted(strangers, key=lambda made: -made.accuracy)


def decided(run: Run) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return the rows that people have decided, and whether they accepted them."""
    standing, needed = ReviewLog(run.folder).standing(), queue.read(run.folder).reviewers
    ends = {pair_id: word for pair_id, words in standing.items() if (word := outcome(words, needed))}
    table = open_rows(commit.read_table(run.manifest, NEEDED, pc.field("pair_id").isin(pa.array(list(ends), pa.string()))))
    return table, np.array([ends[pair_id] == "accept" for pair_id in table.column("pair_id").to_pylist()], bool)


def _suggested(
    name: str, task: str, limit: Ends | None, decisions: tuple[Numbers, NDArray[np.bool_]], rng: np.random.Generator, precision: float | None
) -> Suggested | None:
    """Return the suggestion for one number and task; None where too little was decided."""
    values, accepted = decisions
    good = int(accepted.sum())
    bad = len(accepted) - good
    if good + bad < LEAST or min(good, bad) < LEAST_EACH or np.ptp(values) == 0:
        return None
    bounds = ranges().get(name, (-math.inf, math.inf))
    fixed = (None, None) if limit is None else (limit[0] if limit[0] <= bounds[0] else None, limit[1] if limit[1] >= bounds[1] else None)
    interval = Interval(values, accepted, Rules(bounds, fixed, both=limit is not None, precision=precision))
    (low, high), accuracy = interval.best()
    again = [interval.best(weights) for weights in _resampled(accepted, rng)]
    inside, now = _inside(values, (low, high)), _inside(values, limit or bounds)
    return Suggested(
        *(name, task, limit, low, high),
        low_between=_middle([ends[0] for ends, _ in again]),
        high_between=_middle([ends[1] for ends, _ in again]),
        accepted=good,
        rejected=bad,
        accuracy=accuracy,
        accuracy_between=_middle([found for _, found in again]),
        accuracy_now=float((now[accepted].mean() + (~now[~accepted]).mean()) / 2),
        precision=float(accepted[inside].mean()) if inside.any() else math.nan,
        kept=float(inside[accepted].mean()),
    )


def _inside(values: Numbers, ends: Ends) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (values >= ends[0]) & (values <= ends[1])
    return found


def _middle(values: list[float]) -> Ends:
    """Return the ends of the middle 90 %; numbers may be infinite."""
    ordered = sorted(values)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in MIDDLE)
    return low, high


def _resampled(accepted: NDArray[np.bool_], rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield how often each decision is in each bootstrap sample; samples without an accept or a reject teach nothing."""
    count = len(accepted)
    for weights in rng.multinomial(count, np.full(count, 1 / count), RESAMPLED):
        if 0 < weights[accepted].sum() < count:
            yield weights


def as_yaml(found: list[Suggested]) -> str:
    """Return suggestions as lines of a recipe to paste, each with what speaks for it."""
    lines = ["select:", "  limits:"]
    by_score: dict[str, list[Suggested]] = {}
    for made in found:
        by_score.setdefault(made.score, []).append(made)
    for name, several in by_score.items():
        if len(several) == 1 and several[0].task == EVERY:
            lines.append(f"    {name}: {_pair((several[0].low, several[0].high))}   # {story(several[0])}")
        else:
            lines += [f"    {name}:", *(f"      {made.task}: {_pair((made.low, made.high))}   # {story(made)}" for made in several)]
    return "\n".join(lines)


def _pair(ends: Ends) -> str:
    return f"[{_number(ends[0])}, {_number(ends[1])}]"


def _number(value: float) -> str:
    """Return a number as YAML has it."""
    if not math.isfinite(value):
        return ".inf" if value > 0 else "-.inf"
    return f"{value:.1f}" if value == int(value) and abs(value) < 1e15 else f"{value:.10g}"


def story(made: Suggested) -> str:
    """Say what speaks for a suggestion."""
    now = f"recipe {_pair(made.recipe)} has {made.accuracy_now:.2f}" if made.recipe else "no limit in the recipe"
    accuracy = f"balanced accuracy {made.accuracy:.2f} ({made.accuracy_between[0]:.2f} to {made.accuracy_between[1]:.2f}), {now}"
    moved = (("low", made.low, made.low_between), ("high", made.high, made.high_between))
    sure = [f"{word} {_number(between[0])} to {_number(between[1])}" for word, end, between in moved if math.isfinite(end) and between[0] < between[1]]
    kept = f"of what it keeps {made.precision:.0%} accepted"
    return "; ".join([f"{made.accepted} accepted, {made.rejected} rejected", accuracy, kept, *([f"90 %: {', '.join(sure)}"] if sure else [])])
