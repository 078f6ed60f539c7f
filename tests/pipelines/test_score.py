"""Scores over a finished run: resumed, the same whoever does the work, every failure named, from the command line without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from degrade.errors import RecipeError, RunError
from manifests import scores, shards
from manifests.commit import parquet_notes, read_table, sha256, write_table
from manifests.schema import PAIR
from pipelines import score as verb
from pipelines.build import books
from pipelines.engine import Engine, Options
from pipelines.guard import WorkStopped
from pipelines.recipe import parse
from pipelines.scoring import feed
from pipelines.select import select

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "filters"))
ROOT = Path(__file__).resolve().parents[2]


def limited(run, **pages):
    """The run with scorers and limits."""
    page = parse({"tasks": {"noise": {}}, **pages})
    return replace(run, recipe=run.recipe.model_copy(update={"score": page.score, "select": page.select}))


def scored(run, *names: str, on="pairs", engine="serial"):
    """Score a run here."""
    with Engine(Options(engine, 2 if engine == "ray" else None)) as machine:
        return verb.score(run, machine, on, names)


def numbers(run, name):
    """All numbers of a scorer, by pair."""
    found, _ = scores.by_key(run.folder, "pairs")
    return {key: {measure: value for measure, value in row.items() if measure.startswith(f"{name}.")} for key, row in found.items()}


@pytest.fixture(scope="module")
def judged(tmp_path_factory, finished):
    """A copy of the finished run, scored by a filter that needs no model."""
    import shutil

    folder = tmp_path_factory.mktemp("judged") / "run"
    shutil.copytree(finished.folder, folder)
    run = replace(finished, folder=folder)
    scored(run, "evidence")
    return run


def test_every_pair_has_its_numbers_and_a_second_run_has_nothing_to_do(judged):
    """All rendered pairs are scored once, and the manifest carries the numbers under the scorer's name."""
    pairs = {row["pair_id"] for row in read_table(judged.manifest, ["pair_id", "verdict"]).to_pylist() if row["verdict"] == "keep"}
    assert numbers(judged, "evidence").keys() == pairs
    (again,) = scored(judged, "evidence")
    assert again.scored == 0
    select(judged)
    rows = [row for row in read_table(judged.manifest).to_pylist() if row["verdict"] == "keep"]
    assert all(0 <= dict(row["scores"])["evidence.explained"] <= 1 and "psnr_db" in dict(row["scores"]) for row in rows)


def test_ray_gives_the_same_numbers(judged, scratch):
    """Actors on Ray write what one process writes."""
    scored(scratch, "evidence", engine="ray")
    assert numbers(scratch, "evidence") == numbers(judged, "evidence")


def test_a_lost_shard_is_scored_again_and_no_other(judged):
    """Resuming scores what is missing."""
    shard = shards.committed(judged.folder)[0]
    before = numbers(judged, "evidence")
    path = scores.shard_path(judged.folder, "evidence", "pairs", shard)
    path.unlink()
    (again,) = scored(judged, "evidence")
    rows = read_table(shards.rows_path(judged.folder, shard), ["verdict"]).column("verdict").to_pylist()
    assert again.scored == rows.count("keep")
    assert numbers(judged, "evidence") == before


def test_other_settings_do_not_mix(judged):
    """Numbers made otherwise are refused with the difference, not overwritten and not mixed."""
    other = limited(judged, score={"pairs": {"evidence": {"all_tasks": True}}})
    with pytest.raises(RunError, match=r"settings\.all_tasks: False -> True"):
        scored(other, "evidence")


def test_a_limit_refuses_by_number_and_by_task(judged):
    """The survival table counts what a limit takes, alone and in order; a task's own interval counts for it alone; rejects keep their numbers."""
    asked = limited(judged, select={"limits": {"evidence.explained": [0.5, 1.0], "evidence.strength": {"noise": [6.0, 99.0]}}})
    falls = select(asked)
    rows = [row for row in read_table(asked.manifest).to_pylist() if row["scores"]]
    low = [row for row in rows if dict(row["scores"])["evidence.explained"] < 0.5]
    weak = [row for row in rows if row["task"] == "noise" and dict(row["scores"])["evidence.strength"] < 6.0]
    assert [fall.alone for fall in falls] == [len(low), len(weak)]
    assert falls[1].in_order == len([row for row in weak if row not in low]) > 0
    assert {row["verdict"] for row in [*low, *weak]} == {"reject"}
    assert all(row["reason"] == "below_limit" and row["detail"].startswith("evidence.") for row in [*low, *weak])
    assert books(asked).closed
    select(judged)


