"""The report of a finished run: what is in it, what fell where, what was drawn, and pairs to look at.

    index.html                      all of it on one page, without scripts, to be opened from disk
    report.json                     the numbers
    counts.png severity.png scores.png throughput.png
    parameters/TASK.png             how every parameter of a task is spread
    sheets/TASK.png                 pairs of every stratum
    worst.png                       by task, the most and the least damaged pairs
    borderline.png                  pairs on both sides of every limit; of scores without one, the ends
    thrown.png gate.png             pairs that each limit and each reason threw away; photos that the gate of a real run did
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import degrade
from degrade.contract import STRATA
from manifests import commit, png
from manifests.page import parameters
from manifests.page.columns import score, score_names
from manifests.page.row import score_unit, unit_of
from manifests.page.survival import Fall, by_group, survival
from pipelines import index, inspect, pace
from pipelines.pictures import charts, choice, gated, report_page
from pipelines.pictures.figures import grid, halves, sides, stratum_rows
from pipelines.pictures.sheet import Cell, fitted, label, sheet
from pipelines.run import Run, require

COUNTED = ["pair_id", "task", "makers", "split", "stratum", "severity", "unit", "verdict", "decided_by", "reason", "detail", "scores"]
EXAMPLES = 2  # pairs of a stratum on a sheet
SIDE = 240  # px of a picture on a sheet
LABEL = 110  # px of the words before a line of pairs
WORST, BORDERLINE, REFUSED = 3, 6, 5  # in a line
COLUMNS = 4  # of panels
BARS = 90  # of the throughput
LATER = re.compile(r"\[[1-9]\d*\]\.")  # the second ghost, the third hop: as the first one is drawn, so are they


def write(run: Run) -> Path:
    """Draw the report; answer its page.

    Raises:
        RunError: the run is not finished.
    """
    require(run.manifest, "select", run.folder)
    table = commit.read_table(run.manifest, COUNTED)
    kept = choice.of_task(table, None)
    counts = _counts(kept)
    made = [*_charts(run, kept, counts), *_sheets(run, list(counts))]
    told = report_page.Report(
        name=run.recipe.name,
        tasks=list(counts),
        counts=counts,
        photos=index.counts_of(run),
        falls=survival(table, run.recipe.select.limits),
        falls_by=_falls_by(run, table),
        planned=table.num_rows,
        kept=kept.num_rows,
        made=made,
        recipe=(run.folder / "recipe.yaml").read_text(encoding="utf-8"),
        made_with=_made_with(run),
    )
    page = run.report / "index.html"
    commit.write_bytes(page, report_page.html(told).encode())
    numbers = {**told._asdict(), "falls": [fall._asdict() for fall in told.falls], "falls_by": _plain(told.falls_by)}
    commit.write_json(run.report / "report.json", {**numbers, "made_from": _made_from(run)})
    return page


def refresh(run: Run) -> Path:
    """Draw the report unless it shows this manifest already; answer its page."""
    record, page = run.report / "report.json", run.report / "index.html"
    if page.exists() and record.exists() and json.loads(record.read_text(encoding="utf-8")).get("made_from") == _made_from(run):
        return page
    return write(run)


def _plain(falls_by: Mapping[str, Mapping[str, tuple[int, list[Fall], int]]]) -> dict[str, Any]:
    """Return the survival of groups as JSON has it."""
    return {
        name: {group: {"planned": planned, "falls": [fall._asdict() for fall in falls], "kept": kept} for group, (planned, falls, kept) in groups.items()}
        for name, groups in falls_by.items()
    }


def _falls_by(run: Run, table: pa.Table) -> dict[str, dict[str, tuple[int, list[Fall], int]]]:
    """Return the survival of every task, and of every maker of real pairs."""
    words = {"task": pc.cast(table.column("task"), pa.string())}
    if run.recipe.real is not None:
        names = [json.loads(makers).get("clean") if makers else None for makers in table.column("makers").to_pylist()]
        words["maker"] = pa.chunked_array([names], pa.string())
    return {name: by_group(table, groups, run.recipe.select.limits) for name, groups in words.items()}


def _made_from(run: Run) -> str:
    digest: str = json.loads(run.manifest_record.read_text(encoding="utf-8"))["sha256"]
    return digest


def _made_with(run: Run) -> dict[str, str]:
    """Return the versions that made the pixels; where shards were made by several, those of the most."""
    column = commit.read_table(run.manifest, ["made_with"]).column("made_with")
    texts = Counter(filter(None, pc.cast(column, pa.string()).to_pylist()))
    versions: dict[str, str] = json.loads(texts.most_common(1)[0][0]) if texts else {}
    return versions


def _counts(kept: pa.Table) -> dict[str, dict[str, list[int]]]:
    """Return kept pairs by task, by split, by stratum, and last those without a stratum if there are any; tasks in the order of the catalogue."""
    places = STRATA + bool(kept.column("stratum").null_count)
    found: dict[str, dict[str, list[int]]] = {}
    told = zip(*(pc.cast(kept.column(name), pa.string()).to_pylist() for name in ("task", "split", "stratum")), strict=True)
    for (task, split, stratum), count in sorted(Counter(told).items(), key=str):
        found.setdefault(task, {}).setdefault(split, [0] * places)[int(stratum) - 1 if stratum else STRATA] = count
    order = {name: at for at, name in enumerate(degrade.NAMES)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _save(run: Run, name: str, picture: Any) -> str:
    commit.write_bytes(run.report / name, png.encode(picture, level=2))
    return name


def _charts(run: Run, kept: pa.Table, counts: dict[str, dict[str, list[int]]]) -> list[str]:
    """Draw what can be counted."""
    made = []
    if counts:
        rows = [(task, np.sum(list(splits.values()), axis=0).tolist(), _by_split(splits)) for task, splits in counts.items()]
        legend = [f"stratum {stratum}" for stratum in range(1, STRATA + 1)] + ["not graded"] * (len(rows[0][1]) > STRATA)
        made.append(_save(run, "counts.png", charts.stacked(f"{run.recipe.name}: {kept.num_rows} pairs", rows, legend)))
        made.append(_save(run, "severity.png", grid([panel for task in counts for panel in _severity(kept, task)], COLUMNS)))
        scores = [charts.panel(name, score(kept, name).to_numpy(), score_unit(name)) for name in score_names(kept)]
        made.append(_save(run, "scores.png", grid(scores, COLUMNS)))
    known = inspect.vocabulary()
    for task in counts:
        drawn = parameters.drawn(run.manifest, task)
        values = {**drawn["numbers"], **drawn["words"]}
        names = [name for name in sorted(values) if not LATER.search(name) and len(set(charts.known(values[name]))) > 1]
        panels = [charts.panel(name, values[name], unit_of(name, known.get(task, {})).unit) for name in names]
        if panels:
            made.append(_save(run, f"parameters/{task}.png", grid(panels, COLUMNS)))
    went = pace.read(run.pace, BARS)
    if went is not None:
        note = f"{went.items} pairs, {went.items / went.seconds:.1f} pairs/s on average" + f", in {went.sessions} sessions" * (went.sessions > 1)
        made.append(_save(run, "throughput.png", charts.over_time("throughput", went.rates, went.seconds / 60, note)))
    return made


def _by_split(splits: dict[str, list[int]]) -> str:
    """Return the splits of a task, largest first; nothing where there is only one."""
    told = sorted(((sum(strata), split) for split, strata in splits.items()), reverse=True)
    return ": " + ", ".join(f"{split} {count}" for count, split in told) if len(told) > 1 else ""


def _severity(kept: pa.Table, task: str) -> list[Any]:
    """Return a panel for every unit in which the severity of a task is told: its own, and the grade of real pairs."""
    rows = choice.of_task(kept, task)
    units = pc.fill_null(pc.cast(rows.column("unit"), pa.string()), "")
    panels = []
    for unit in sorted(pc.unique(units).to_pylist()):
        values = rows.filter(pc.equal(units, unit)).column("severity").to_numpy()
        made = task in degrade.NAMES and unit == degrade.by_name(task).unit
        panels.append(charts.severity(task, values, unit, degrade.by_name(task).strata) if made else charts.panel(task, values, unit))
    return panels


def _sheets(run: Run, tasks: Sequence[str]) -> list[str]:
    """Draw the pairs that people should see."""
    table, made = choice.seen(run), []
    shown: Counter[str] = Counter()
    for task in tasks:
        block = choice.by_stratum(choice.of_task(table, task), EXAMPLES, shown)
        title = f"{task}, from mild to severe: clean, degraded, the middle of both at 100 % (left half clean)"
        made.append(_save(run, f"sheets/{task}.png", sheet(stratum_rows(run, [block], SIDE), title)))
    for name, lines, columns in (
        ("worst", choice.worst(table, tasks, WORST), 2),
        ("borderline", choice.borderline(table, run.recipe.select.limits, BORDERLINE), 1),
        ("thrown", choice.thrown(table, BORDERLINE), 1),
    ):
        if lines:
            title = f"{name}: the middle of each pair at 100 %, left half clean, right half degraded"
            made.append(_save(run, f"{name}.png", sheet(_line_rows(run, lines, columns), title)))
    if run.recipe.real is not None and (refused := gated.rows(run, REFUSED, SIDE)):
        made.append(_save(run, "gate.png", sheet(refused, "gate: photos that were refused, by reason")))
    return made


def _line_rows(run: Run, lines: Sequence[choice.Chosen], columns: int) -> list[list[Cell]]:
    """Return lines of pairs as rows, so many lines beside each other, each after the reason why it is shown."""
    rows = choice.rows_of(run, (pair_id for line in lines for pair_id in line.pair_ids))
    drawn = []
    for at in range(0, len(lines), columns):
        cells = []
        for line in lines[at : at + columns]:
            cells += [Cell(label(line.why, LABEL, SIDE)), *(_told(run, rows[pair_id], line.score) for pair_id in line.pair_ids)]
        drawn.append(cells)
    return drawn


def _told(run: Run, row: dict[str, Any], name: str) -> Cell:
    story = f"{row['task']} {row['stratum'] or ''}, {charts.number(dict(row['scores'])[name])} {score_unit(name)}"
    return Cell(fitted(halves(*sides(run, row), SIDE), SIDE), f"{story}  {row['pair_id'][:8]}")
