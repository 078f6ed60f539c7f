"""`patina bench`: pairing by names, the protocol on real photos with known severities, and what it writes."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from degrade.errors import BadSample, Reason, RecipeError, RunError
from filters.contract import Item, Scores
from pipelines import bench
from pipelines.couples import couples

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "filters"))


class Noisiness:
    """A severity scorer: the mean step between neighbours, as a level from 1 to 5; black pictures it does not judge."""

    maker = "noisiness 1"

    def prepare(self, item: Any) -> tuple[float, float]:
        return self._level(item.degraded.pixels), self._level(item.clean.pixels)

    def score(self, prepared: Sequence[tuple[float, float]]) -> list[Scores]:
        return [self._scores(*levels) for levels in prepared]

    def _level(self, pixels: np.ndarray) -> float:
        return min(5.0, 1 + float(np.abs(np.diff(pixels.astype(float), axis=1)).mean()) / 10)

    def _scores(self, degraded: float, clean: float) -> Scores:
        likeliest = {"drop_likeliest": float(round(degraded) - round(clean))}
        return Scores({"degraded": degraded, "clean": clean, "drop": degraded - clean, **likeliest, "abstain": float(degraded == 1)})


class Apart:
    """A fidelity scorer: the mean absolute difference as a share of white; it refuses pictures below 32 px."""

    maker = "apart 1"

    def prepare(self, item: Item) -> float:
        assert item.clean.pixels.shape == item.degraded.pixels.shape
        if min(item.clean.pixels.shape[:2]) < 32:
            raise BadSample(Reason.TOO_SMALL, "below 32 px")
        return float(np.abs(item.clean.pixels.astype(float) - item.degraded.pixels).mean() / 255)

    def score(self, prepared: Sequence[float]) -> list[Scores]:
        return [Scores({"lpips": one}) for one in prepared]


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture
def pictures(tmp_path, astronaut, rocket) -> tuple[Path, Path]:
    """Two tasks: a photo under strong noise restored well, one that was left as it is, and one at half size."""
    noise = np.random.Generator(np.random.Philox(1)).normal(0, 40, (512, 640, 3))
    degraded, restored = tmp_path / "degraded", tmp_path / "restored"
    for task, name, photo in (("noise", "a", astronaut), ("noise", "b", astronaut[:300]), ("rain", "a", rocket)):
        height, width = photo.shape[:2]
        save(degraded / task / f"{name}.png", np.clip(photo + noise[:height, :width], 0, 255).astype(np.uint8))
        save(restored / task / f"{name}.png", photo)
    shutil.copy(degraded / "noise" / "b.png", restored / "noise" / "b.png")
    save(restored / "rain" / "a.jpg", cv2.resize(rocket, None, fx=0.5, fy=0.5))
    (restored / "rain" / "a.png").unlink()
    (degraded / "README.md").write_text("not a picture")
    return degraded, restored


def judged(pictures: tuple[Path, Path], **options: Any) -> bench.Result:
    return bench.judge(couples(*pictures), Noisiness(), Apart(), **options)


def test_folders_pair_up_by_name_and_task(pictures):
    """Endings aside, each name has its partner, and the first folder is the task; one task may be named for all."""
    found = couples(*pictures)
    assert [(one.name, one.task) for one in found] == [("noise/a", "noise"), ("noise/b", "noise"), ("rain/a", "rain")]
    assert [one.restored.suffix for one in found] == [".png", ".png", ".jpg"]
    assert {one.task for one in couples(*pictures, task="blur")} == {"blur"}


def test_names_without_a_partner_are_errors(pictures, tmp_path):
    """What is missing on either side is counted and named, and so are two pictures of one name, empty folders and unknown tasks."""
    degraded, restored = pictures
    (tmp_path / "empty").mkdir()
    (restored / "noise" / "a.png").rename(restored / "noise" / "c.png")
    with pytest.raises(RunError, match=r"1 in .*degraded without a restored picture \(noise/a\); 1 in .*restored without a degraded one \(noise/c\)"):
        couples(degraded, restored)
    shutil.copy(restored / "noise" / "c.png", restored / "noise" / "c.bmp")
    with pytest.raises(RunError, match="have one name"):
        couples(degraded, restored)
    with pytest.raises(RunError, match="holds no picture"):
        couples(degraded, tmp_path / "empty")
    with pytest.raises(RunError, match="there is no folder"):
        couples(degraded, tmp_path / "nowhere")
    with pytest.raises(RecipeError, match="did you mean `rain`"):
        couples(degraded, degraded, task="rian")
    (degraded / "rain").rename(degraded / "rains")
    with pytest.raises(RecipeError, match=r"`rains/a`: say --task.*did you mean `rain`"):
        couples(degraded, degraded)


def test_the_scores_follow_the_pictures(pictures):
    """What was restored scores, what was left alone has LPIPS 0 and RS 0, and the average is over tasks."""
    result = judged(pictures)
    noise, rain, average = result.lines
    restored, same, _ = (verdict.judged for verdict in result.verdicts)
    assert restored.rs is not None
    assert restored.rs > 1
    assert restored.fs == pytest.approx(0.2 * (1 - restored.lpips) * restored.rs)
    assert (same.rs, same.lpips, same.fs) == (0, 0, 0)
    assert average.fs == pytest.approx((noise.fs + rain.fs) / 2)
    assert result.told == {"severity": "noisiness 1", "lpips": "apart 1", "reading": "likeliest"}


def test_another_size_is_brought_to_the_degraded_one_and_told(pictures):
    """A restored picture of half the size is compared at the degraded one's size, and its own is written down."""
    assert [verdict.resized_from for verdict in judged(pictures).verdicts] == ["", "", "320x214"]