def test_a_limit_on_what_was_never_scored_says_what_to_run(scratch):
    """A limit without numbers behind it is an error with the command that gets them; so is a name that the scorer does not have."""
    asked = limited(scratch, select={"limits": {"evidence.explained": [0.5, 1.0]}})
    with pytest.raises(RunError, match=r"patina score .* --only evidence"):
        select(asked)


def test_a_number_that_the_scorer_does_not_give_is_refused(judged):
    """The nearest name is offered."""
    with pytest.raises(RunError, match=r"did you mean `evidence\.explained`"):
        select(limited(judged, select={"limits": {"evidence.explaned": [0.5, 1.0]}}))


def test_a_shard_that_is_away_or_damaged_stops_the_job_until_it_is_mended(scratch, judged):
    """Pairs of a tar that is gone, or has a flipped byte, are not written down as broken: mended, they have their numbers."""
    shard = shards.committed(scratch.folder)[0]
    row = next(row for row in read_table(shards.rows_path(scratch.folder, shard)).to_pylist() if row["verdict"] == "keep")
    tar = shards.tar_path(scratch.folder, shard)
    whole = tar.read_bytes()
    middle = row["degraded_offset"] + row["degraded_length"] // 2
    tar.unlink()
    with pytest.raises(WorkStopped, match="is gone"):
        scored(scratch, "evidence")
    tar.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    with pytest.raises(WorkStopped, match="patina verify"):
        scored(scratch, "evidence")
    tar.write_bytes(whole)
    (done,) = scored(scratch, "evidence")
    assert not done.unscored
    assert numbers(scratch, "evidence") == numbers(judged, "evidence")


def test_a_member_that_is_no_picture_costs_its_pair_and_nothing_else(scratch):
    """Bytes that are what their row says, and no picture, give a row with a reason; the rest has numbers; a limit refuses the pair by that reason."""
    shard = shards.committed(scratch.folder)[0]
    path = shards.rows_path(scratch.folder, shard)
    rows = read_table(path).to_pylist()
    row = next(row for row in rows if row["verdict"] == "keep")
    nothing = bytes(row["degraded_length"])
    row["degraded_sha256"] = sha256(nothing)
    with open(shards.tar_path(scratch.folder, shard), "r+b") as file:
        file.seek(row["degraded_offset"])
        file.write(nothing)
    write_table(path, pa.Table.from_pylist(rows, PAIR), parquet_notes(path))
    (done,) = scored(scratch, "evidence")
    assert done.unscored == {"decode_failed": 1}
    asked = limited(scratch, select={"limits": {"evidence.explained": [0.0, 1.0]}})
    select(asked)
    (refused,) = [found for found in read_table(asked.manifest).to_pylist() if found["pair_id"] == row["pair_id"]]
    assert (refused["verdict"], refused["decided_by"], refused["reason"]) == ("reject", "score", "decode_failed")
    assert refused["detail"].startswith("evidence: the degraded side")
    assert books(asked).closed


def test_unknown_scorers_and_settings_are_refused_with_the_nearest():
    """A recipe cannot name a scorer or a setting that does not exist."""
    for score, told in (
        ({"pairs": {"evidense": {}}}, "did you mean `evidence`"),
        ({"pairs": {"evidence": {"all_task": True}}}, "did you mean `all_tasks`"),
    ):
        with pytest.raises(RecipeError, match=told):
            parse({"tasks": {"noise": {}}, "score": score})


def test_a_scorer_of_pairs_alone_is_not_asked_for_photos(finished):
    """What needs two sides says so."""
    with pytest.raises(RecipeError, match="`fidelity` cannot score photos, only pairs"):
        verb.wanted(finished, "photos", ("fidelity",))


