"""Photos that are away for a moment stop the job, with nothing refused; those that are gone are refused, and the job goes on."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_run import make, recipe

from degrade.errors import RunError, TooManyRejects
from manifests import scores, shards
from manifests.commit import read_table
from pipelines import index, plan, render, score, select
from pipelines.engine import Engine, Options
from pipelines.guard import WorkStopped
from pipelines.photos import sources
from pipelines.run import Run

AGAIN = "run the same command again"


@pytest.fixture(scope="module")
def disk(tmp_path_factory, photos) -> Path:
    """A folder of two photos, in a folder to mount it in."""
    folder = tmp_path_factory.mktemp("disk") / "photos"
    folder.mkdir()
    for name in ("rocket.jpg", "coffee.png"):
        shutil.copy(photos / name, folder)
    return folder


@pytest.fixture(scope="module")
def calm(tmp_path_factory, disk) -> Run:
    """The run that nothing disturbs."""
    page = recipe(variants=4, render={"shard_pairs": 3, "reject_grace": 2, "max_reject_share": 0.1}, score={"photos": {"clean": {}}})
    return make(tmp_path_factory.mktemp("calm") / "run", disk, page)


@pytest.fixture
def planned(calm, tmp_path) -> Run:
    """The same run, before anything is rendered or scored."""
    folder = tmp_path / "run"
    shutil.copytree(calm.folder, folder, ignore=shutil.ignore_patterns("shards", "scores", "joined", "manifest*", "report"))
    return Run(folder, calm.recipe, calm.fingerprint)


def story(run: Run) -> list[dict[str, Any]]:
    """Everything that a run's rows tell."""
    select.select(run)
    rows: list[dict[str, Any]] = read_table(run.manifest).to_pylist()
    return rows


def unmounted(disk: Path, *, mount_point: bool, work: Callable[[], Any]) -> None:
    """Do work while the disk is away, with or without the empty folder where it was; it must say how to go on."""
    aside = disk.rename(disk.with_name("aside"))
    if mount_point:
        disk.mkdir()
    try:
        with pytest.raises(WorkStopped, match=AGAIN):
            work()
    finally:
        if mount_point:
            disk.rmdir()
        aside.rename(disk)


@pytest.mark.parametrize("mount_point", [False, True])
def test_photos_that_are_away_stop_the_job_and_are_rendered_when_they_are_back(planned, calm, disk, mount_point):
    """While their disk is not mounted nothing is committed; the same command then makes the run that was never disturbed."""
    with Engine(Options("serial")) as machine:
        unmounted(disk, mount_point=mount_point, work=lambda: render.render(planned, machine))
        assert not shards.committed(planned.folder)
        render.render(planned, machine)
    assert story(planned) == story(calm)


def test_a_handle_that_is_stale_for_a_moment_costs_no_pair(planned, calm, monkeypatch):
    """A share that cannot open one photo, though it lists its folder, stops the shard; the same command then renders every pair."""
    shard, opened = plan.read_record(planned)["parts"][0][0], os.open

    def stale(path: str, *args: Any, **more: Any) -> int:
        if path.endswith((".jpg", ".png")):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return opened(path, *args, **more)

    task = {"run": str(planned.folder), "part": 0, "group": 0, "shard": shard, "skip": {}}
    with monkeypatch.context() as ill, pytest.raises(RunError, match=f"Stale file handle; .*{AGAIN}"):
        ill.setattr(sources, "os", SimpleNamespace(**{**vars(os), "open": stale}))
        render.work(task, lambda _: None)
    assert not shards.committed(planned.folder)
    assert render.work(task, lambda _: None) == {"": 3}
    assert read_table(shards.rows_path(planned.folder, shard)).equals(read_table(shards.rows_path(calm.folder, shard)))


def test_photos_that_are_away_are_scored_when_they_are_back(planned, disk):
    """No photo is written down as missing because its disk was not mounted."""
    with Engine(Options("serial")) as machine:
        unmounted(disk, mount_point=True, work=lambda: score.score(planned, machine, "photos"))
        (done,) = score.score(planned, machine, "photos")
    assert (done.scored, done.unscored) == (2, {})
    assert not scores.by_key(planned.folder, "photos")[1]


def test_photos_that_go_away_while_they_are_opened_are_indexed_when_they_are_back(planned, disk):
    """A photo that was listed and is away a moment later is not refused; what a list names and was never there is."""
    task, before = {"run": str(planned.folder), "part": "0", "skip": {}}, read_table(planned.index).to_pylist()
    shutil.rmtree(planned.folder / "index", ignore_errors=True)
    aside = disk.rename(disk.with_name("aside"))
    try:
        with pytest.raises(RunError, match=AGAIN):
            index.work(task, lambda _: None)
    finally:
        aside.rename(disk)
    assert index.work(task, lambda _: None) == {"": len(before)}
    never = {"uri": str(disk.parent / "nowhere" / "a.jpg"), "offset": None, "size": None, "extra": [], "reason": None, "detail": None}
    assert index._row(planned, never, None)["reason"] == "missing"


def test_too_many_rejects_say_what_stays_and_what_helps(planned, calm, disk):
    """Photos that are gone from a folder that is there are refused for good; the words of the ceiling say how to make them again, and that is true."""
    (disk / "notes.txt").write_text("the folder is not empty")
    gone = [path.rename(disk.parent / path.name) for path in disk.iterdir() if path.suffix != ".txt"]
    with Engine(Options("serial")) as machine:
        try:
            with pytest.raises(TooManyRejects, match=r"missing.*They stay so.*Put back the very files.*Remove .*shards and run the same command again"):
                render.render(planned, machine)
        finally:
            for path in gone:
                path.rename(disk / path.name)
            (disk / "notes.txt").unlink()
        render.render(planned, machine)
        assert "missing" in {row["reason"] for row in story(planned)}
        shutil.rmtree(planned.folder / "shards")
        render.render(planned, machine)
    assert story(planned) == story(calm)
