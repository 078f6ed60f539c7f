"""Questions about the same pictures share the reading of them, and get the answers that each gets alone."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_qwen import saved, scorer

from filters.contract import Pair, Photo
from filters.vlm.backend import Question


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory)


@pytest.fixture(scope="module")
def local(folder):
    return scorer(folder)._backend


@pytest.fixture(scope="module")
def questions(astronaut, rocket):
    """Two wordings about a wide picture, three about two parts of another, one of them begun, and a single one about a small one."""
    wide, parts, small = (rocket[:96, :160],), (astronaut[:96, :96], astronaut[200:264, :64]), (rocket[:64, :64],)
    return [
        Question(wide, "How strong is the haze?"),
        Question(parts, "Rate the noise of this photo, with one digit."),
        Question(wide, "You inspect photographs for haze and for nothing else. Reply with the digit only."),
        Question(small, "How strong is the rain?"),
        Question(parts, "Noise?", "Severity: "),
        Question(parts, "How strong is the noise?\nOne digit."),
    ]


def rows_read(local, monkeypatch):
    """Return a list that grows by the number of patches of every pass through the eyes."""
    rows, eyes = [], local.model.base_model.visual
    whole = eyes.forward
    monkeypatch.setattr(eyes, "forward", lambda patches, **rest: rows.append(len(patches)) or whole(patches, **rest))
    return rows


def test_together_they_get_what_each_gets_alone(local, questions):
    """Sharing moves no log-probability by more than 1e-4, whatever stands beside a question, and answers differ."""
    together = local.digits(questions)
    for question, told in zip(questions, together, strict=True):
        assert np.allclose(told, local.digits([question])[0], atol=1e-4)
    assert np.ptp([told[0] for told in together]) > 1e-2
    for told, again in zip(together, local.digits(questions[::-1])[::-1], strict=True):
        assert np.allclose(told, again, atol=1e-4)


def test_a_picture_is_read_once_for_all_that_is_asked_about_it(local, questions, monkeypatch):
    """The eyes see every picture once, in patches of 16 px, not once per question."""
    rows = rows_read(local, monkeypatch)
    local.digits(questions)
    assert sum(rows) == 6 * 10 + (6 * 6 + 4 * 4) + 4 * 4


def test_more_questions_than_a_pass_takes_are_parted(folder, local, questions):
    """With two questions at once three about one picture take two passes, and say the same."""
    few = scorer(folder, at_once=2)._backend
    for told, exact in zip(few.digits(questions), local.digits(questions), strict=True):
        assert np.allclose(told, exact, atol=1e-4)


def test_a_photo_is_read_once_for_all_its_tasks(folder, astronaut, monkeypatch):
    """Nine tasks in two wordings are eighteen questions: six tasks see the frame, three see two squares besides, so two readings."""
    tasks = ("haze", "rain", "flare", "blur", "low_light", "reflection", "noise", "moire", "compression")
    photo = np.tile(astronaut, (2, 2, 1))
    opened = scorer(folder, tasks=tasks, at_once=32)
    rows = rows_read(opened._backend, monkeypatch)
    [told] = opened.score([opened.prepare(Photo("a", photo))])
    assert sum(rows) == 8 * 8 + 3 * 8 * 8  # this checkpoint sees pictures at 128 x 128 px
    for task in ("haze", "moire"):
        single = scorer(folder, tasks=(task,))
        assert told.numbers[task] == pytest.approx(single.score([single.prepare(Photo("a", photo))])[0].numbers[task], abs=1e-4)


def test_both_wordings_of_a_pairs_side_share_its_reading(folder, astronaut, monkeypatch):
    """The default preset asks twice about either side: two pictures are read, not four."""
    opened = scorer(folder)
    rows = rows_read(opened._backend, monkeypatch)
    clean = np.ascontiguousarray(astronaut[:96, :128])
    opened.score([opened.prepare(Pair("a", "haze", Photo("clean", clean), Photo("degraded", clean // 2)))])
    assert sum(rows) == 2 * 6 * 8