def test_usable_photos_are_scored_too(scratch):
    """Photos of the index get numbers under their hash, before any pair exists."""
    scored(scratch, "evidence", on="photos")
    found, failed = scores.by_key(scratch.folder, "photos")
    usable = {row["sha256"] for row in read_table(scratch.index, ["sha256", "verdict"]).to_pylist() if row["verdict"] == "keep"}
    assert found.keys() == usable
    assert not failed
    assert all("evidence.sign.noise" in row for row in found.values())


def test_threads_feed_in_order():
    """Items that are prepared by several threads come out in their own order, refusals among them."""

    class Length:
        maker = "length"

        def prepare(self, item):
            if item == "bad":
                from degrade.errors import BadSample, Reason

                raise BadSample(Reason.DECODE_FAILED, "cut")
            return len(item)

        def score(self, prepared):
            from filters.contract import Scores

            return [Scores({"length": float(one)}) for one in prepared]

    names = [f"{'x' * at}" if at % 5 else "bad" for at in range(1, 60)]
    items = [(f"{at}", lambda name=name: name) for at, name in enumerate(names)]
    said: list[str] = []
    found = list(feed._outcomes(Length(), items, {"7": ["crashed", "twice"]}, said.append, batch=4, threads=3))
    assert [key for key, _ in found] == [key for key, _ in items]
    lengths = [None if not hasattr(outcome, "numbers") else int(outcome.numbers["length"]) for _, outcome in found]
    assert lengths == [None if name == "bad" or at == 7 else len(name) for at, name in enumerate(names)]
    assert said


BLOCKED = """
import socket
def refuse(self, address):
    if self.family != socket.AF_UNIX:
        raise AssertionError(f"a connection to {address} was asked for")
socket.socket.connect = refuse
"""


def test_every_scorer_runs_from_the_command_line_without_a_network(scratch, tmp_path):
    """Tiny checkpoints, saved as a user's would be, are scored over a run by `patina score` and selected, with sockets blocked in every process."""
    pytest.importorskip("torch", reason="pip install 'patina[all]'")
    import tiny_clip
    import tiny_dino
    import tiny_timm

    from benchmarks.random_qwen import SHAPES, save

    save(tmp_path / "qwen", SHAPES["tiny"])
    pages = {
        "alignment": {},
        "clean": {},
        "consistency": {},
        "clip": {"model": str(tiny_clip.save(tmp_path / "clip")), "tiles": 2},
        "evidence": {},
        "fidelity": {"lpips": "alex", "lpips_weights": str(tiny_dino.backbone(tmp_path / "alex.pth")), "dino": str(tiny_dino.tiny_dino(tmp_path / "dino"))},
        "severity": {"model": str(tmp_path / "qwen")},
        "watermark": {"model": str(tiny_timm.timm_folder(tmp_path / "mark", ["watermark", "clean"]))},
    }
    recipe = {"tasks": {"noise": {}}, "score": {"pairs": pages}, "select": {"limits": {"clip.claim": [0.0, 1.0], "severity.drop": [-4.0, 4.0]}}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'blocked'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pipelines", "score", str(scratch.folder), "--recipe", str(tmp_path / "recipe.yaml"), "--engine", "serial", "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    told = {one["name"]: one for one in json.loads(answer.stdout)}
    assert told.keys() == pages.keys()
    assert {one["scored"] for one in told.values()} == {len(numbers(scratch, "clean"))}
    assert not any(one["unscored"] for one in told.values())
    select(limited(scratch, **{key: recipe[key] for key in ("score", "select")}))
    rows = [dict(row["scores"]) for row in read_table(scratch.manifest).to_pylist() if row["scores"]]
    assert all({"clip.claim", "severity.drop", "fidelity.lpips", "fidelity.dino", "watermark.clean", "evidence.strength"} <= row.keys() for row in rows)
    vectors = dict(scores.vectors(scratch.folder, next(kept for kept in scores.kept(scratch.folder, "pairs") if kept.name == "clip"), "image"))
    assert np.allclose([np.linalg.norm(vector) for vector in vectors.values()], 1.0, atol=1e-2)
