"""The folder of candidates: what jobs that share it leave there, and what is written of a refusal."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from degrade.errors import BadSample, CorruptRun, Reason
from manifests import commit
from pipelines.makers.kept import Candidates

KEY = "ab" * 16
ONE, OTHER = (np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8) for seed in range(2))


@pytest.fixture
def two(tmp_path) -> tuple[Candidates, Candidates]:
    """What two runs see of one folder."""
    return Candidates(tmp_path / "shared", tmp_path / "a"), Candidates(tmp_path / "shared", tmp_path / "b")


def names(folder) -> list[str]:
    return sorted(path.name for path in (folder / "shared").rglob("*.*"))


def test_the_first_record_stays(two, tmp_path, monkeypatch):
    """When two jobs make a candidate at once, in whatever order they write, one picture and its own record are left, the first."""
    first, second = two
    write = commit.write_json

    def between(path, value, **how):
        monkeypatch.setattr(commit, "write_json", write)
        second.keep(KEY, OTHER, {"maker": "second"})
        write(path, value, **how)

    monkeypatch.setattr(commit, "write_json", between)
    first.keep(KEY, ONE, {"maker": "first"})
    first.keep(KEY, BadSample(Reason.NO_CANDIDATE, "a third"), {"maker": "third"})
    for kept in two:
        assert np.array_equal(kept.picture(KEY)[0], OTHER)
    sha256 = first.picture(KEY)[1]
    assert names(tmp_path) == [f"{KEY}.{sha256[:12]}.png", f"{KEY}.json"]


def test_a_refusal_that_was_first_stays(two, tmp_path):
    """What came later leaves no picture beside it."""
    first, second = two
    first.keep(KEY, BadSample(Reason.REFUSED_BY_MAKER, "no"), {"maker": "first"})
    second.keep(KEY, ONE, {"maker": "second"})
    with pytest.raises(BadSample, match="no"):
        second.picture(KEY)
    assert names(tmp_path) == [f"{KEY}.json"]


def test_jobs_at_once_agree(two, tmp_path):
    """Of forty candidates that two jobs write at the same time, both see the same whole picture."""
    keys = [commit.fingerprint(index) for index in range(40)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: [job[0].keep(key, job[1], {"maker": "m"}) for key in keys], zip(two, (ONE, OTHER), strict=True)))
    for key in keys:
        assert two[0].picture(key)[1] == two[1].picture(key)[1]
    assert len(names(tmp_path)) == 2 * len(keys)


@pytest.mark.parametrize("early", [True, False])
def test_a_disk_without_hard_links_will_do(two, tmp_path, monkeypatch, early):
    """There a record is renamed into place; of two jobs at once, whose record stays has its picture, and a record that is there is not replaced."""
    rename = os.rename

    def none(*_names: object):
        raise OSError(errno.EPERM, "not here")

    def between(source, target):
        if str(target).endswith(".json"):
            monkeypatch.setattr(os, "rename", rename)
            if early:
                two[1].keep(KEY, OTHER, {"maker": "second"})
            rename(source, target)
            if not early:
                two[1].keep(KEY, OTHER, {"maker": "second"})
        else:
            rename(source, target)

    monkeypatch.setattr(os, "link", none)
    monkeypatch.setattr(os, "rename", between)
    two[0].keep(KEY, ONE, {"maker": "first"})
    assert all(np.array_equal(kept.picture(KEY)[0], ONE) for kept in two)
    assert len(names(tmp_path)) == (3 if early else 2)


def test_each_job_takes_its_own_picture_away_alone(two, tmp_path):
    """What lies beside a candidate is another's, who may be about to write its record: it is not looked for."""
    other = tmp_path / "shared" / "ab" / f"{KEY}.{'0' * 12}.png"
    other.parent.mkdir(parents=True)
    other.touch()
    two[0].keep(KEY, ONE, {"maker": "m"})
    two[1].keep(KEY, OTHER, {"maker": "m"})
    assert other.exists()
    assert len(names(tmp_path)) == 3


def test_candidates_of_before_pictures_had_digits_are_read(two, tmp_path):
    """A picture under its key alone is the candidate, if it is the one of the record; a damaged one is named as it is called."""
    two[0].keep(KEY, ONE, {"maker": "m"})
    [path] = (tmp_path / "shared" / "ab").glob("*.png")
    old = path.rename(path.with_name(f"{KEY}.png"))
    assert np.array_equal(two[1].picture(KEY)[0], ONE)
    old.write_bytes(old.read_bytes()[:-1])
    with pytest.raises(CorruptRun, match=f"{KEY}.png is damaged"):
        two[1].picture(KEY)


def test_what_killed_jobs_left_half_written_goes(two, tmp_path):
    """An hour later it is removed; what is younger may be another job's at work, and candidates stay."""
    two[0].keep(KEY, ONE, {"maker": "m"})
    left = [tmp_path / folder / "ab" / f".{KEY}.json.{at}.part" for folder in ("shared", "a") for at in range(2)]
    for path in left:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    for path in left[::2]:
        os.utime(path, (0, 0))
    two[0].clear()
    assert [path.exists() for path in left] == [False, True] * 2
    assert np.array_equal(two[0].picture(KEY)[0], ONE)


def test_any_words_can_be_written(two, tmp_path):
    """A refusal in which somebody's file name or answer is no text is kept all the same."""
    two[0].keep(KEY, BadSample(Reason.NO_CANDIDATE, "caf\udce9"), {"maker": "m"})
    assert json.loads((tmp_path / "shared" / "ab" / f"{KEY}.json").read_text())["detail"] == "caf\\udce9"
    assert two[1].has(KEY)
