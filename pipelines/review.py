"""The verb `review`: which pairs go to people, how far they have come, and how far they agree.

Three kinds of pairs are worth a person's time. *Borderline* ones lie next to a limit, on either side: there a limit is most
often wrong. The distance is measured in spreads of the number (the distance between its quartiles), so that limits in dB, px
and grades can be told apart fairly; what another limit refuses by far is no question any more. A *random* sample of what the
limits keep says how good the kept pairs are as a whole. *Disputed* ones need another word.

A pure function of scores, limits, seed and what stands disputed: decisions of people do not move the borderline or the sample.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from degrade.errors import RecipeError
from degrade.stream import unit_draws
from manifests import commit
from manifests.limits import EVERY, Limit
from manifests.page import queue
from manifests.page.agreement import Agreement, agreement
from manifests.page.columns import score
from manifests.page.queue import Queue
from manifests.page.reviews import ReviewLog, Words, disputed, outcome, settled
from pipelines.bounds import ranges
from pipelines.run import Run, require

COLUMNS = ["pair_id", "task", "verdict", "decided_by", "clean_sha256", "scores"]
FAR = 1.0  # spreads: what lies farther from a limit is not at it
Numbers = NDArray[np.float64]


class Edge(NamedTuple):
    """One end of a limit, for some of the pairs."""

    score: str
    end: float
    task: str  # `default` for those that the limit does not name
    upper: bool
    signed: Numbers  # by row: how far a pair is inside (positive) or outside, in spreads; NaN where the limit says nothing


class Status(NamedTuple):
    """How far a review has come."""

    pairs: int  # in the queue
    reviewers: int  # that must speak on each
    decided: dict[str, int]  # of the queue: accept, reject, pending
    left: dict[str, int]  # by reviewer: pairs of the queue that wait for them
    agreement: Agreement  # over all pairs of the run


def ask(run: Run, borderline: int = 100, sample: int = 50, reviewers: int = 1) -> Queue:
    """Write the review queue of a run; answer it.

    Args:
        run: selected.
        borderline: pairs at limits, at most.
        sample: pairs at random.
        reviewers: how many accepts and rejects decide a pair.

    Raises:
        RunError: the run is not selected yet.
        RecipeError: a number that cannot be meant.
    """
    for name, value, least in (("borderline", borderline, 0), ("sample", sample, 0), ("reviewers", reviewers, 1)):
        if value < least:
            raise RecipeError(f"--{name} {value}: at least {least}")
    require(run.manifest, "select", run.folder)
    table = open_rows(commit.read_table(run.manifest, COLUMNS))
    seed, limits = run.recipe.seed, run.recipe.select.limits
    why: defaultdict[str, list[str]] = defaultdict(list)
    lines = [at_limits(table, limits, borderline), at_random(table, limits, seed, sample), quarrels(table, ReviewLog(run.folder).standing(), reviewers)]
    for pair_id, reason in itertools.chain.from_iterable(lines):
        why[pair_id].append(reason)
    order = sorted(why, key=lambda pair_id: unit_draws(seed, "review order", pair_id)[0])  # nobody can tell a borderline pair by its place
    asked = {"borderline": borderline, "sample": sample, "seed": seed}
    made = Queue(reviewers, {pair_id: tuple(why[pair_id]) for pair_id in order}, asked)
    queue.write(run.folder, made)
    return made


def open_rows(table: pa.Table) -> pa.Table:
    """Return the rows about which people may decide: with pictures, and kept, or refused by a limit or by people.

    Args:
        table: of a manifest, with COLUMNS.
    """
    decided_by = pc.cast(table.column("decided_by"), pa.string())
    ours = pc.or_(pc.equal(pc.cast(table.column("verdict"), pa.string()), "keep"), pc.is_in(decided_by, pa.array(["select", "review"])))
    return table.filter(pc.fill_null(pc.and_(ours, pc.is_valid(table.column("clean_sha256"))), False))


def edges(table: pa.Table, limits: Mapping[str, Limit]) -> list[Edge]:
    """Return every end of every limit that can take a pair, with the distance of every pair from it.

    Args:
        table: rows with `task` and `scores`.
        limits: by score, as the recipe has them.
    """
    tasks = np.array(pc.cast(table.column("task"), pa.string()).to_pylist(), dtype=object)
    found = []
    for name, limit in limits.items():
        values = column(table, name)
        least, most = ranges().get(name, (-math.inf, math.inf))
        for task, (low, high) in limit.items():
            rows = ~np.isin(tasks, [other for other in limit if other != EVERY]) if task == EVERY else tasks == task
            here = np.where(rows, values, np.nan)
            size = spread(here)
            if low > least and math.isfinite(low):
                found.append(Edge(name, low, task, upper=False, signed=(here - low) / size))
            if high < most and math.isfinite(high):
                found.append(Edge(name, high, task, upper=True, signed=(high - here) / size))
    return found


def column(table: pa.Table, name: str) -> Numbers:
    """Return one score of every row, NaN where there is none."""
    return np.asarray(score(table, name).to_numpy(zero_copy_only=False), np.float64)


def spread(values: Numbers) -> float:
    """Return the distance between the quartiles of some numbers; where half of them are equal their deviation, and 1 where all are."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 1.0
    low, high = np.percentile(known, (25, 75))
    return float(high - low) or float(np.std(known)) or 1.0


