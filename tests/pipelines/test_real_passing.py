"""What passes is not kept: a photo that could not be opened today, a process that was killed on this machine."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from real_page import PAGE

from degrade.errors import BadSample, RunError
from manifests.commit import read_table
from pipelines import build as building
from pipelines.engine import Engine, Options
from pipelines.photos.sources import Source
from pipelines.real import making, orders
from pipelines.recipe import parse
from pipelines.run import Run, create


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, astronaut) -> Path:
    """A noisy photo."""
    folder = tmp_path_factory.mktemp("web")
    photo = np.clip(astronaut[60:360, 60:360] + np.random.default_rng(4).normal(0, 14, (300, 300, 3)), 0, 255).astype(np.uint8)
    cv2.imwrite(str(folder / "noisy.png"), photo)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory, noisy) -> Run:
    """A finished run that keeps its candidates in a folder which others share."""
    root = tmp_path_factory.mktemp("runs")
    page = copy.deepcopy(PAGE)
    page["real"]["candidates"] = str(root / "shared")
    sources = (Source(path=str(noisy)),)
    run = create(root / "run", parse(page), json.dumps(page), sources)
    with Engine(Options("serial")) as machine:
        building.build(run, sources, machine)
    return run


@pytest.fixture
def again(built, tmp_path) -> tuple[Run, list[dict[str, Any]]]:
    """The run before anything was made, and the rows that ask for candidates."""
    folder = tmp_path / "run"
    shutil.copytree(built.folder, folder, ignore=shutil.ignore_patterns("candidates"))
    text = (folder / "run.json").read_text().replace(str(built.folder.parent / "shared"), str(tmp_path / "shared"))
    (folder / "run.json").write_text(text)
    real = built.recipe.real.model_copy(update={"candidates": str(tmp_path / "shared")})
    rows = [row for row in read_table(built.manifest).to_pylist() if row["clean_sha256"]]
    return replace(built, folder=folder, recipe=built.recipe.model_copy(update={"real": real})), rows


def task_of(run: Run, rows: list[dict[str, Any]], skip: dict[str, Any]) -> dict[str, Any]:
    """Return a task of one batch for each row."""
    settings = run.recipe.real.makers["mine"].opened_settings()
    return {"run": str(run.folder), "name": "mine", "kind": "command", "settings": settings, "batch": 1, "rows": rows, "skip": skip}


def test_a_photo_that_is_away_for_a_while_is_asked_for_again(again, noisy):
    """While its folder is not mounted the job stops; of a photo that has gone nothing says that it never will have candidates; afterwards it gets them."""
    run, rows = again
    away = noisy.rename(noisy.with_name("unmounted"))
    noisy.mkdir()
    try:
        with pytest.raises(RunError, match="run the same command again"):
            making.work(task_of(run, rows, {}), lambda _: None)
        (noisy / "notes.txt").touch()
        assert making.work(task_of(run, rows, {}), lambda _: None) == {"missing": len(rows)}
        (noisy / "notes.txt").unlink()
    finally:
        noisy.rmdir()
        away.rename(noisy)
    kept = orders.candidates(run)
    assert not any(kept.has(orders.key(row, making.who(run))) for row in rows)
    assert making.work(task_of(run, rows, {}), lambda _: None) == {"": len(rows)}


def test_what_killed_its_process_here_is_refused_in_this_run_only(again, tmp_path):
    """A candidate that died twice is refused with its reason, so that the books close; another run that shares the folder tries it."""
    run, rows = again
    name, *others = (orders.key(row, making.who(run)) for row in rows)
    ended = making.work(task_of(run, rows, {name: ["out_of_memory", "more than 1 GB"]}), lambda _: None)
    assert ended == {"out_of_memory": 1, "": len(others)}
    kept = orders.candidates(run)
    with pytest.raises(BadSample, match="more than 1 GB"):
        kept.picture(name)
    elsewhere = orders.candidates(replace(run, folder=tmp_path / "second"))
    assert not elsewhere.has(name)
    assert all(elsewhere.has(other) for other in others)
