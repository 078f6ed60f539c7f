"""The numbers that a data set card gives: how many pairs of what, how strong, how far from clean, and what fell by the way."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from manifests import commit

STRATA = range(1, 6)
_COLUMNS = ["verdict", "reason", "origin", "task", "split", "stratum", "severity", "unit", "width", "height", "scores", "makers", "made_with"]


class Task(NamedTuple):
    """The kept pairs of one task."""

    pairs: int
    splits: Counter[str]
    strata: Counter[int]
    severities: dict[str, list[float]]  # ascending, by unit: synthetic and real pairs of a task have each their own
    psnr_db: float | None  # median distance of degraded from clean


class Tally(NamedTuple):
    """The numbers of an export."""

    planned: int
    pairs: int
    refused: Counter[str]  # by reason
    origins: Counter[str]  # synthetic, real
    splits: Counter[str]
    tasks: dict[str, Task]
    sizes: Counter[tuple[int, int]]  # (width, height) px
    makers: dict[str, set[str]]  # by kind of map: depth -> {geometric}
    made_with: dict[str, set[str]]  # by library: versions


def tally(manifest: Path) -> Tally:
    """Count a manifest.

    Args:
        manifest: with at least one kept pair.
    """
    table = commit.read_table(manifest, _COLUMNS)
    rows = table.drop_columns(["made_with", "makers"]).to_pylist()
    kept = [row for row in rows if row["verdict"] == "keep"]
    of_task = defaultdict(list)
    for row in kept:
        of_task[row["task"]].append(row)
    return Tally(
        planned=len(rows),
        pairs=len(kept),
        refused=Counter(row["reason"] for row in rows if row["verdict"] != "keep"),
        origins=Counter(row["origin"] for row in kept),
        splits=Counter(row["split"] for row in kept),
        tasks={name: _task(of_task[name]) for name in sorted(of_task)},
        sizes=Counter((row["width"], row["height"]) for row in kept),
        makers=_found(table, "makers"),
        made_with=_found(table, "made_with"),
    )


def _task(rows: list[dict[str, Any]]) -> Task:
    distances = [score for row in rows for name, score in row["scores"] or [] if name == "psnr_db"]
    return Task(
        pairs=len(rows),
        splits=Counter(row["split"] for row in rows),
        strata=Counter(row["stratum"] for row in rows if row["stratum"]),
        severities=_by_unit(rows),
        psnr_db=statistics.median(distances) if distances else None,
    )


def _by_unit(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the severities that rows have, ascending, by unit."""
    found = defaultdict(list)
    for row in rows:
        if row["severity"] is not None:
            found[row["unit"] or ""].append(row["severity"])
    return {unit: sorted(values) for unit, values in sorted(found.items())}


def _found(table: pa.Table, column: str) -> dict[str, set[str]]:
    """Return the values that stand in a column of JSON tables, by key; few texts are distinct, so each is opened once."""
    found: dict[str, set[str]] = {}
    for text in table.column(column).cast(pa.string()).unique().to_pylist():
        for key, value in json.loads(text or "{}").items():
            found.setdefault(key, set()).add(str(value))
    return dict(sorted(found.items()))