def at_limits(table: pa.Table, limits: Mapping[str, Limit], most: int) -> Iterator[tuple[str, str]]:
    """Yield (pair, why) of the pairs nearest to limits: from both sides of every limit in turn, nearest first."""
    found = edges(table, limits)
    if not found:
        return
    ids = table.column("pair_id").to_pylist()
    lost = np.zeros(table.num_rows, bool)  # by far, whatever people say of another limit
    for edge in found:
        lost |= edge.signed < -FAR
    lines = [line for edge in found for line in (_side(edge, lost, ids, inside=True), _side(edge, lost, ids, inside=False))]
    taken: set[str] = set()
    for told in itertools.chain.from_iterable(itertools.zip_longest(*lines)):
        if told is None or told[0] in taken:
            continue
        if len(taken) == most:
            return
        taken.add(told[0])
        yield told


def _side(edge: Edge, lost: NDArray[np.bool_], ids: list[str], *, inside: bool) -> list[tuple[str, str]]:
    """Return the pairs on one side of an edge, nearest first."""
    distance = edge.signed if inside else -edge.signed
    there = np.flatnonzero(~lost & (distance <= FAR) & ((distance >= 0) if inside else (distance > 0)))
    where = f"{'keeps' if inside else 'breaks'} {edge.score} {'<=' if edge.upper else '>='} {edge.end:g}" + (f" of {edge.task}" if edge.task != EVERY else "")
    return [(ids[row], f"{where} by {distance[row]:.2g} spreads") for row in sorted(there, key=lambda row: (distance[row], ids[row]))]


def at_random(table: pa.Table, limits: Mapping[str, Limit], seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Yield (pair, why) of a random sample of what the limits keep; a larger sample holds the smaller one."""
    kept = np.ones(table.num_rows, bool)
    for edge in edges(table, limits):
        kept &= ~(edge.signed < 0)
    ids = [pair_id for pair_id, stands in zip(table.column("pair_id").to_pylist(), kept, strict=True) if stands]
    for pair_id in sorted(ids, key=lambda pair_id: unit_draws(seed, "review sample", pair_id)[0])[:count]:
        yield pair_id, "random sample"


def quarrels(table: pa.Table, standing: Mapping[str, Words], reviewers: int) -> Iterator[tuple[str, str]]:
    """Yield (pair, why) of pairs about which people disagree, and nobody has settled it."""
    for pair_id in table.column("pair_id").to_pylist():
        words = standing.get(pair_id, {})
        if disputed(words) and not settled(words, reviewers):
            yield pair_id, "disputed"


def status(run: Run) -> Status:
    """Return how far the review of a run has come."""
    asked, standing = queue.read(run.folder), ReviewLog(run.folder).standing()
    decided = Counter(outcome(standing.get(pair_id, {}), asked.reviewers) or "pending" for pair_id in asked.pairs)
    measured = agreement(standing.values())
    left = {name: len(asked.left(standing, name)) for name in measured.reviewers}
    return Status(len(asked.pairs), asked.reviewers, {word: decided[word] for word in ("accept", "reject", "pending")}, left, measured)


def as_json(told: Status) -> dict[str, Any]:
    """Return a status for machines."""
    return {**told._asdict(), "agreement": told.agreement._asdict()}
