"""Real runs that are killed: the same bytes in the end, and what a server was paid for is never ordered again."""

from __future__ import annotations

import base64
import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from real_page import PAGE
from stand_in import Editor, said, serving, url

from degrade.errors import BadSample
from manifests import commit, png, shards
from manifests.commit import read_table
from pipelines import build as building
from pipelines.engine import Engine, Options
from pipelines.guard import Cell, Limits
from pipelines.photos.sources import Source
from pipelines.real import making, orders
from pipelines.recipe import parse
from pipelines.run import Run, create, load
from pipelines.select import select

AT_ONCE = 3
DEADLY = Path(__file__).parent / "deadly"
NAMES = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png")


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Path:
    """Noisy photos, dark ones, and one that shows nothing of either."""
    from skimage import data

    folder, noise = tmp_path_factory.mktemp("web"), np.random.default_rng(4)
    for name in NAMES:
        photo = cv2.imread(str(Path(data.__file__).parent / name))[60:340, 60:340]
        cv2.imwrite(str(folder / f"noisy_{name}.png"), np.clip(photo + noise.normal(0, 14, photo.shape), 0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / f"dark_{name}.png"), np.clip(photo * 0.13, 0, 255).astype(np.uint8))
    cv2.imwrite(str(folder / "good.png"), photo)
    return folder


def command(tmp: Path, page: dict[str, Any], web: Path, engine: str) -> list[str]:
    """Return the command that a user would give; its run is in `tmp / "run"`."""
    (tmp / "recipe.yaml").write_text(yaml.safe_dump(page))
    words = [sys.executable, "-m", "pipelines", "build", str(tmp / "recipe.yaml"), "--input", str(web), "--out", str(tmp / "run"), "--engine", engine]
    return [*words, "--workers", "2"] if engine == "ray" else words


def killed(words: list[str], due: Callable[[], bool]) -> bool:
    """Run a command and send SIGKILL to its whole process tree when it is due; tell whether it came to that."""
    job = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while job.poll() is None:
        if due():
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            return True
        time.sleep(0.003)
    return False


def finish(words: list[str]) -> None:
    """Run a command to its end; it must say that the books close."""
    end = subprocess.run(words, check=False, capture_output=True, text=True)
    assert end.returncode == 0, end.stderr[-2000:]


def files(folder: Path) -> int:
    """Return how many files there are: how far a run has come, however fast the machine is."""
    return sum(len(names) for _, _, names in os.walk(folder))


def story(folder: Path) -> dict[str, Any]:
    """Return all that a run says: every row, the survival table, what is kept of makers, and the bytes of shards."""
    run = load(folder)
    return {
        "manifest": run.manifest.read_bytes(),
        "rows": [repr(row) for row in read_table(run.manifest).to_pylist()],
        "survival": select(run),
        "summary": json.loads((run.report / "summary.json").read_text())["survival"],
        "books": building.books(run).as_json(),
        "candidates": {path.name: path.read_bytes() for path in (folder / "candidates").rglob("[!.]*.*")},
        "shards": {path.name: path.read_bytes() for name in shards.committed(folder) for path in (folder / "shards").glob(f"{name}.*")},
    }


@pytest.fixture(scope="module")
def calm(tmp_path_factory, web) -> Run:
    """A run that nobody disturbed."""
    sources = (Source(path=str(web)),)
    run = create(tmp_path_factory.mktemp("calm") / "run", parse(PAGE), json.dumps(PAGE), sources)
    with Engine(Options("serial")) as machine:
        building.build(run, sources, machine)
    return run


