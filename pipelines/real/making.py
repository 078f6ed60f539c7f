"""Asks makers for the candidates that a run has not got: in batches, by workers that keep the maker open."""

from __future__ import annotations

import json
import logging
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason, RunError
from filters.contract import Wants
from manifests import commit
from pipelines import plan
from pipelines.engine import Engine
from pipelines.guard import Limits
from pipelines.makers import beside, table
from pipelines.makers.contract import Maker, OneByOne
from pipelines.makers.kept import Candidates
from pipelines.makers.made_of import Made, Unmade
from pipelines.makers.unfinished import Unfinished
from pipelines.progress import Meter
from pipelines.real import orders
from pipelines.real.pages import MakerRecipe, RealRecipe
from pipelines.recipe import changed
from pipelines.run import Run, load

LOG = logging.getLogger("patina")
BATCHES_PER_TASK = 4
PATIENCE_S = 1800.0  # with opening a maker, and with a batch: fifty gigabytes from a cold disk
_OPEN: dict[str, Maker] = {}  # of this process: the maker that it serves


class _Unseen(NamedTuple):
    """A photo that cannot be opened any more. Nothing is kept: rendering meets it too, and the next run may reach it."""

    bad: BadSample


def make(run: Run, real: RealRecipe, engine: Engine) -> dict[str, dict[str, int]]:
    """Ask for every candidate that is missing; answer how they ended, by maker.

    Raises:
        MissingModel: a maker cannot be opened; says what it needs.
        RunError: the run's candidates were made by another revision of a maker.
    """
    opened = open_all(run, real, engine)
    kept = orders.candidates(run)
    kept.clear()
    ends: dict[str, dict[str, int]] = {}
    beside.begin_task()
    for name, page in sorted(real.makers.items()):
        rows = [row for row in _rows(run) if orders.record_of(row)["maker"] == name]
        rows.sort(key=operator.itemgetter("photo_uri"))  # the plan is in no order, and a burst opens its whole scene
        missing = [row for row in rows if not kept.has(orders.key(row, opened))]
        counts: Counter[str] = Counter()
        wants = table.by_name(page.kind).wants(_settings(page))
        with Meter(name, len(rows), len(rows) - len(missing), "candidates") as meter:
            for answer in engine.serve("pipelines.real.making:work", list(_tasks(run, name, page, opened, missing, wants.batch)), _limits(wants), wants):
                counts.update(answer)
                meter.add(sum(answer.values()), {reason: count for reason, count in answer.items() if reason})
        ends[name] = dict(counts)
    return ends


def open_all(run: Run, real: RealRecipe, engine: Engine) -> dict[str, dict[str, Any]]:
    """Open every maker where it will work; write down who they are, once for a run."""
    told = {}
    for name, page in sorted(real.makers.items()):
        base: dict[str, Any] = {"kind": page.kind, "settings": page.opened_settings()}
        wants = table.by_name(page.kind).wants(_settings(page))
        full = next(iter(engine.serve("pipelines.real.making:check", [base], _limits(wants), wants)))
        decides = {key: value for key, value in base["settings"].items() if key not in table.by_name(page.kind).pace}
        told[name] = {"kind": page.kind, "settings": decides, "maker": full}
    if run.makers.exists():
        if difference := changed(json.loads(run.makers.read_text(encoding="utf-8")), told):
            lines = "\n  ".join(difference)
            raise RunError(f"{run.makers} names other makers; use a new --out (kept candidates are found again), or put these back:\n  {lines}")
    else:
        commit.write_json(run.makers, told)
    return told


def who(run: Run) -> dict[str, dict[str, Any]]:
    """Return the run's makers, as they were opened; raises RunError before that."""
    if not run.makers.exists():
        raise RunError(f"{run.makers.name} is missing: run `patina restore {run.folder}` first")
    found: dict[str, dict[str, Any]] = json.loads(run.makers.read_text(encoding="utf-8"))
    return found


def _limits(wants: Wants) -> Limits:
    return Limits(max(PATIENCE_S, wants.deadline_s * wants.batch), memory_bytes=0)  # weights are large, and come from the user


def _settings(page: MakerRecipe) -> Any:
    return table.by_name(page.kind).settings.model_validate(page.settings)


def _rows(run: Run) -> Iterator[dict[str, Any]]:
    for part, names in enumerate(plan.read_record(run)["parts"]):
        for group in range(len(names)):
            yield from plan.shard_rows(run, part, group)


