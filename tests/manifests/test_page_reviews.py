"""What people decide: written once, read back, counted."""

from __future__ import annotations

import errno
import os
from collections import Counter

import numpy as np
import pytest

from degrade.errors import CorruptRun, RecipeError, RunError
from manifests.page import queue
from manifests.page.agreement import agreement, alpha
from manifests.page.reviews import ReviewLog, disputed, outcome, reviewed, settled


def said(pair_id, reviewer, decision, reason=None):
    """Return a review; a reject has a reason."""
    return reviewed(pair_id, reviewer, decision, reason or ("artefact" if decision == "reject" else None))


def test_the_last_word_of_each_reviewer_stands(tmp_path):
    """Who changes their mind is counted once; who takes a word back not at all."""
    log = ReviewLog(tmp_path)
    for review in (said("p", "ann", "accept"), said("p", "ann", "reject"), said("p", "bob", "flag"), said("q", "bob", "accept"), said("q", "bob", "withdraw")):
        log.append(review)
    standing = log.standing()
    assert {pair: {name: word.decision for name, word in words.items()} for pair, words in standing.items()} == {"p": {"ann": "reject", "bob": "flag"}}
    assert log.path.read_bytes().count(b"\n") == 5


def test_two_logs_on_one_file_see_each_other(tmp_path):
    """Reviewers with a server each work on the same run."""
    mine, theirs = ReviewLog(tmp_path), ReviewLog(tmp_path)
    mine.append(said("p", "ann", "accept"))
    assert theirs.standing().keys() == {"p"}
    theirs.append(said("q", "bob", "accept"))
    assert mine.standing().keys() == {"p", "q"}


def test_a_torn_last_line_was_never_confirmed(tmp_path):
    """A power cut in mid-line costs that line only, and the next one does not join it."""
    log = ReviewLog(tmp_path)
    log.append(said("p", "ann", "accept"))
    with open(log.path, "ab") as file:
        file.write(b'{"pair_id": "torn", "rev')
    assert ReviewLog(tmp_path).standing().keys() == {"p"}
    log.append(said("q", "ann", "accept"))
    assert ReviewLog(tmp_path).standing().keys() == log.standing().keys() == {"p", "q"}


def test_a_damaged_line_is_named(tmp_path):
    """What somebody edited by hand and broke is not skipped in silence."""
    log = ReviewLog(tmp_path)
    log.append(said("p", "ann", "accept"))
    with open(log.path, "ab") as file:
        file.write(b"oops\n")
    opened = ReviewLog(tmp_path)
    for _ in range(2):  # at every look, not at the first alone
        with pytest.raises(CorruptRun, match="line 2"):
            opened.standing()


def test_what_finds_no_room_was_not_said(tmp_path, monkeypatch):
    """A word that a full disk cut short is an error for whoever said it, and spoils no later one."""
    log = ReviewLog(tmp_path)
    log.append(said("p", "ann", "accept"))
    with monkeypatch.context() as full:
        whole = os.write
        full.setattr(os, "write", lambda handle, line: whole(handle, line[:40]))
        with pytest.raises(RunError, match="Make room"):
            log.append(said("q", "ann", "accept"))
    log.append(said("r", "ann", "accept"))
    assert log.standing().keys() == {"p", "r"}
    assert log.path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("step", ["open", "write", "fsync"])
def test_what_the_disk_refuses_was_not_said(tmp_path, monkeypatch, step):
    """At whichever step a disk is full or broken, whoever speaks is told so, and no line stays of which nobody was told."""
    log = ReviewLog(tmp_path)
    log.append(said("p", "ann", "accept"))

    def full(*_: object):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(os, step, full)
        with pytest.raises(RunError, match="No space left"):
            log.append(said("q", "ann", "accept"))
    assert log.path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reviewer": " "}, "needs a name"),
        ({"reviewer": None}, "needs a name"),
        ({"reviewer": "a\u202eb"}, "printable"),
        ({"reviewer": "a" * 41}, "1 to 40"),
        ({"decision": "acept"}, "did you mean `accept`"),
        ({"decision": "reject"}, "needs a reason"),
        ({"decision": "reject", "reason": "misalined"}, "did you mean `misaligned`"),
        ({"note": "n" * 501}, "at most 500"),
    ],
)
def test_a_decision_that_cannot_be_meant_is_refused(changes, told):
    """Names, words and reasons are checked before anything is written."""
    with pytest.raises(RecipeError, match=told):
        reviewed("p", **{"reviewer": "ann", "decision": "accept", **changes})