def test_batches_do_not_matter(pictures):
    """One picture at a time or all at once: the same result."""
    assert judged(pictures, batch=1) == judged(pictures, batch=8)


def test_the_expected_level_is_finer_than_the_likeliest(pictures):
    """By expected levels RS is the difference of the levels themselves, by likeliest ones a whole number."""
    one = judged(pictures, reading="expected").verdicts[0]
    assert one.judged.rs == pytest.approx(one.severity["degraded"] - one.severity["clean"])
    assert judged(pictures).verdicts[0].judged.rs == round(judged(pictures).verdicts[0].judged.rs)


def test_unreadable_and_undecided_pictures_are_listed(pictures, tmp_path):
    """A broken file and a tiny one are rows with a reason, an undecided one a row without RS; the rest is judged as ever."""
    restored = pictures[1]
    alone = judged(pictures).lines[0]
    (restored / "rain" / "a.jpg").write_bytes(b"\xff\xd8\xff broken")
    for name, pixels in (("small", np.full((20, 20, 3), 9, np.uint8)), ("black", np.zeros((64, 64, 3), np.uint8))):
        for folder in pictures:
            save(folder / "noise" / f"{name}.png", pixels)
    result = judged(pictures)
    assert {(one.name, one.reason) for one in result.refused} == {("rain/a", "decode_failed"), ("noise/small", "too_small")}
    assert result.lines[0] == alone._replace(left_out=1)
    bench.write(result, tmp_path / "out")
    rows = {row["name"]: row for row in csv.DictReader((tmp_path / "out" / "pictures.csv").open())}
    assert len(rows) == 5
    assert (rows["noise/black"]["rs"], rows["noise/black"]["severity.abstain"]) == ("", "1.0")
    assert rows["rain/a"]["reason"] == "decode_failed"


def test_nothing_to_judge_is_an_error(pictures):
    """If every picture is broken the first is named, with its reason."""
    for path in pictures[1].rglob("*.*"):
        path.write_bytes(b"nothing")
    with pytest.raises(RunError, match="none of 3 pictures could be judged: noise/a: not_an_image"):
        judged(pictures)


def test_json_and_csv_tell_the_same(pictures, tmp_path):
    """bench.json, tasks.csv and pictures.csv hold one table and one row per picture, with what made the numbers."""
    result = judged(pictures)
    bench.write(result, tmp_path / "out")
    page = json.loads((tmp_path / "out" / "bench.json").read_text())
    table = list(csv.DictReader((tmp_path / "out" / "tasks.csv").open()))
    assert [float(row["fs"]) for row in table] == [line["fs"] for line in page["table"]] == [line.fs for line in result.lines]
    assert [row["name"] for row in csv.DictReader((tmp_path / "out" / "pictures.csv").open())] == [row["name"] for row in page["pictures"]]
    assert page["severity"] == "noisiness 1"


@pytest.fixture
def command(pictures, tmp_path, tmp_path_factory):
    """The command with the folders given, as a function of further arguments; its answer."""
    tiny_qwen = pytest.importorskip("tiny_qwen")
    from tiny_dino import backbone
    from typer import Typer
    from typer.testing import CliRunner

    from pipelines import cli_bench

    app = Typer()
    cli_bench.add_to(app)
    given = ["--degraded", pictures[0], "--restored", pictures[1], "--out", tmp_path / "out", "--device", "cpu"]
    models = ["--severity-model", tiny_qwen.saved(tmp_path_factory), "--lpips-weights", backbone(tmp_path / "alex.pth")]
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in (*given, *models, *arguments)])


def test_the_command_on_tiny_checkpoints(command, tmp_path, monkeypatch):
    """From the command line with sockets blocked: Qwen3-VL and AlexNet of random weights give a table, and all files."""
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    answer = command("--least-answered", 0)
    assert answer.exit_code == 0, answer.output
    assert "average" in answer.output
    page = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert [line["task"] for line in page["table"]] == ["noise", "rain", "average"]
    assert page["pictures"][1]["lpips"] == 0  # left as it was
    assert {picture["resized_from"] for picture in page["pictures"]} == {"", "320x214"}


def test_a_refused_picture_opens_the_exit_code(command, pictures):
    """With a broken picture the table is printed, the picture named, and the exit code 1; --json tells the same."""
    (pictures[1] / "rain" / "a.jpg").write_bytes(b"nothing")
    answer = command("--least-answered", 0, "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["refused"][0]["name"] == "rain/a"


def test_what_the_command_cannot_mean(command):
    """Settings out of range, unknown presets and models that answer with no level are errors in one line."""
    assert isinstance(command("--least-answered", 2).exception, RecipeError)
    assert "prompt" in str(command("--prompt", "best").exception)
    assert "lpips: " in str(command("--lpips-net", "alexnet").exception)
    assert "committed itself on none" in str(command("--least-answered", 1).exception)
