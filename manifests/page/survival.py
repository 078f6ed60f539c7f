"""What fell where: from planned pairs to those that are left, verb by verb and reason by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests.limits import Limit, outside
from manifests.page.columns import score

VERBS = ("plan", "render", "score", "select", "review", "best", "join")  # in the order in which they decide
LIMITS = ("below_limit", "above_limit")  # reasons whose detail begins with the name of a score


class Fall(NamedTuple):
    """One line of the table."""

    by: str  # the verb that decided
    why: str  # a reason of the closed list; of a limit, with its score
    alone: int | None  # how many a limit would take if it were the only one
    took: int  # how many it took of those that were left
    left: int  # how many were left then


def survival(table: pa.Table, limits: Mapping[str, Limit]) -> list[Fall]:
    """Return the falls in the order in which they happened.

    Args:
        table: rows of a manifest with `task`, `verdict`, `decided_by`, `reason`, `detail`, `scores`.
        limits: by score, as the recipe has them.
    """
    rejected = table.filter(pc.equal(table.column("verdict"), "reject"))
    taken: Counter[tuple[str, str]] = Counter()
    fallen = zip(*(pc.cast(rejected.column(name), pa.string()).to_pylist() for name in ("decided_by", "reason", "detail")), strict=True)
    for by, reason, detail in fallen:
        taken[by or "", why(reason, detail)] += 1
    alone = _alone(table, limits)
    for limit in alone:
        taken.setdefault(("select", limit), 0)
    left, falls = table.num_rows, []
    for (by, told), count in sorted(taken.items(), key=lambda fall: _order(fall[0], list(alone), fall[1])):
        left -= count
        falls.append(Fall(by, told, alone.get(told) if by == "select" else None, count, left))
    return falls


def why(reason: str | None, detail: str | None) -> str:
    """Return a reason as the table has it: that of a limit, of pairs or of the gate, with the score that it is on."""
    if reason in LIMITS and detail:
        return f"{reason}: {detail.partition(' ')[0]}"
    return reason or "unknown"


def by_group(table: pa.Table, groups: pa.ChunkedArray, limits: Mapping[str, Limit]) -> dict[str, tuple[int, list[Fall], int]]:
    """Return for every group how many pairs were planned, how they fell, and how many are kept.

    Args:
        table: as `survival` takes it.
        groups: a word by row, e.g. its task; rows without one stand in no group.
        limits: by score.
    """
    found = {}
    for group in sorted(filter(None, pc.unique(groups).to_pylist())):
        rows = table.filter(pc.fill_null(pc.equal(groups, group), False))
        kept = pc.sum(pc.equal(pc.cast(rows.column("verdict"), pa.string()), "keep")).as_py() or 0
        found[group] = (rows.num_rows, survival(rows, limits), kept)
    return found


def _order(place: tuple[str, str], limits: list[str], count: int) -> tuple[int, int, int]:
    by, why = place
    return VERBS.index(by) if by in VERBS else len(VERBS), limits.index(why) if why in limits else 0, -count


def _alone(table: pa.Table, limits: Mapping[str, Limit]) -> dict[str, int]:
    """Return how many pairs lie outside each side of each limit."""
    found: dict[str, int] = {}
    for name, limit in limits.items():
        taken = outside(score(table, name), table.column("task"), limit)
        for reason, rows in (("below_limit", taken.below), ("above_limit", taken.above)):
            count = pc.sum(rows).as_py() or 0
            if count:
                found[f"{reason}: {name}"] = count
    return found
