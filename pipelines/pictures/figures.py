"""Figures of a run: how every parameter is spread, before a pixel is touched, and a sheet of pairs when they are done."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import degrade
from degrade.contract import STRATA, Srgb
from manifests import commit, pictures, png
from pipelines import plan, replay
from pipelines.pictures.sheet import Cell, detail, fitted, sheet
from pipelines.run import Run

MOST_ROWS = 200_000  # a histogram needs no more
COLUMNS = 6
SIDE = 300  # px of a picture on the sheet
INK = "#3b6fb6"


def preview(run: Run) -> Path:
    """Draw the distribution of every parameter of the plan; answer the picture's path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = _parameters(run)
    rows = max(1, -(-len(values) // COLUMNS))
    figure = Figure(figsize=(3.2 * COLUMNS, 2.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for at, (name, drawn) in enumerate(sorted(values.items())):
        axes = figure.add_subplot(rows, COLUMNS, at + 1)
        _histogram(axes, drawn)
        axes.set_title(name, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    figure.suptitle(f"{run.recipe.name}: {plan.read_record(run)['planned']} planned pairs", fontsize=11)
    path = run.report / "plan.png"
    with commit.atomic_file(path) as file:
        figure.savefig(file, dpi=90, format="png")
    return path


def _histogram(axes: Any, drawn: list[Any]) -> None:
    """Draw bars for words and few numbers, a histogram for many; logarithmic where the numbers span two decades."""
    kinds = sorted(set(map(str, drawn)))
    if isinstance(drawn[0], (str, bool)) or len(kinds) <= 8:
        axes.bar(kinds, [sum(str(value) == kind for value in drawn) for kind in kinds], color=INK)
        axes.tick_params(axis="x", rotation=30 if max(map(len, kinds)) > 6 else 0)
        return
    low, high = min(drawn), max(drawn)
    if low > 0 and high / low > 100:
        axes.set_xscale("log")
        ratio = (high / low) ** (1 / 40)
        axes.hist(drawn, bins=[low * ratio**step for step in range(41)], color=INK)
    else:
        axes.hist(drawn, bins=40, color=INK)


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
    """Draw one pair per task and stratum: the whole clean side, the whole degraded side, and a detail of both at 100 %."""
    table = commit.read_table(run.manifest, ["pair_id", "task", "stratum", "verdict"])
    chosen: dict[tuple[str, int], str] = {}
    for row in table.to_pylist():
        if row["verdict"] == "keep":
            chosen.setdefault((row["task"], row["stratum"]), row["pair_id"])
    places = [(name, stratum) for name in degrade.NAMES for stratum in range(1, STRATA + 1)]
    rows = [_pair_cells(run, chosen[place]) for place in places if place in chosen]
    if not rows:
        return None
    path = run.report / "pairs.png"
    commit.write_bytes(path, png.encode(sheet(rows, f"{run.recipe.name}: clean | degraded | clean at 100 % | degraded at 100 %"), level=2))
    return path


def _pair_cells(run: Run, pair_id: str) -> list[Cell]:
    row = replay.row_of(run, pair_id)
    sides: dict[str, Srgb] = {side: pictures.decode(replay.stored(run, row, side)) for side in ("clean", "degraded")}
    others = [f"{step['generator']} {step['severity']:.4g} {step['unit']}" for step in json.loads(row["steps"])]
    return [
        Cell(fitted(sides["clean"], SIDE), pair_id[:12]),
        Cell(fitted(sides["degraded"], SIDE), f"{row['task']} {row['stratum']}: {', '.join(others)}"),
        Cell(detail(sides["clean"], SIDE), "100 %"),
        Cell(detail(sides["degraded"], SIDE), f"{dict(row['scores'])['psnr_db']:.1f} dB"),
    ]
