"""The guard list: images that must never be trained on, opened once, kept as sha256 and thumbnail.

An image that cannot be read cannot be guarded, so it stops the run: a benchmark that leaks in silence is worth nothing.
"""

from __future__ import annotations

import base64
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from degrade.errors import BadSample, Reason, RecipeError, RunError
from filters.near.thumbnails import thumbnail
from manifests import commit
from manifests.schema import GUARD
from pipelines.engine import Engine
from pipelines.guard import Limits
from pipelines.memory import out_of_memory
from pipelines.photos import decode, sources
from pipelines.photos.formats import FormatName
from pipelines.photos.sources import Listed
from pipelines.progress import Meter
from pipelines.run import Run, load

PER_TASK = 64
SHOWN = 5  # of what is wrong


def index(run: Run, engine: Engine) -> list[dict[str, Any]]:
    """Open the images of the guard list, if the recipe has one; answer their rows, sorted by uri.

    Raises:
        RecipeError: an image that cannot be read.
        RunError: the list is not the one that the run began with.
    """
    if not run.recipe.duplicates.guard:
        return []
    listed = [found._replace(extra={}) for found in sources.listing(run.recipe.duplicates.guard)]
    _check_readable([(found.uri, str(found.problem)) for found in listed if found.problem is not None])
    path = run.folder / "guard.parquet"
    if not path.exists():
        _open(run, engine, path, listed)
    rows: list[dict[str, Any]] = commit.read_table(path).to_pylist()
    before, now = {(row["uri"], row["size"]) for row in rows}, {(found.uri, found.size) for found in listed}
    if before != now:
        news = [f"- {uri}" for uri, _ in sorted(before - now, key=str)[:SHOWN]] + [f"+ {uri}" for uri, _ in sorted(now - before, key=str)[:SHOWN]]
        raise RunError("\n  ".join([f"the guard list of {run.folder} has changed; use a new --out, or put these back:", *news]))
    return rows


def work(task: dict[str, Any], at: Callable[[str], None]) -> list[dict[str, Any]]:
    """Open some images; answer their hashes and thumbnails, or what is wrong."""
    run = load(Path(task["run"]))
    rules = run.recipe.index.decode.model_copy(update={"formats": typing.get_args(FormatName)})
    rows = []
    for uri, offset, size in task["images"]:
        at(uri)
        row = {"uri": uri, "offset": offset, "size": size}
        try:
            if uri in task["skip"]:
                raise BadSample(Reason(task["skip"][uri][0]), task["skip"][uri][1])
            with out_of_memory():
                data = sources.read(Listed(uri, offset, size, {}), rules.max_bytes)
                small = base64.b64encode(thumbnail(decode.decode(data, rules).pixels)).decode()  # what workers answer is text
            rows.append({**row, "sha256": commit.sha256(data), "thumbnail": small})
        except BadSample as bad:
            rows.append({**row, "problem": str(bad)})
    return rows


def _open(run: Run, engine: Engine, path: Path, listed: list[Listed]) -> None:
    images = [(found.uri, found.offset, found.size) for found in listed]
    tasks = ({"run": str(run.folder), "images": images[at : at + PER_TASK]} for at in range(0, len(images), PER_TASK))
    limits = Limits(run.recipe.render.deadline_s, int(run.recipe.render.memory_gb * 2**30))
    rows: list[dict[str, Any]] = []
    with Meter("guard", len(images), unit="images") as meter:
        for opened in engine.map("pipelines.duplicates.benchmarks:work", tasks, limits):
            rows += opened
            meter.add(len(opened), {})
    _check_readable([(row["uri"], row["problem"]) for row in rows if "problem" in row])
    rows.sort(key=lambda row: str(row["uri"]))
    rows = [{**row, "thumbnail": base64.b64decode(row["thumbnail"])} for row in rows]
    commit.write_table(path, pa.Table.from_pylist(rows, GUARD), {"fingerprint": run.fingerprint})


def _check_readable(problems: list[tuple[str, str]]) -> None:
    if problems:
        told = "\n  ".join(f"{uri}: {problem}" for uri, problem in sorted(problems)[:SHOWN])
        raise RecipeError(f"`duplicates.guard`: {len(problems)} images cannot be read, so nothing can keep them out; mend or remove them:\n  {told}")
