"""Banks: folders, tars or lists of images that a degradation draws from - real flares, fog, rain, dirt, moire patterns.

A bank is a source like any other, and its images are strangers' files like any others: they are listed once, opened in
a guarded worker, named by their hash, and refused with a reason. The plan picks by hash; the row says which.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from degrade.errors import BadSample, Reason, RecipeError, RunError
from manifests import commit
from manifests.schema import BANK
from pipelines.engine import Engine
from pipelines.guard import Limits
from pipelines.memory import out_of_memory
from pipelines.photos import sources, textures
from pipelines.photos.sources import Listed
from pipelines.progress import Meter
from pipelines.run import Run, load

PER_TASK = 64


def index(run: Run, engine: Engine) -> None:
    """Write the index of the recipe's banks, if it has any.

    Raises:
        RecipeError: a bank without a single usable image.
        RunError: the banks are not those that the run began with.
    """
    if not run.recipe.banks:
        return
    listed = [_row_of(name, found) for name, bank in sorted(run.recipe.banks.items()) for found in sources.listing(bank.sources)]
    if run.banks.exists():
        _check_same(run, listed)
        return
    tasks = ({"run": str(run.folder), "rows": listed[at : at + PER_TASK]} for at in range(0, len(listed), PER_TASK))
    limits = Limits(run.recipe.render.deadline_s, int(run.recipe.render.memory_gb * 2**30))
    rows: list[dict[str, Any]] = []
    with Meter("banks", len(listed), unit="images") as meter:
        for opened in engine.map("pipelines.banks:work", tasks, limits):
            rows += opened
            meter.add(len(opened), dict(Counter(row["reason"] for row in opened if row["reason"])))
    rows = _without_copies(rows)
    for name in sorted(run.recipe.banks):
        _check_usable(name, [row for row in rows if row["bank"] == name])
    commit.write_table(run.banks, pa.Table.from_pylist(rows, BANK), {"fingerprint": run.fingerprint})


def read(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Return the usable images of each bank, sorted by hash: uri, offset, size, sha256."""
    if not run.recipe.banks:
        return {}
    rows = commit.read_table(run.banks, ["bank", "uri", "offset", "size", "sha256", "verdict"]).to_pylist()
    kept = sorted((row for row in rows if row.pop("verdict") == "keep"), key=lambda row: (row["bank"], row["sha256"]))
    return {name: [dict(list(row.items())[1:]) for row in group] for name, group in itertools.groupby(kept, key=lambda row: str(row["bank"]))}


def work(task: dict[str, Any], at: Callable[[str], None]) -> list[dict[str, Any]]:
    """Open some images; answer their rows."""
    max_bytes = load(Path(task["run"])).recipe.index.decode.max_bytes
    rows = []
    for row in task["rows"]:
        at(row["uri"])
        rows.append(_opened(row, max_bytes, task["skip"].get(row["uri"])))
    return rows


def _opened(row: dict[str, Any], max_bytes: int, skip: list[str] | None) -> dict[str, Any]:
    try:
        if skip:
            raise BadSample(Reason(skip[0]), skip[1])
        if row["reason"]:
            raise BadSample(Reason(row["reason"]), row["detail"])
        with out_of_memory():
            data = sources.read(Listed(row["uri"], row["offset"], row["size"], {}), max_bytes)
            pixels = textures.decode(data)
    except BadSample as bad:
        return row | {"verdict": "reject", "reason": str(bad.reason), "detail": bad.detail}
    return row | {"verdict": "keep", "sha256": commit.sha256(data), "width": pixels.shape[1], "height": pixels.shape[0]}


def _row_of(bank: str, found: Listed) -> dict[str, Any]:
    reason, detail = (str(found.problem.reason), found.problem.detail) if found.problem else (None, None)
    extra = sorted(found.extra.items())
    return {"bank": bank, "uri": found.uri, "offset": found.offset, "size": found.size, "extra": extra, "reason": reason, "detail": detail}


def _without_copies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Refuse the second copy of an image in a bank."""
    first: dict[tuple[str, str], str] = {}
    for row in sorted(rows, key=lambda row: str(row["uri"])):
        if row["verdict"] == "keep" and first.setdefault((row["bank"], row["sha256"]), row["uri"]) != row["uri"]:
            row |= {"verdict": "reject", "reason": str(Reason.DUPLICATE), "detail": f"the same bytes as {first[row['bank'], row['sha256']]}"}
    return sorted(rows, key=lambda row: (row["bank"], str(row["uri"])))


def _check_usable(name: str, rows: list[dict[str, Any]]) -> None:
    if not any(row["verdict"] == "keep" for row in rows):
        told = "\n  ".join(f"{row['uri']}: {row['reason']}: {row['detail']}" for row in rows[:5])
        raise RecipeError(f"`banks.{name}`: not one usable image among {len(rows)}; the first are:\n  {told}")


def _check_same(run: Run, listed: list[dict[str, Any]]) -> None:
    table = commit.read_table(run.banks, ["bank", "uri", "size"])
    before, now = ({(row["bank"], row["uri"], row["size"]) for row in rows} for rows in (table.to_pylist(), listed))
    if before != now:
        gone, come = sorted(before - now, key=str)[:3], sorted(now - before, key=str)[:3]
        news = "\n  ".join([f"- {name}: {uri}" for name, uri, _ in gone] + [f"+ {name}: {uri}" for name, uri, _ in come])
        raise RunError(f"the banks of {run.folder} have changed; use a new --out, or put these back:\n  {news}")
