"""Writing on photos: rendered where it should be, and its effect on a score measured."""

from __future__ import annotations

import json

import cv2
import numpy as np
from tiny_qwen import saved, scorer

from filters.contract import Photo, Scores
from filters.vlm import steering
from filters.vlm.backend import Question


def test_words_are_written_low_and_whole(astronaut, rocket):
    """Only the lower part changes, the letters keep off the sides, and the photo handed in stays as it is."""
    for photo in (astronaut, rocket):
        before = photo.copy()
        for words in (*steering.TRIES, *steering.TRIES.values()):
            rows, columns = np.nonzero((steering.write(photo, words) != photo).any(2))
            assert rows.min() > 0.75 * photo.shape[0]
            assert 0 < columns.min() < columns.max() < photo.shape[1] - 1
        assert np.array_equal(photo, before)


def test_neutral_words_are_as_long_as_those_they_stand_for():
    """A try and its comparison differ by at most two letters, so that letters alone explain nothing."""
    for words, neutral in steering.TRIES.items():
        assert abs(len(words) - len(neutral)) <= 2


class Reads:
    """A scorer that believes what bright pixels say: its score is their share in the lower part."""

    maker = "reads"

    def prepare(self, item):
        return item.pixels

    def score(self, prepared):
        return [Scores({"photo": 1 + 4 * float((pixels[int(0.75 * len(pixels)) :] == 255).mean())}) for pixels in prepared]


def test_the_shift_is_the_difference_to_neutral_words(astronaut):
    """Means and extremes are over photos; what letters do by themselves is told apart."""
    photos = [Photo("a", astronaut // 2, task="haze"), Photo("b", astronaut // 4, task="haze")]
    [same, other] = steering.measure(Reads(), photos, {"iii": "iii", "WWW": "iii"})
    assert (same.mean, same.largest, same.photos) == (0.0, 0.0, 2)
    assert same.writing > 0
    assert other.mean > 0.01
    assert other.largest >= other.mean
    assert other.writing == same.writing


def test_photos_without_a_score_are_left_out(astronaut):
    """Where the model gave no digit there is nothing to compare, and the count says so."""

    class Silent(Reads):
        def score(self, prepared):
            return [Scores({}) for _ in prepared]

    [told] = steering.measure(Silent(), [Photo("a", astronaut, task="haze")], {"a": "b"})
    assert told.photos == 0
    assert np.isnan(told.mean)


def test_the_race_reports(tmp_path_factory):
    """All protocols are timed on one model, for one, two and nine questions about a picture, and each has a line in the table."""
    saved(tmp_path_factory)
    from benchmarks import severity_speed

    figures = severity_speed.measure("tiny", "cpu", batch=2, rounds=1, area_px=64 * 64)
    raced = {name: {told["tokens_written"] for told in figures["protocols"] if told["asked"] == name} for name in severity_speed.texts()}
    assert raced == {"one question": {0, 7, 32, 64}, "two wordings": {0, 32}, "nine tasks": {0, 32}}
    assert severity_speed.table(figures).count("\n") == 1 + len(figures["protocols"])


def test_the_command_reports_the_shift(tmp_path_factory, tmp_path, astronaut, capsys):
    """The command opens photos of a folder, prints a line per try, and writes the same as JSON."""
    from benchmarks import severity_steering

    cv2.imwrite(str(tmp_path / "a.png"), astronaut[:256, :256])
    told = tmp_path / "told.json"
    severity_steering.main(["--model", str(saved(tmp_path_factory)), "--photos", str(tmp_path), "--json", str(told)])
    printed = capsys.readouterr().out
    rows = json.loads(told.read_text())["shifts"]
    assert [row["words"] for row in rows] == list(steering.TRIES)
    assert all(row["words"] in printed and row["photos"] == 1 and np.isfinite(row["mean"]) for row in rows)
    assert any(row["mean"] for row in rows)


def test_generated_answers_are_as_long_as_asked(tmp_path_factory):
    """The protocol that is raced against writes every token it is timed for."""
    from benchmarks import severity_speed

    local = scorer(saved(tmp_path_factory))._backend
    asked = [Question((picture,), "How strong is the rain?") for picture in severity_speed.pictures(2, 64 * 64)]
    inputs = local.inputs(asked)
    written = local.model.generate(**inputs, max_new_tokens=5, min_new_tokens=5, do_sample=False)
    assert written.shape == (2, inputs["input_ids"].shape[1] + 5)
    assert len(severity_speed.generate(local, asked, 5)) == 2
