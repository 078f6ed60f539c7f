"""The benchmark of the whole chain of real pairs: its parts by themselves, and all of it with a few steps of training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'patina[network]'")

from benchmarks.real_chain import __main__ as chain
from benchmarks.real_chain import classical, recipes, table, web
from benchmarks.real_chain.judged import Judged, made_as
from pipelines.recipe import parse

HERE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wild(tmp_path_factory, astronaut):
    """One photo as the web has it, in every way, and the truth."""
    folder = tmp_path_factory.mktemp("wild")
    cv2.imwrite(str(folder / "face.png"), cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR))
    assert web.make([folder / "face.png"], folder / "web", folder / "truth") == 4
    return folder


def test_photos_of_the_web_have_their_truth_beside_them(wild):
    """Every photo of the web has a truth of its size, far from it but for the one that was left good."""
    for path in sorted((wild / "web").iterdir()):
        shown, truth = cv2.imread(str(path)), cv2.imread(str(wild / "truth" / f"{path.name.rsplit('.', 1)[0]}.png"))
        assert shown.shape == truth.shape == (web.SIDE_PX, web.SIDE_PX, 3)
        task = made_as({"photo_uri": str(path)})
        assert cv2.PSNR(shown, truth) < 34 if task in web.TASKS else np.array_equal(shown, truth)


def test_photos_of_the_web_are_the_same_every_time(wild):
    """The same photos give the same bytes."""
    web.make([wild / "face.png"], wild / "again", wild / "truth_again")
    for path in (wild / "web").iterdir():
        assert (wild / "again" / path.name).read_bytes() == path.read_bytes()


def test_no_photo_is_in_both_halves(wild, tmp_path):
    """What networks learn from is not what they restore."""
    for number in range(7):
        (tmp_path / f"{number}.png").write_bytes(b"")
    learn, other = web.halves(tmp_path)
    assert (len(learn), len(other)) == (4, 3)
    assert not set(learn) & set(other)


@pytest.mark.parametrize("task", ["noise", "low_light"])
def test_the_program_without_weights_restores(wild, task):
    """Non-local means take noise away; a dark photo comes nearer to the truth."""
    (path,) = (wild / "web").glob(f"*.{task}.*")
    shown, truth = cv2.imread(str(path)), cv2.imread(str(wild / "truth" / f"face.{task}.png"))
    assert cv2.PSNR(classical.restored(shown, task), truth) > cv2.PSNR(shown, truth) + 0.2


def test_both_recipes_are_recipes(tmp_path):
    """The pages that the chain writes are what `patina build` reads."""
    assert set(parse(recipes.lessons()).tasks) == set(web.TASKS)
    real = parse(recipes.real(dict.fromkeys(web.TASKS, tmp_path / "net.safetensors"))).real
    assert sorted(real.makers) == ["classical", "network_compression", "network_low_light", "network_noise"]


def test_the_chosen_candidate_is_held_against_the_truth():
    """Of two photos with two candidates, the table says for how many the nearer to the truth was kept; a lost third counts for nothing."""
    truth = np.full((8, 8, 3), 100, np.uint8)

    def candidate(photo: str, off: int, reason: str | None) -> Judged:
        verdict = "reject" if reason else "keep"
        return Judged({"photo_sha256": photo, "verdict": verdict, "reason": reason, "task": "noise", "photo_uri": "x.noise.png"}, truth + 9, truth + off, truth)  # type: ignore[arg-type]

    pairs = [candidate("a", 2, None), candidate("a", 4, "not_the_best"), candidate("b", 4, None), candidate("b", 3, "not_the_best")]
    assert table.best_of([*pairs, candidate("c", 1, None), candidate("c", 0, "above_limit")]) == {"photos": 2, "nearest_chosen": 1}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_chain_closes_its_books(data, tmp_path):
    """Trained for a few steps, built, verified, replayed, exported and judged; a second run of it does nothing again."""
    words = ["--photos", str(data / "clean"), "--steps", "4", "--limit", "6", "--variants", "6", "--engine", "serial", "--out", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "benchmarks.real_chain", *words], check=True, cwd=HERE)
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["books"]["closed"]
    assert sum(told["gate"]["good"].values()) == sum(told["gate"]["noise"].values()) > 4
    made = {path: path.stat().st_mtime_ns for folder in ("weights", "web", "real/candidates", "real/shards") for path in (tmp_path / folder).rglob("*.*")}
    chain.main(words)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
