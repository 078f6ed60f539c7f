"""The verb `score`: scorers over finished shards, or over the usable photos; each part is a commit, so that it resumes.

Models are opened once per worker and stay; what they found is written beside the shards (`manifests/scores.py`), never into
them. Items that cannot be scored get a row with a reason; everything else that goes wrong stops the job and names the item.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from degrade.errors import MissingModel, RecipeError, RunError
from filters import NAMES, by_name
from filters.contract import Filter, Wants
from manifests import commit, scores
from pipelines.engine import Engine
from pipelines.guard import Limits, WorkStopped
from pipelines.progress import Meter
from pipelines.recipe import changed
from pipelines.run import Run
from pipelines.scoring import subjects

PATIENCE_S = 1800.0  # with opening a scorer, and with a batch: weights are large, disks may be cold


class Scored(NamedTuple):
    """What one scorer did."""

    name: str
    on: str
    maker: str
    scored: int  # now, not before
    unscored: dict[str, int]  # by reason
    seconds: float
    rate: float  # items per second


def wanted(run: Run, on: str, only: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the scorers to run: those that were asked for, else the recipe's.

    Raises:
        RecipeError: nothing is asked for, or something that is not there.
    """
    for name in only:
        if name not in NAMES or on not in by_name(name).on:
            by_name(name)
            raise RecipeError(f"`{name}` cannot score {on}, only {' and '.join(by_name(name).on)}")
    pages: dict[str, Any] = getattr(run.recipe.score, on)
    if not (only or pages):
        raise RecipeError(f"the recipe names no scorer of {on} (`score.{on}`): add some, or say --only with some of {', '.join(NAMES)}")
    return only or tuple(pages)


def score(run: Run, engine: Engine, on: str = "pairs", only: tuple[str, ...] = ()) -> list[Scored]:
    """Run scorers over everything that has no scores yet.

    Args:
        run: rendered (for pairs) or indexed (for photos).
        engine: where.
        on: `pairs` or `photos`.
        only: names of scorers; default the recipe's.

    Raises:
        MissingModel: a model is not there; says what gets it.
        RunError: the run holds scores that were made by other settings or another model.
    """
    parts = subjects.parts(run, on)
    return [_run(run, engine, by_name(name), on, parts) for name in wanted(run, on, only)]


def check_models(run: Run, engine: Engine) -> None:
    """Raise before hours of work if a scorer that the recipe names cannot be opened; all that is missing is told at once."""
    missing: dict[str, None] = {}
    for on in subjects.ON:
        pages: dict[str, Any] = getattr(run.recipe.score, on)
        for name in pages:
            try:
                _opened(run, engine, by_name(name), on)
            except WorkStopped as error:
                missing[str(error)] = None
    if missing:
        raise MissingModel("\n  ".join(missing))


def _opened(run: Run, engine: Engine, made: Filter, on: str) -> str:
    """Open a scorer where it will work; answer what makes its numbers."""
    settings = run.recipe.score.settings(on, made.name)
    wants = made.wants(made.settings.model_validate(settings))
    task = {"name": made.name, "settings": settings}
    maker: str = next(iter(engine.serve("pipelines.scoring.feed:check", [task], _limits(wants), wants)))
    return maker


def _limits(wants: Wants) -> Limits:
    return Limits(max(PATIENCE_S, wants.deadline_s * wants.batch), memory_bytes=0)  # alike for most, so that one process serves them all


def _run(run: Run, engine: Engine, made: Filter, on: str, parts: list[subjects.Part]) -> Scored:
    """Run one scorer over the parts that it has not scored."""
    settings = run.recipe.score.settings(on, made.name)
    wants = made.wants(made.settings.model_validate(settings))
    base = {"run": str(run.folder), "on": on, "name": made.name, "settings": settings}
    maker = _opened(run, engine, made, on)
    identity = _identify(run, made, on, settings, maker)
    folder = scores.shard_path(run.folder, made.name, on, "").parent
    commit.clear_temporaries(folder)
    todo = [part for part in parts if not _is_done(run, made.name, on, part, identity["fingerprint"])]
    told = {**base, "maker": maker, "measures": identity["measures"], "fingerprint": identity["fingerprint"]}
    tasks = [{**told, "part": part.name, "source": part.source, "items": part.items} for part in todo]
    ends: Counter[str] = Counter()
    total = sum(part.items for part in parts)
    with Meter(made.name, total, total - sum(part.items for part in todo), on) as meter:
        for answer in engine.serve("pipelines.scoring.feed:work", tasks, _limits(wants), wants):
            ends.update(answer["counts"])
            meter.add(answer["items"], {reason: count for reason, count in answer["counts"].items() if reason})
        seconds = meter.seconds
    scored = ends.pop("", 0)
    return Scored(made.name, on, maker, scored, dict(ends), seconds, scored / seconds if scored else 0.0)


def _identify(run: Run, made: Filter, on: str, settings: dict[str, Any], maker: str) -> dict[str, Any]:
    """Write down what makes the numbers; refuse to mix them with others."""
    decides = {"version": made.version, "settings": {key: value for key, value in settings.items() if key not in made.pace}, "maker": maker}
    identity = {**decides, "fingerprint": commit.fingerprint(decides), "measures": names_of(made)}
    path = scores.identity_path(run.folder, made.name, on)
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if difference := changed({name: before[name] for name in decides}, decides):
            lines = "\n  ".join(difference)
            folder = scores.shard_path(run.folder, made.name, on, "").parent
            raise RunError(f"{folder} holds scores that were made otherwise; remove {path} and {folder.name}/ to score again, or put these back:\n  {lines}")
    commit.write_json(path, identity)
    return identity


def names_of(made: Filter) -> list[str]:
    """Return the names of all numbers that a scorer may give."""
    from degrade import NAMES as TASKS

    return [name for measure in made.measures for name in ([measure.name.format(task=task) for task in TASKS] if "{task}" in measure.name else [measure.name])]


def _is_done(run: Run, name: str, on: str, part: subjects.Part, fingerprint: str) -> bool:
    """Tell whether a part has scores of this scorer, made from what is there now."""
    path = scores.shard_path(run.folder, name, on, part.name)
    if not path.exists():
        return False
    notes = commit.parquet_notes(path)
    return notes.get("fingerprint") == fingerprint and notes.get("source") == part.source
