"""Feeds a scorer: items are opened and prepared by threads ahead of it, batches go through it, every item gets a row.

The unit of work in a worker. The scorer stays open between parts, for opening one may mean reading sixteen gigabytes.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from degrade.errors import BadSample, Reason, RunError
from filters import batches, by_name
from filters.contract import Scorer, Scores, Wants
from manifests import scores
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


def check(task: dict[str, Any], _at: Callable[[str], None]) -> str:
    """Open a scorer where the work will be done; answer what will have made its numbers."""
    return opened(task["name"], task["settings"]).maker


def work(task: dict[str, Any], at: Callable[[str], None]) -> dict[str, Any]:
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
    items: list[tuple[str, subjects.Opening]],
    skip: dict[str, list[str]],
    at: Callable[[str], None],
    *,
    batch: int,
    threads: int,
) -> Iterator[tuple[str, Scores | BadSample]]:
    """Yield every item with its scores or its refusal, in order."""
    for keys, prepared in _prepared(scorer, items, skip, at, batch=batch, threads=threads):
        at(keys[0])
        good = iter(batches.score(scorer, [one for one in prepared if not isinstance(one, BadSample)]))
        for key, one in zip(keys, prepared, strict=True):
            yield key, one if isinstance(one, BadSample) else next(good)


def _prepared(
    scorer: Scorer,
    items: list[tuple[str, subjects.Opening]],
    skip: dict[str, list[str]],
    at: Callable[[str], None],
    *,
    batch: int,
    threads: int,
) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield batches of (keys, prepared items or refusals); more than one thread works ahead of the scorer."""

    def ready(item: tuple[str, subjects.Opening]) -> Any:
        key, opening = item
        try:
            if key in skip:
                raise BadSample(Reason(skip[key][0]), skip[key][1])
            return scorer.prepare(opening())
        except BadSample as bad:
            return bad

    cut = [items[first : first + batch] for first in range(0, len(items), batch)]
    if threads <= 1:
        for part in cut:
            prepared = []
            for item in part:
                at(item[0])
                prepared.append(ready(item))
            yield [key for key, _ in part], prepared
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[list[str], list[Future[Any]]]] = deque()
        for part in cut:
            at(part[0][0])
            waiting.append(([key for key, _ in part], [pool.submit(ready, item) for item in part]))
            if len(waiting) > AHEAD:
                yield _done(waiting.popleft())
        while waiting:
            yield _done(waiting.popleft())


def _done(batch: tuple[list[str], list[Future[Any]]]) -> tuple[list[str], list[Any]]:
    keys, futures = batch
    return keys, [future.result() for future in futures]
