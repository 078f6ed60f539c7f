"""Real pairs end to end: degraded photos in, gated, restored by somebody else's program, put back, scored, the best kept, the books closed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from real_page import PAGE

from degrade.errors import RunError
from manifests import pictures
from manifests.commit import read_table
from manifests.page.reviews import ReviewLog, reviewed
from pipelines import build as building
from pipelines import inspect, replay, verify
from pipelines.engine import Engine, Options
from pipelines.makers.unfinished import Unfinished
from pipelines.photos.sources import Source
from pipelines.real import making, orders
from pipelines.recipe import parse
from pipelines.run import create
from pipelines.select import select

NAMES = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png")
@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Path:
    """Photos as the web might have them: noisy ones, dark ones, one that nobody can restore, and clean ones."""
    from skimage import data

    folder = tmp_path_factory.mktemp("web")
    noise = np.random.default_rng(3)
    for name in NAMES:
        photo = cv2.imread(str(Path(data.__file__).parent / name))[:400, :400]
        cv2.imwrite(str(folder / f"noisy_{name}.png"), np.clip(photo + noise.normal(0, 14, photo.shape), 0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / f"dark_{name}.png"), np.clip(photo * (0.13 if name != "rocket.jpg" else 0.04), 0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / f"good_{name}.png"), photo)
    return folder


def make(folder: Path, web: Path, page: dict = PAGE, engine: str = "serial"):
    """Build a real run."""
    sources = (Source(path=str(web)),)
    run = create(folder, parse(page), json.dumps(page), sources)
    with Engine(Options(engine, 2 if engine == "ray" else None)) as machine:
        building.build(run, sources, machine)
    return run


@pytest.fixture(scope="module")
def built(tmp_path_factory, web):
    """A finished real run that tests only read."""
    return make(tmp_path_factory.mktemp("real") / "run", web)


def rows_of(run):
    """All rows of the manifest."""
    return read_table(run.manifest).to_pylist()


def test_the_books_close_and_every_refusal_has_a_reason(built):
    """Every usable photo is a pair, a refusal of the gate, of the maker, of a limit, or not the best."""
    books = building.books(built)
    assert books.closed
    assert (books.photos, books.kept) == (12, 7)
    assert books.refused == {"not_degraded": 4, "not_the_best": 7, "no_candidate": 2}
    assert all((row["verdict"] == "keep") == (row["reason"] is None) for row in rows_of(built))


def test_a_photo_goes_to_the_task_that_it_shows(built):
    """Noisy photos became noise pairs, dark ones low light, and the plan says how badly."""
    for row in rows_of(built):
        if row["verdict"] == "keep":
            kind = Path(row["photo_uri"]).name.partition("_")[0]
            assert (kind, row["task"]) in {("noisy", "noise"), ("dark", "low_light")}
            assert row["origin"] == "real"
            assert 1 <= row["stratum"] <= 5
            assert json.loads(row["makers"]) == {"clean": "mine"}


def test_what_the_maker_moved_is_put_back(built):
    """The program rolled its pictures by (2, -1) px; the pairs lie on each other, and the row says what was undone."""
    for row in rows_of(built):
        if row["verdict"] == "keep":
            numbers = dict(row["scores"])
            assert numbers["restore.shift_px"] == pytest.approx(5**0.5, abs=0.3)
            assert numbers["alignment.shift_px"] < 0.3
            assert (row["width"], row["height"]) == (224, 224)


def test_the_degraded_side_is_the_photo_itself(built, web):
    """No pixel of the photo is touched: the crop without its margin, at its own scale."""
    row = next(row for row in rows_of(built) if row["verdict"] == "keep")
    photo = cv2.cvtColor(cv2.imread(row["photo_uri"]), cv2.COLOR_BGR2RGB)
    top, left = row["crop_y"] + 16, row["crop_x"] + 16
    stored = pictures.decode(replay.stored(built, row, "degraded"))
    assert np.array_equal(stored, photo[top : top + 224, left : left + 224])


def test_selecting_from_what_was_joined_before_writes_the_same_bytes(built, tmp_path):
    """A manifest does not tell whether the shards and scores had been joined by a job that was killed."""
    copy = tmp_path / "run"
    shutil.copytree(built.folder, copy)
    run = replace(built, folder=copy)
    shutil.rmtree(run.joined)
    select(run)
    first = run.manifest.read_bytes()
    select(run)
    assert run.manifest.read_bytes() == first == built.manifest.read_bytes()


def test_the_page_tells_what_was_ordered(built):
    """Every pair of a real run opens on the page, and says of whom its clean side was ordered, with which prompt and seed."""
    opened = inspect.opened_for_looking(built.folder)
    for row in rows_of(built):
        told = dict(opened.story(row["pair_id"])["provenance"])
        if row["others"]:
            order = json.loads(row["others"])[0]
            assert [told[f"ordered: {name}"] for name in ("maker", "prompt", "seed")] == ["mine", order["prompt"], str(order["seed"])]
            assert opened.parameters(row["task"])["words"]
    assert opened.overview()
    assert opened.scores()


def test_of_two_candidates_the_better_is_kept(built):
    """The kept candidate has the larger sum of the stated scores, and the other says so."""
    photos: dict[str, list[dict]] = {}
    for row in rows_of(built):
        if row["clean_sha256"] and dict(row["scores"]).get("evidence.explained") is not None:
            photos.setdefault(row["photo_sha256"], []).append(row)
    for rows in photos.values():
        (kept,) = [row for row in rows if row["verdict"] == "keep"]
        (other,) = [row for row in rows if row["reason"] == "not_the_best"]
        assert dict(kept["scores"])["evidence.explained"] >= dict(other["scores"])["evidence.explained"]
        assert kept["pair_id"] in other["detail"]
        assert other["decided_by"] == "best"


def test_a_run_is_proved_and_replayed_as_any_other(built):
    """Every committed byte is as written, and a pair is rendered again from its row and its candidate."""
    assert not verify.prove(built).faults
    row = next(row for row in rows_of(built) if row["verdict"] == "keep")
    assert replay.replay(built, row).answer == "exact"


def test_nothing_is_made_twice(built, tmp_path, monkeypatch):
    """A second run that shares the candidates never asks the maker; a lost shard is made again from what was kept."""
    asked = []
    monkeypatch.setattr(making, "_tasks", lambda *args: asked.extend(args[4]) or iter(()))
    copy = tmp_path / "run"
    shutil.copytree(built.folder, copy)
    again = replace(built, folder=copy)
    shard = next((copy / "shards").glob("*.parquet"))
    before = shard.read_bytes()
    shard.unlink()
    from pipelines.render import render

    with Engine(Options("serial")) as machine:
        render(again, machine)
    assert not asked
    assert shard.read_bytes() == before


def test_ray_makes_the_same_pairs(built, web, tmp_path):
    """Two workers write the rows and pictures of one."""
    other = make(tmp_path / "run", web, engine="ray")
    names = ["pair_id", "verdict", "reason", "clean_sha256", "degraded_sha256", "shard"]
    assert read_table(other.manifest, names).to_pylist() == read_table(built.manifest, names).to_pylist()


def test_another_revision_of_a_maker_is_not_mixed_in(built, tmp_path):
    """A run that began with one version of a program refuses to go on with another, and says what changed."""
    copy = tmp_path / "run"
    shutil.copytree(built.folder, copy)
    page = json.loads(json.dumps(PAGE))
    page["real"]["makers"]["mine"]["settings"]["version"] = "2"
    run = replace(built, folder=copy, recipe=parse(page))
    with Engine(Options("serial")) as machine, pytest.raises(RunError, match=r"version: 1 -> 2|version 2"):
        making.open_all(run, run.recipe.real, machine)


def test_a_candidate_is_named_by_what_decides_it(built):
    """Another prompt, seed, crop or maker is another candidate; another place in the plan is not."""
    row = next(row for row in rows_of(built) if row["verdict"] == "keep")
    told = making.who(built)
    name = orders.key(row, told)
    assert orders.key({**row, "variant": 9, "shard": "other"}, told) == name
    for field, value in (("crop_x", row["crop_x"] + 1), ("task", "rain"), ("others", row["others"].replace('"seed": ', '"seed": 1'))):
        assert orders.key({**row, field: value}, told) != name
    assert orders.key(row, {"mine": {**told["mine"], "maker": "else"}}) != name


def test_what_was_paid_for_is_kept_when_a_maker_stops_in_mid_batch(built, tmp_path, monkeypatch):
    """Of a batch that could not be finished, the candidates that came are kept before the job stops."""
    rows = [row for row in rows_of(built) if row["verdict"] == "keep"][:2]
    told = making.who(built)
    first, second = (orders.key(row, told) for row in rows)

    class Tired:
        name = told["mine"]["maker"]

        def make(self, ordered):
            raise Unfinished("the server has gone: try later", {ordered[0].key: ordered[0].pixels})

    copy = tmp_path / "run"
    shutil.copytree(built.folder, copy, ignore=shutil.ignore_patterns("candidates"))
    monkeypatch.setattr(making, "opened", lambda *_: Tired())
    task = {"run": str(copy), "name": "mine", "kind": "command", "settings": {}, "batch": 2, "rows": rows, "skip": {}}
    with pytest.raises(Unfinished, match="try later"):
        making.work(task, lambda _: None)
    kept = orders.candidates(replace(built, folder=copy))
    assert kept.has(first)
    assert not kept.has(second)


def test_answers_are_kept_as_they_arrive(built, tmp_path, monkeypatch):
    """Of a maker that gives one candidate after the other, each is kept before the next is waited for; a task that is done again asks for the rest."""
    folder = tmp_path / "run"
    shutil.copytree(built.folder, folder, ignore=shutil.ignore_patterns("candidates"))
    there, told, asked = orders.candidates(replace(built, folder=folder)), making.who(built), []

    class Slow:
        name = told["mine"]["maker"]

        def each(self, ordered):
            for order in ordered:
                assert all(there.has(key) for key in asked[:2])
                asked.append(order.key)
                if len(asked) == 3:
                    raise RunError("the server has gone")
                yield order.key, order.pixels

    monkeypatch.setattr(making, "opened", lambda *_: Slow())
    rows = [row for row in rows_of(built) if row["clean_sha256"]][:4]
    task = {"run": str(folder), "name": "mine", "kind": "command", "settings": {}, "batch": 4, "rows": rows, "skip": {}}
    with pytest.raises(RunError, match="has gone"):
        making.work(task, lambda _: None)
    assert making.work(task, lambda _: None) == {"": 4}
    names = [orders.key(row, told) for row in rows]
    assert asked == [*names[:3], *names[2:]]


def test_people_come_before_the_sum_of_scores(built, tmp_path):
    """A candidate that people reject makes room for the next; one that they accept is the best, whatever the sum says."""
    copy = tmp_path / "run"
    shutil.copytree(built.folder, copy)
    run = replace(built, folder=copy)
    rows = [row for row in rows_of(built) if row["reason"] == "not_the_best"]
    best_of = {row["photo_sha256"]: row["pair_id"] for row in rows_of(built) if row["verdict"] == "keep"}
    one, other = rows[0], next(row for row in rows if row["photo_sha256"] != rows[0]["photo_sha256"])
    log = ReviewLog(copy)
    log.append(reviewed(best_of[one["photo_sha256"]], "ann", "reject", "artefact"))
    log.append(reviewed(other["pair_id"], "ann", "accept"))
    select(run)
    ends = {row["pair_id"]: (row["verdict"], row["reason"]) for row in rows_of(run)}
    assert ends[one["pair_id"]] == ("keep", None)
    assert ends[best_of[one["photo_sha256"]]] == ("reject", "reviewed_out")
    assert ends[other["pair_id"]] == ("keep", None)
    assert ends[best_of[other["photo_sha256"]]] == ("reject", "not_the_best")
    assert building.books(run).closed