def test_the_majority_decides_and_a_tie_rejects():
    """Flags do not vote; an even split costs the pair its place."""
    votes = {"a": "accept", "r": "reject", "f": "flag"}

    def come_to(letters):
        return outcome({f"reviewer {at}": said("p", f"reviewer {at}", votes[letter]) for at, letter in enumerate(letters)})

    assert [come_to(letters) for letters in ("a", "r", "f", "", "ar", "aar", "arr", "af")] == [
        *("accept", "reject", None, None),
        *("reject", "accept", "reject", "accept"),
    ]


def test_agreement_is_krippendorffs():
    """The formula gives the value that its definition gives by hand, 1 for full agreement and below 0 for contradiction."""
    yes, no, split = Counter(accept=2), Counter(reject=2), Counter(accept=1, reject=1)
    assert alpha([yes, no]) == 1.0
    assert alpha([yes, yes]) is None
    assert alpha([split, split]) == pytest.approx(1 - 3 * 4 / (16 - 8))
    assert alpha([yes, yes, no, split]) == pytest.approx(1 - 7 * 2 / (64 - 25 - 9))


def spread_out(told):
    """Return judgements by reviewer (words with a letter for each unit, `.` where nothing was said) as units."""
    units = [Counter(letter for letter in unit if letter != ".") for unit in zip(*told, strict=True)]
    return [unit for unit in units if unit.total() >= 2]


def test_agreement_is_what_krippendorff_published():
    """The worked examples of his `Computing Krippendorff's Alpha-Reliability` (2011): two observers and two values, and four with gaps."""
    assert alpha(spread_out(["0100000010", "1110010000"])) == pytest.approx(0.095, abs=5e-4)
    assert alpha(spread_out(["123321412...", "1233224125.3", ".3332342251.", "12332441251."])) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_that_of_the_library(seed):
    """Over random judgements with gaps, three reviewers and two or three values, the `krippendorff` package says the same."""
    library = pytest.importorskip("krippendorff", reason="pip install krippendorff (GPL: for tests alone)")
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2 + seed % 2, 60)
    judged = np.where(rng.random((3, 60)) < 0.7, truth, rng.integers(0, 2 + seed % 2, (3, 60))).astype(float)
    judged[rng.random((3, 60)) < 0.2] = np.nan
    units = [Counter(unit[~np.isnan(unit)].tolist()) for unit in judged.T]
    assert alpha([unit for unit in units if unit.total() >= 2]) == pytest.approx(library.alpha(reliability_data=judged, level_of_measurement="nominal"))


def test_several_must_speak_where_several_are_asked_for():
    """With three needed, two words and a flag decide nothing; the third does, and an even split of four is not settled."""
    words = {name: said("p", name, "accept") for name in ("ann", "bob")} | {"flo": said("p", "flo", "flag")}
    assert (outcome(words, 3), settled(words, 3)) == (None, False)
    words["cleo"] = said("p", "cleo", "reject")
    assert (outcome(words, 3), settled(words, 3)) == ("accept", True)
    words["dan"] = said("p", "dan", "reject")
    assert (outcome(words, 3), settled(words, 3)) == ("reject", False)


def test_a_queue_waits_for_each_reviewer_until_it_is_settled(tmp_path):
    """Whoever has spoken is not asked again; what enough have judged waits for nobody; the file brings the queue back."""
    made = queue.Queue(2, {"p": ("random sample",), "q": ("disputed", "random sample"), "r": ("disputed",)}, {"sample": 3})
    queue.write(tmp_path, made)
    assert queue.read(tmp_path) == made
    standing = {"p": {"ann": said("p", "ann", "flag")}, "q": {"ann": said("q", "ann", "reject"), "bob": said("q", "bob", "reject")}}
    assert made.left(standing, "ann") == ["r"]
    assert made.left(standing, "bob") == ["p", "r"]
    assert queue.read(tmp_path / "nowhere").pairs == {}


def test_agreement_counts_pairs_that_two_have_judged():
    """One reviewer alone agrees with nobody; flags are counted beside."""
    words = [
        {"ann": said("p", "ann", "accept"), "bob": said("p", "bob", "accept")},
        {"ann": said("q", "ann", "accept"), "bob": said("q", "bob", "reject")},
        {"ann": said("r", "ann", "accept"), "bob": said("r", "bob", "flag")},
    ]
    found = agreement(words)
    assert (found.pairs, found.agreed) == (2, 1)
    assert found.reviewers == {"ann": {"accept": 3}, "bob": {"accept": 1, "reject": 1, "flag": 1}}
    assert [disputed(word) for word in words] == [False, True, False]