def _tasks(run: Run, name: str, page: MakerRecipe, opened: dict[str, Any], missing: list[dict[str, Any]], batch: int) -> Iterator[dict[str, Any]]:
    """Yield tasks of some batches each; two rows that ask for the same picture ask once, and photos that stand together follow one another."""
    needed = ("photo_uri", "photo_offset", "photo_size", "photo_sha256", "photo_frame", "crop_x", "crop_y", "crop_width", "crop_height")
    once = {orders.key(row, opened): row for row in missing}
    light = iter([{field: row[field] for field in (*needed, "width", "height", "task", "others", "extra")} for row in once.values()])
    while part := list(islice(light, batch * BATCHES_PER_TASK)):
        yield {"run": str(run.folder), "name": name, "kind": page.kind, "settings": page.opened_settings(), "batch": batch, "rows": part}


def opened(kind: str, settings: dict[str, Any]) -> Maker:
    """Return a maker, opened once per process; another one takes its place."""
    name = json.dumps([kind, settings], sort_keys=True)
    if name not in _OPEN:
        _OPEN.clear()
        made = table.by_name(kind)
        _OPEN[name] = made.open(made.settings.model_validate(settings), None)
    return _OPEN[name]


def check(task: dict[str, Any], _at: Callable[[str], None]) -> str:
    """Open a maker where the work will be done; answer its name with its revision."""
    return opened(task["kind"], task["settings"]).name


def work(task: dict[str, Any], at: Callable[[str], None]) -> dict[str, int]:
    """Make a task's candidates; answer how many there are (the empty word), and how many there are not, by reason.

    A task that is done again, because its process died, asks for nothing that is kept.
    """
    run, maker = load(Path(task["run"])), opened(task["kind"], task["settings"])
    told = who(run)
    if maker.name != told[task["name"]]["maker"]:
        raise RunError(f"this worker has {maker.name}, the job began with {told[task['name']]['maker']}: every machine needs the same revision")
    kept, seen = orders.candidates(run), orders.Seen(run.recipe.index.decode)
    counts: Counter[str] = Counter()
    beside.begin_task()
    for named in _batches(task["rows"], task["batch"], told, task["skip"]):
        at(_label(named))
        for name, made in _made(maker, kept, seen, named, task["skip"]):
            row = named[name]
            if isinstance(made, _Unseen):
                counts[str(made.bad.reason)] += 1
                continue
            if not kept.has(name):
                kept.keep(name, made, {**orders.record_of(row), "maker": maker.name, "task": row["task"], "photo_sha256": row["photo_sha256"]})
            counts[str(made.reason) if isinstance(made, BadSample) else ""] += 1
    return dict(counts)


def _batches(rows: Sequence[dict[str, Any]], size: int, told: dict[str, Any], skip: Mapping[str, Any]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield rows by the name of their candidate, so many at once; one by one those of a batch that killed its process: one of them did it."""
    for begin in range(0, len(rows), size):
        named = {orders.key(row, told): row for row in rows[begin : begin + size]}
        if _label(named) in skip:
            yield from ({name: row} for name, row in named.items())
        else:
            yield named


def _label(named: Mapping[str, Any]) -> str:
    """Return what a batch is called when it kills the process; the name of the candidate where there is one only."""
    first, *others = named
    return f"{first} and {len(others)} after it" if others else first


def _made(
    maker: Maker, kept: Candidates, seen: orders.Seen, named: Mapping[str, dict[str, Any]], skip: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Srgb | BadSample | Made | _Unseen]]:
    """Yield the candidates of a batch: those that are kept, those that cannot be, and last what the maker gives, each as it arrives."""
    ordered = []
    for name, row in named.items():
        if kept.has(name):
            yield name, _kept(kept, name)
        elif name in skip:  # it killed the process more than once: so it was on this machine, today, and other runs try again
            yield name, Unmade(BadSample(Reason(skip[name][0]), skip[name][1]), ())
        else:
            try:
                ordered.append(seen.order(row, name))
            except BadSample as bad:
                yield name, _Unseen(bad)
    if not ordered:
        return
    if isinstance(maker, OneByOne):
        yield from maker.each(ordered)
        return
    try:
        made = maker.make(ordered)
    except Unfinished as stop:  # what is paid for is kept before the job stops
        yield from stop.made.items()
        raise
    yield from zip([order.key for order in ordered], made, strict=True)


def _kept(kept: Candidates, name: str) -> Srgb | BadSample:
    try:
        return kept.picture(name)[0]
    except BadSample as bad:
        return bad
