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
from degrade.errors import RunError
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


def test_photos_of_one_name_are_refused(wild, tmp_path):
    """Their truths would take each other's place, or one would be learned from while the other is restored: told before anything is made."""
    copies = [tmp_path / "photos" / name for name in ("face.jpg", "face.png")]
    for copy in copies:
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((wild / "face.png").read_bytes())
    for refused in (lambda: web.make(copies, tmp_path / "web", tmp_path / "truth"), lambda: web.halves(copies[0].parent)):
        with pytest.raises(RunError, match=r"face\.jpg and .*face\.png have one name"):
            refused()
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_photos_that_are_all_too_small_are_told(tmp_path):
    """The message says what is large enough."""
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((100, 600, 3), np.uint8))
    with pytest.raises(RunError, match=rf"of 1 photos none .*{web.SIDE_PX} px"):
        web.make([tmp_path / "small.png"], tmp_path / "web", tmp_path / "truth")


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


@pytest.mark.parametrize(("words", "before"), [(["--steps", "9"], "--steps 5"), ([], "--steps 5"), (["--steps", "5"], None)])
def test_weights_of_another_training_are_refused(tmp_path, words, before):
    """Networks that are there are used if they were trained for as long as is asked for; otherwise the words say how long, before any work."""
    for task in web.TASKS:
        weights = tmp_path / "weights" / task / "lessons.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"")
        (weights.parent / "table.json").write_text(json.dumps({"length": before} if before else {}))
    given = chain.options(["--out", str(tmp_path), *words])
    with pytest.raises(RunError, match=rf"compression holds a network of {before or 'a length that is not told'}, not of {' '.join(words) or '--minutes 5'}: "):
        chain.taught(given, [])
    assert not (tmp_path / "lessons.yaml").exists()


@pytest.mark.parametrize("words", [["--steps", "0"], ["--minutes", "0"]])
def test_a_chain_without_training_is_refused(words, capsys):
    """No steps are not the five minutes of the default."""
    with pytest.raises(SystemExit):
        chain.options(["--out", "x", *words])
    assert f"argument {words[0]}: 0 {words[0][2:]} are no training" in capsys.readouterr().err


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
    with pytest.raises(RunError, match="holds a network of --steps 4, not of --steps 5"):
        chain.main([*words, "--steps", "5"])
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
