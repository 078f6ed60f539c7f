"""Which pairs people should see: some of every stratum, the most and least damaged, and those next to a limit."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests import commit
from manifests.limits import Limit
from manifests.page.columns import score, score_names
from manifests.page.members import COLUMNS as MEMBERS
from manifests.page.survival import LIMITS, VERBS, why
from pipelines.run import Run

COLUMNS = ["pair_id", "task", "stratum", "verdict", "decided_by", "reason", "detail", "photo_sha256", "scores"]
ROW = [*MEMBERS, "task", "stratum", "severity", "unit", "steps", "scores", "verdict"]


class Chosen(NamedTuple):
    """A line of pairs, and why they stand there."""

    why: str
    score: str  # the number that put them there
    pair_ids: list[str]


def seen(run: Run) -> pa.Table:
    """Return the light columns of the pairs that have pictures, kept or not."""
    return commit.read_table(run.manifest, COLUMNS, pc.field("clean_sha256").is_valid())


def of_task(table: pa.Table, task: str | None, *, kept: bool = True) -> pa.Table:
    """Return the rows of one task, or of all."""
    wanted = pc.equal(pc.cast(table.column("verdict"), pa.string()), "keep") if kept else pc.is_valid(table.column("pair_id"))
    if task is not None:
        wanted = pc.and_(wanted, pc.equal(pc.cast(table.column("task"), pa.string()), task))
    return table.filter(wanted)


def rows_of(run: Run, pair_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the manifest's rows of some pairs, by id, in one reading."""
    table = commit.read_table(run.manifest, ROW, pc.field("pair_id").isin(pa.array(list(pair_ids), pa.string())))
    return {row["pair_id"]: row for row in table.to_pylist()}


def by_stratum(table: pa.Table, each: int, shown: Counter[str]) -> dict[int, list[str]]:
    """Return so many kept pairs of every stratum, those that nobody graded as stratum 0, from as many photos as there are.

    Args:
        table: rows of one task.
        each: pairs of a stratum.
        shown: how often a photo has been shown; counts on.
    """
    candidates: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for pair_id, stratum, photo in zip(*(table.column(name).to_pylist() for name in ("pair_id", "stratum", "photo_sha256")), strict=True):
        candidates[stratum or 0][photo].append(pair_id)
    chosen: dict[int, list[str]] = {}
    for stratum, photos in sorted(candidates.items()):
        chosen[stratum] = []
        for _ in range(min(each, sum(map(len, photos.values())))):
            photo = min((photo for photo in photos if photos[photo]), key=lambda photo: (shown[photo], photo))
            shown[photo] += 1
            chosen[stratum].append(photos[photo].pop(0))
    return chosen


def ordered(table: pa.Table, name: str) -> list[str]:
    """Return the pairs that have a score, from the lowest value to the highest."""
    value = score(table, name)
    found = table.append_column("value", value).filter(pc.is_valid(value)).sort_by([("value", "ascending"), ("pair_id", "ascending")])
    ids: list[str] = found.column("pair_id").to_pylist()
    return ids


def worst(table: pa.Table, tasks: Iterable[str], most: int) -> list[Chosen]:
    """Return for every task the kept pairs with the lowest and with the highest PSNR: too much damage, and hardly any."""
    lines = []
    for task in tasks:
        ids = ordered(of_task(table, task), "psnr_db")
        low = ids[: min(most, -(-len(ids) // 2))]  # of few pairs, none stands in both lines
        lines += [Chosen(f"{task}: most damaged", "psnr_db", low), Chosen(f"{task}: least damaged", "psnr_db", ids[max(len(low), len(ids) - most) :][::-1])]
    return [line for line in lines if line.pair_ids]


def borderline(table: pa.Table, limits: Mapping[str, Limit], most: int) -> list[Chosen]:
    """Return the pairs on both sides of every limit, nearest first; of scores without a limit, the ends.

    Args:
        table: rows with pictures, kept or not.
        limits: by score, as the recipe has them.
        most: pairs on a side.
    """
    lines: list[Chosen] = []
    for name in score_names(table):
        for limit in sorted({end for bounds in limits.get(name, {}).values() for end in bounds if math.isfinite(end)}):
            lines += _around(table, name, limit, most)
        if name not in limits and name != "psnr_db" and "." not in name:  # `worst` shows that by task; scorers have dozens of numbers
            lines += _ends(of_task(table, None), name, most)
    return [line for line in lines if line.pair_ids]


def thrown(table: pa.Table, most: int) -> list[Chosen]:
    """Return for every reason some of the pairs that fell for it; those of a limit from the nearest to the farthest.

    Args:
        table: rows with pictures, kept or not.
        most: pairs of a reason.
    """
    fallen: dict[tuple[str, str], list[str]] = defaultdict(list)
    rejected = table.filter(pc.equal(pc.cast(table.column("verdict"), pa.string()), "reject"))
    told = (pc.cast(rejected.column(name), pa.string()).to_pylist() for name in ("pair_id", "decided_by", "reason", "detail"))
    for pair_id, by, reason, detail in zip(*told, strict=True):
        fallen[by or "", why(reason, detail)].append(pair_id)
    lines = []
    for (by, reason), ids in sorted(fallen.items(), key=lambda fall: (VERBS.index(fall[0][0]) if fall[0][0] in VERBS else len(VERBS), fall[0][1])):
        word, _, name = reason.partition(": ")
        line = ordered(rejected.filter(pc.is_in(rejected.column("pair_id"), pa.array(ids, pa.string()))), name) if name else sorted(ids)
        line = line[::-1] if word == LIMITS[0] else line
        lines.append(Chosen(f"{by}: {reason} ({len(ids)} pairs)", name or "psnr_db", evenly(line, most)))
    return [line for line in lines if line.pair_ids]


def evenly(ids: list[str], most: int) -> list[str]:
    """Return so many of a list, spread over it, with its first and its last."""
    if len(ids) <= most:
        return ids
    return [ids[round(at * (len(ids) - 1) / max(most - 1, 1))] for at in range(most)]


def _ends(table: pa.Table, name: str, most: int) -> list[Chosen]:
    """Return the pairs with the lowest and the highest values; nothing where so many share the last value that none is special."""
    values = sorted(pc.drop_null(score(table, name)).to_pylist())
    ids = ordered(table, name)
    low = ids[: 0 if len(ids) > most and values[0] == values[most] else most]
    high = ids[len(ids) if len(ids) > most and values[-1] == values[-1 - most] else -most :]
    return [Chosen(f"lowest {name}", name, low), Chosen(f"highest {name}", name, high[::-1])]


def _around(table: pa.Table, name: str, limit: float, most: int) -> list[Chosen]:
    """Return the pairs just below and just above one limit."""
    value = score(table, name)
    below, above = (ordered(table.filter(pc.fill_null(side, False)), name) for side in (pc.less(value, limit), pc.greater_equal(value, limit)))
    return [Chosen(f"{name} just below {limit:g}", name, below[-most:][::-1]), Chosen(f"{name} from {limit:g} on", name, above[:most])]
