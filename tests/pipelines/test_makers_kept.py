"""The folder of candidates: what jobs that share it leave there, and what is written of a refusal."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from degrade.errors import BadSample, Reason
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

    def between(path, value):
        monkeypatch.setattr(commit, "write_json", write)
        second.keep(KEY, OTHER, {"maker": "second"})
        write(path, value)

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


def test_a_disk_without_hard_links_will_do(two, tmp_path, monkeypatch):
    """There a record is renamed into place."""

    def none(*_names: object):
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", none)
    two[0].keep(KEY, ONE, {"maker": "m"})
    assert np.array_equal(two[1].picture(KEY)[0], ONE)
    assert len(names(tmp_path)) == 2


def test_any_words_can_be_written(two, tmp_path):
    """A refusal in which somebody's file name or answer is no text is kept all the same."""
    two[0].keep(KEY, BadSample(Reason.NO_CANDIDATE, "caf\udce9"), {"maker": "m"})
    assert json.loads((tmp_path / "shared" / "ab" / f"{KEY}.json").read_text())["detail"] == "caf\\udce9"
    assert two[1].has(KEY)
