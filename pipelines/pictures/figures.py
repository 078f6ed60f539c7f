"""Figures of a run: how every parameter is spread, before a pixel is touched, and a sheet of pairs when they are done."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import degrade
from degrade.contract import STRATA, Srgb
from manifests import commit, pictures, png
from manifests.page.row import unit_of
from pipelines import inspect, plan, replay
from pipelines.pictures import charts, choice
from pipelines.pictures.sheet import Cell, detail, fitted, sheet
from pipelines.run import Run

MOST_ROWS = 200_000  # a histogram needs no more
COLUMNS = 6
SIDE = 300  # px of a picture on the sheet
EMPTY = Cell(np.zeros((1, 1, 3), np.uint8))


def preview(run: Run) -> Path:
    """Draw the distribution of every parameter of the plan; answer the picture's path."""
    known = inspect.vocabulary()
    panels = []
    for name, drawn in sorted(_parameters(run).items()):
        generator, _, parameter = name.partition(".")
        panels.append(charts.panel(name, drawn, unit_of(parameter, known.get(generator, {})).unit))
    path = run.report / "plan.png"
    title = f"{run.recipe.name}: {plan.read_record(run)['planned']} planned pairs"
    commit.write_bytes(path, png.encode(grid(panels, COLUMNS, title), level=2))
    return path


def grid(panels: Sequence[Srgb], columns: int, title: str = "") -> Srgb:
    """Return panels of one size in rows."""
    cells = [Cell(panel) for panel in panels]
    return sheet([cells[at : at + columns] for at in range(0, len(cells), columns)], title)


def _parameters(run: Run) -> dict[str, list[Any]]:
    """Return what was drawn for every parameter: `haze.visibility_m` -> values."""
    values: dict[str, list[Any]] = defaultdict(list)
    left = MOST_ROWS
    for part in range(len(plan.read_record(run)["parts"])):
        with pq.ParquetFile(run.plan_part(part)) as file:
            for batch in file.iter_batches(columns=["task", "split", "crop_width", "width", "steps"]):
                for row in batch.to_pylist()[:left]:
                    left -= 1
                    values["task"].append(row["task"])
                    values["split"].append(row["split"])
                    values["crop.shrink"].append(row["crop_width"] / row["width"])
                    for step in json.loads(row["steps"]):
                        values[f"{step['generator']}.stratum"].append(step["stratum"])
                        for name, value in _flat(step["params"]):
                            values[f"{step['generator']}.{name}"].append(value)
        if left <= 0:
            break
    return dict(values)


def _flat(params: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single values of a record; seeds are left out, and the hops of a chain share their names."""
    if isinstance(params, dict):
        for name, value in params.items():
            if "seed" not in name:
                yield from _flat(value, f"{path}.{name}" if path else name)
    elif isinstance(params, list):
        for at, value in enumerate(params):
            yield from _flat(value, path if isinstance(value, dict) else f"{path}[{at}]")
    elif params is not None:
        yield path, params


def pairs_sheet(run: Run) -> Path | None:
    """Draw a pair of every task and stratum, clean above degraded above the middle of both at 100 %; answer the path."""
    table = choice.seen(run)
    shown: Counter[str] = Counter()
    chosen = [choice.by_stratum(choice.of_task(table, name), 1, shown) for name in degrade.NAMES]
    rows = stratum_rows(run, chosen, SIDE)
    if not rows:
        return None
    path = run.report / "pairs.png"
    commit.write_bytes(path, png.encode(sheet(rows, f"{run.recipe.name}: clean, degraded, and the middle of both at 100 %"), level=2))
    return path


def stratum_rows(run: Run, blocks: Sequence[Mapping[int, list[str]]], side: int) -> list[list[Cell]]:
    """Return the rows of a sheet: strata across, pairs without one last; for every block of pairs three rows for each of its examples.

    Args:
        run: the run.
        blocks: ids of pairs by stratum; every stratum of a block may have another number of them.
        side: px of a picture.
    """
    rows = choice.rows_of(run, (pair_id for block in blocks for ids in block.values() for pair_id in ids))
    drawn: list[list[Cell]] = []
    held = {stratum for block in blocks for stratum in block}
    shown = [*(range(1, STRATA + 1) if held - {0} else ()), *(held & {0})]
    for block in blocks:
        for example in range(max(map(len, block.values()), default=0)):
            across = [block.get(stratum, []) for stratum in shown]
            columns = [_pair_cells(run, rows[ids[example]], side) if example < len(ids) else [EMPTY] * 3 for ids in across]
            drawn += map(list, zip(*columns, strict=True))
    return drawn


def _pair_cells(run: Run, row: dict[str, Any], side: int) -> list[Cell]:
    clean, degraded = sides(run, row)
    steps = [_told(step) for step in json.loads(row["steps"])]
    grade = f"{row['stratum']}: " if row["stratum"] else ""
    return [
        Cell(fitted(clean, side), f"clean {row['pair_id'][:12]}"),
        Cell(fitted(degraded, side), f"{grade}{' + '.join(steps)}"),
        Cell(halves(clean, degraded, side), f"100 %, {dict(row['scores'])['psnr_db']:.1f} dB"),
    ]


def _told(step: dict[str, Any]) -> str:
    """Return what a degradation is and how severe, where anybody has graded it."""
    return str(step["generator"]) if step["severity"] is None else f"{step['generator']} {charts.number(step['severity'])} {step['unit']}"


def sides(run: Run, row: dict[str, Any]) -> tuple[Srgb, Srgb]:
    """Return the clean and the degraded picture of a row, checked against it."""
    clean, degraded = (pictures.decode(replay.stored(run, row, side)) for side in ("clean", "degraded"))
    return clean, degraded


def halves(clean: Srgb, degraded: Srgb, side: int) -> Srgb:
    """Return the middle of a pair at 100 %: its left half clean, its right half degraded."""
    one, other = detail(clean, side), detail(degraded, side)
    middle = one.shape[1] // 2
    return np.hstack([one[:, :middle], other[:, middle:]])
