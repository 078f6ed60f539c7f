"""Figures of a run: how every parameter is spread, before a pixel is touched, and a sheet of pairs when they are done."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import degrade
from degrade.contract import STRATA
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
    if isinstance(drawn[0], (str, bool)) or (isinstance(drawn[0], int) and len(kinds) <= 8):
        axes.bar(kinds, [sum(str(value) == kind for value in drawn) for kind in kinds], color=INK)
        axes.tick_params(axis="x", rotation=30 if max(map(len, kinds)) > 6 else 0)
        return
    low, high = min(drawn), max(drawn)
    if 0 < low < high and high / low > 100:
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
    """Draw a pair of every task and stratum, clean above degraded above the middle of both at 100 %; answer the path."""
    chosen = _chosen(run)
    rows: list[list[Cell]] = []
    for name in degrade.NAMES:
        columns = [_pair_cells(run, chosen[name, stratum]) for stratum in range(1, STRATA + 1) if (name, stratum) in chosen]
        rows += map(list, zip(*columns, strict=True))
    if not rows:
        return None
    path = run.report / "pairs.png"
    commit.write_bytes(path, png.encode(sheet(rows, f"{run.recipe.name}: clean, degraded, and the middle of both at 100 %"), level=2))
    return path


def _chosen(run: Run) -> dict[tuple[str, int], str]:
    """Return a kept pair for every task and stratum, from as many photos as there are."""
    table = commit.read_table(run.manifest, ["pair_id", "task", "stratum", "verdict", "photo_sha256"])
    candidates: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row in table.to_pylist():
        if row["verdict"] == "keep":
            candidates[row["task"], row["stratum"]].setdefault(row["photo_sha256"], row["pair_id"])
    shown: Counter[str] = Counter()
    chosen = {}
    for place, photos in sorted(candidates.items()):
        photo = min(photos, key=lambda photo: (shown[photo], photo))
        shown[photo] += 1
        chosen[place] = photos[photo]
    return chosen


def _pair_cells(run: Run, pair_id: str) -> list[Cell]:
    row = replay.row_of(run, pair_id)
    clean, degraded = (pictures.decode(replay.stored(run, row, side)) for side in ("clean", "degraded"))
    steps = [f"{step['generator']} {step['severity']:.4g} {step['unit']}" for step in json.loads(row["steps"])]
    half = SIDE // 2
    middles = np.hstack([detail(clean, SIDE)[:, :half], detail(degraded, SIDE)[:, half:]])
    return [
        Cell(fitted(clean, SIDE), f"clean {pair_id[:12]}"),
        Cell(fitted(degraded, SIDE), f"{row['stratum']}: {' + '.join(steps)}"),
        Cell(middles, f"100 %, {dict(row['scores'])['psnr_db']:.1f} dB"),
    ]
