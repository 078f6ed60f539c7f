"""The page without a server: a sample of a run as files that open from disk, to be sent to others or put on a shelf."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from degrade.errors import RunError
from manifests import commit
from manifests.page.members import SIDES
from manifests.page.run import InspectedRun, json_bytes
from manifests.page.server import DATA, POLICY, static_files
from manifests.pictures import EXTENSIONS

MARK = "patina-page.json"  # tells a page of ours, which may be replaced, from somebody's folder
STRATA_FIRST = (3, 5, 1, 4, 2, None)  # a small sample shows the middle of every task, then its ends; last what nobody graded
FROM_DISK = POLICY.replace("'self'", "'self' file:")


def write(run: InspectedRun, folder: Path, sample: int) -> int:
    """Write `folder/index.html` and what it needs; answer how many pairs it shows.

    Args:
        run: what to show.
        folder: new, empty, or an earlier page of ours, which is replaced.
        sample: how many pairs at most, evenly over tasks and strata.

    Raises:
        RunError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise RunError(f"{folder} is not empty and is no page of ours: choose a new or empty folder for --html")
    building = folder.with_name(f".{folder.name}{commit.TEMPORARY}")
    shutil.rmtree(building, ignore_errors=True)
    chosen = spread(run.table(), sample)
    _page(building, held(run, chosen, building))
    commit.write_json(building / MARK, {"run": str(run.folder), "pairs": len(chosen)})
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    return len(chosen)


def spread(table: pa.Table, most: int) -> NDArray[np.int64]:
    """Return row numbers of pairs with pictures: every task in turn, and every stratum; kept pairs first, otherwise in a fixed random order."""
    groups: dict[tuple[str, int | None], list[tuple[bool, str, int]]] = defaultdict(list)
    columns = [table.column(name).to_pylist() for name in ("task", "stratum", "verdict", "pair_id", "clean_length")]
    for at, (task, stratum, verdict, pair_id, length) in enumerate(zip(*columns, strict=True)):
        if length is not None:
            groups[task, stratum].append((verdict != "keep", pair_id, at))  # an id is a hash: its order is random, and the same everywhere
    ordered = [sorted(groups[key]) for key in sorted(groups, key=lambda key: (STRATA_FIRST.index(key[1]), key[0]))]
    turns = [group[turn][2] for turn in range(max(map(len, ordered), default=0)) for group in ordered if turn < len(group)]
    return np.sort(np.array(turns[:most], np.int64))


def held(run: InspectedRun, chosen: NDArray[np.int64], folder: Path) -> dict[str, Any]:
    """Write the pictures of chosen rows and return what the page would have asked a server for."""
    overview, scores = run.overview(chosen), run.scores()
    pairs: dict[str, Any] = {}
    pictures: dict[str, dict[str, str]] = {}
    for pair_id in overview["columns"]["pair_id"]:
        pairs[pair_id] = run.story(pair_id)
        data = {side: run.picture(pair_id, side) for side in SIDES}
        named = {side: (f"{pair_id}.{side}.{EXTENSIONS[media_type]}", body) for side, (body, media_type) in data.items()}
        named["thumbnail"] = (f"{pair_id}.jpg", run.thumbnail(pair_id))
        for at, name in enumerate(pairs[pair_id]["layers"]):
            named[f"layer:{name}"] = (f"{pair_id}.layer{at}.png", run.layer(pair_id, name))
        pictures[pair_id] = {what: f"pictures/{name}" for what, (name, _) in named.items()}
        for name, body in named.values():
            _write(folder / "pictures" / name, body)
    reviewed = run.reviewed()
    reviewed["pairs"] = {pair_id: words for pair_id, words in reviewed["pairs"].items() if pair_id in pairs}
    tasks = sorted({pair["task"] for pair in pairs.values()})
    scores["columns"] = {told["name"]: run.score(told["name"])[chosen] for told in scores["listed"]}
    return {"overview": overview, "scores": scores, "pairs": pairs, "pictures": pictures, "reviews": reviewed, "parameters": _parameters(run, tasks, chosen)}


def _parameters(run: InspectedRun, tasks: list[str], chosen: NDArray[np.int64]) -> dict[str, Any]:
    """Return the parameters of the chosen rows by task, with row numbers of the sample."""
    by_task = {}
    for task in tasks:
        found = run.parameters(task)
        here = np.flatnonzero(np.isin(found["rows"], chosen))
        numbers = {name: values[here] for name, values in found["numbers"].items()}
        words = {name: [values[at] for at in here] for name, values in found["words"].items()}
        by_task[task] = {"rows": np.searchsorted(chosen, found["rows"][here]), "of": len(here), "numbers": numbers, "words": words, "about": found["about"]}
    return by_task


def _page(folder: Path, content: dict[str, Any]) -> None:
    """Write the page's own files and its data; `<` is escaped, so that no name can end a script."""
    for name, data in static_files(FROM_DISK, "").items():
        _write(folder / name if name == "index.html" else folder / "static" / name, data)
    text = json.dumps(json.loads(json_bytes(content)))  # ASCII only
    _write(folder / "static" / DATA, f"const HELD = {text.replace('<', chr(92) + 'u003c')};\n".encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
