"""Feeds a scorer: items are opened and prepared by threads ahead of it, batches go through it, every item gets a row.

The unit of work in a worker. The scorer stays open between parts, for opening one may mean reading sixteen gigabytes.
A batch that killed its process is skipped under its own name (`_label`): then one thread works, and the items of that
batch go through the scorer one by one, so that the one that is to blame is named and no other.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from degrade.errors import BadSample, Reason, RunError
from filters import batches, by_name
from filters.contract import Scorer, Scores, Wants
from manifests import scores
from pipelines.guard import At
from pipelines.run import load
from pipelines.scoring import subjects

AHEAD = 3  # batches that are prepared while one is scored
_OPEN: dict[str, Scorer] = {}  # of this process: the scorer that it serves


def opened(name: str, settings: dict[str, Any]) -> Scorer:
    """Return a scorer, opened once per process; another one takes its place."""
    key = json.dumps([name, settings], sort_keys=True)
    if key not in _OPEN:
        _OPEN.clear()
        made = by_name(name)
        _OPEN[key] = made.open(made.settings.model_validate(settings), None)
    return _OPEN[key]


def check(task: dict[str, Any], _at: At) -> str:
    """Open a scorer where the work will be done; answer what will have made its numbers."""
    return opened(task["name"], task["settings"]).maker


def work(task: dict[str, Any], at: At) -> dict[str, Any]:
    """Score one part of a run; answer how many items it holds and how many of them ended how (the empty word: scored)."""
    run, scorer, made = load(Path(task["run"])), opened(task["name"], task["settings"]), by_name(task["name"])
    if scorer.maker != task["maker"]:
        raise RunError(f"this worker has {scorer.maker}, the job began with {task['maker']}: every machine needs the same revision of the model")
    wants = made.wants(made.settings.model_validate(task["settings"]))
    items = subjects.openings(run, task["on"], task["part"])
    rows: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for key, outcome in _outcomes(scorer, items, task["skip"], at, batch=wants.batch, threads=threads_of(wants)):
        if isinstance(outcome, BadSample):
            rows.append({"key": key, "reason": str(outcome.reason), "detail": outcome.detail})
            counts[str(outcome.reason)] = counts.get(str(outcome.reason), 0) + 1
        else:
            rows.append({"key": key, **outcome._asdict()})
            counts[""] = counts.get("", 0) + 1
    at(None)
    path = scores.shard_path(run.folder, task["name"], task["on"], task["part"])
    scores.write(path, rows, task["measures"], {"fingerprint": task["fingerprint"], "source": task["source"]})
    return {"items": task["items"], "counts": counts}


def threads_of(wants: Wants) -> int:
    """Return how many threads open and prepare items: several feed a GPU; where there is none, the scorer needs the core itself."""
    if not wants.gpus:
        return int(wants.cpus)
    torch = sys.modules.get("torch")  # a scorer that wants a GPU has loaded it by now
    return int(wants.cpus) if torch is not None and torch.cuda.is_available() else 1


def _outcomes(
    scorer: Scorer,
    items: Sequence[subjects.Keyed],
    skip: Mapping[str, Sequence[str]],
    at: At,
    *,
    batch: int,
    threads: int,
) -> Iterator[tuple[str, Scores | BadSample]]:
    """Yield every item with its scores or its refusal, in order."""
    cut: list[Sequence[subjects.Keyed]] = []
    for part in (items[first : first + batch] for first in range(0, len(items), batch)):
        deadly = _label(part) in skip
        cut += [[item] for item in part] if deadly else [part]
        threads = 1 if deadly else threads
    for part, prepared in _prepared(scorer, cut, skip, at, threads=threads):
        if threads > 1 or len(part) > 1:  # else the process is at this very item
            at(_label(part))
        good = iter(batches.score(scorer, [one for one in prepared if not isinstance(one, BadSample)]))
        for (key, _), one in zip(part, prepared, strict=True):
            yield key, one if isinstance(one, BadSample) else next(good)


def _label(part: Sequence[subjects.Keyed]) -> str:
    """Return what a batch is called when it kills the process: never the name of an item."""
    return f"{len(part)} from {part[0][0]} on"


def _prepared(
    scorer: Scorer,
    cut: Sequence[Sequence[subjects.Keyed]],
    skip: Mapping[str, Sequence[str]],
    at: At,
    *,
    threads: int,
) -> Iterator[tuple[Sequence[subjects.Keyed], list[Any]]]:
    """Yield batches with what was prepared of each item, or its refusal; more than one thread works ahead of the scorer."""

    def ready(item: subjects.Keyed) -> Any:
        key, opening = item
        try:
            if key in skip:
                raise BadSample(Reason(skip[key][0]), skip[key][1])
            return scorer.prepare(opening())
        except BadSample as bad:
            return bad

    if threads <= 1:
        for part in cut:
            prepared = []
            for item in part:
                at(item[0])
                prepared.append(ready(item))
            yield part, prepared
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[Sequence[subjects.Keyed], list[Future[Any]]]] = deque()
        for part in cut:
            at(_label(part))
            waiting.append((part, [pool.submit(ready, item) for item in part]))
            if len(waiting) > AHEAD:
                yield _done(*waiting.popleft())
        while waiting:
            yield _done(*waiting.popleft())


def _done(part: Sequence[subjects.Keyed], futures: list[Future[Any]]) -> tuple[Sequence[subjects.Keyed], list[Any]]:
    return part, [future.result() for future in futures]