def disturbed(tmp_path: Path, web: Path, calm: Run, engine: str, kills: int) -> Path:
    """Return the folder of a run that was killed so many times at random, anywhere from its first file to the scores; each job got a little further."""
    dice, words, folder = random.Random(kills), command(tmp_path, PAGE, web, engine), tmp_path / "run"
    whole = files(calm.folder)
    for moment in sorted(dice.sample(range(2, whole * 3 // 4), kills)):
        before = files(folder)
        assert killed(words, lambda moment=moment, before=before: before != files(folder) >= moment), f"it ended before file {moment} of {whole}"
        time.sleep(0.0 if engine == "serial" else 0.5)
    finish(words)
    return folder


def test_a_job_that_died_with_its_first_file_can_begin_again(web, tmp_path):
    """A folder that holds but a file that was being written is free: whoever killed the job can run the same command again."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".run.json.ce2dae8a1b67.part").write_bytes(b"{")
    assert create(tmp_path / "run", parse(PAGE), "", (Source(path=str(web)),)).folder == tmp_path / "run"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("engine", ["serial", "ray"])
def test_killed_ten_times_a_real_run_is_the_same(calm, web, tmp_path, engine):
    """Ten kills of the whole process tree, with either engine: the same table, manifest, candidates and shards."""
    assert story(disturbed(tmp_path, web, calm, engine, 10)) == story(calm.folder)


class Till(Editor):
    """An editor that smooths, takes its time and money: it bills a key once, and refuses the darkest photos by its rules."""

    def answer(self, page):
        with self.server.lock:
            self.server.billed.add(self.headers["Idempotency-Key"])
        time.sleep(0.05 + 0.1 * random.Random(self.headers["Idempotency-Key"]).random())
        photo = cv2.imdecode(np.frombuffer(said(page["image"]), np.uint8), cv2.IMREAD_COLOR_RGB)
        smooth = cv2.bilateralFilter(cv2.medianBlur(photo, 3), 7, 30 + int(said(page["seed"])) % 60, 3)
        return {"created": 1, "data": [{"b64_json": base64.b64encode(png.encode(smooth)).decode()}]}

    def do_POST(self):  # noqa: N802  the library's name
        try:
            super().do_POST()
        except (BrokenPipeError, ConnectionResetError):  # who asked is dead
            self.close_connection = True


def ordered(house) -> list[str]:
    """Return the keys of all requests so far, in the order in which they came."""
    with house.lock:
        return [one.headers["Idempotency-Key"] for one in house.seen]


def kept(folder: Path) -> set[str]:
    """Return the keys of the candidates that are kept."""
    return {path.stem for path in (folder / "candidates").rglob("*.json")}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("engine", ["serial", "ray"])
def test_no_paid_call_is_made_twice(web, tmp_path, engine):
    """Ten kills while a server works: nothing that was kept is ordered again, what was under way is, by the same key, and billed once."""
    dice = random.Random(11)
    with serving(Till) as house:
        house.billed = set()
        page = copy.deepcopy(PAGE)
        settings = {"url": url(house), "model": Editor.model, "at_once": AT_ONCE}
        page["real"]["makers"] = {"paid": {"kind": "images_server", "candidates": 8 if engine == "serial" else 20, "settings": settings}}
        words, folder = command(tmp_path, page, web, engine), tmp_path / "run"
        workers, lost = (1 if engine == "serial" else 2), 0
        for _ in range(10):
            there, before = kept(folder), len(ordered(house))
            more, pause = dice.randint(1, 3), dice.uniform(0.0, 0.15)

            def due(before=before, more=more, pause=pause) -> bool:
                if len(ordered(house)) < before + more:
                    return False
                time.sleep(pause)
                return True

            assert killed(words, due), "it ended before it was killed"
            time.sleep(0.5)  # what the dead sent has arrived
            asked, now = ordered(house)[before:], kept(folder)
            assert not there & set(asked), "a candidate that was kept was ordered again"
            assert there <= now
            lost += len(set(asked) - now)
            assert len(set(asked) - now) <= AT_ONCE * workers
        there, before = kept(folder), len(ordered(house))
        finish(words)
        assert not there & set(ordered(house)[before:])
        every = ordered(house)
    assert len(every) - len(set(every)) <= lost <= 10 * AT_ONCE * workers
    assert set(every) == house.billed == kept(folder)
    assert len(house.billed) == sum(row["others"] is not None for row in read_table(load(folder).manifest).to_pylist()) > 40


def rows_of(calm: Run) -> list[dict[str, Any]]:
    """Return four rows of candidates of a finished run."""
    return [row for row in read_table(calm.manifest).to_pylist() if row["clean_sha256"]][:4]


@pytest.mark.slow
def test_one_deadly_photo_costs_its_batch_nothing(calm, web, tmp_path, monkeypatch):
    """When a batch kills its process, its photos are tried one by one: the deadly one is refused with its reason, the others are made."""
    folder = tmp_path / "run"
    shutil.copytree(calm.folder, folder, ignore=shutil.ignore_patterns("candidates"))
    rows, told = rows_of(calm), making.who(calm)
    monkeypatch.setenv("PYTHONPATH", str(DEADLY))
    photo = tmp_path / "deadly.jpg"
    photo.write_bytes(cv2.imencode(".jpg", cv2.imread(rows[2]["photo_uri"]))[1].tobytes() + b"DEADLY-crash")
    rows[2] |= {"photo_uri": str(photo), "photo_sha256": commit.sha256(photo.read_bytes())}
    settings = calm.recipe.real.makers["mine"].opened_settings()
    task = {"run": str(folder), "name": "mine", "kind": "command", "settings": settings, "batch": 4, "rows": rows}
    with Cell(Limits(60.0, memory_bytes=0)) as cell:
        assert cell.run("pipelines.real.making:work", task) == {"": 3, "crashed": 1}
    there = orders.candidates(replace(calm, folder=folder))
    with pytest.raises(BadSample, match="ended the process"):
        there.picture(orders.key(rows[2], told))
