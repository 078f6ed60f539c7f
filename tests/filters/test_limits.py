"""Decisions on numbers: pure, by task, and the same in bulk."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from degrade.errors import Reason
from filters import limits
from manifests.limits import outside


def test_the_first_broken_limit_is_the_reason():
    """Limits are asked in their order, and the verdict says which number broke which interval."""
    asked = {"a.x": limits.parse([0, 1]), "a.y": limits.parse([0, 1])}
    verdict = limits.decide({"a.x": 0.5, "a.y": 1.5}, asked)
    assert (verdict.keep, verdict.reason, verdict.detail) == (False, Reason.ABOVE_LIMIT, "a.y 1.5 outside [0, 1]")
    assert limits.decide({"a.x": -1.0, "a.y": 1.5}, asked).reason == Reason.BELOW_LIMIT
    assert limits.decide({"a.x": 2.34567}, {"a.x": limits.parse([None, 1.5])}).detail == "a.x 2.346 above 1.5"
    assert limits.decide({"a.x": 0.1}, {"a.x": limits.parse([0.2, None])}).detail == "a.x 0.1 below 0.2"


@pytest.mark.parametrize(
    ("value", "bounds", "told"),
    [
        (1.50004, (-math.inf, 1.5), "a.x 1.50004 above 1.5"),
        (0.999996, (1.0, math.inf), "a.x 0.999996 below 1"),
        (0.30001, (0.1, 0.3), "a.x 0.30001 outside [0.1, 0.3]"),
        (1.00021, (1.0001, 1.0002), "a.x 1.00021 outside [1.0001, 1.0002]"),
        (0.1 + 0.2, (-math.inf, 0.3), "a.x 0.30000000000000004 above 0.3"),
        (1.0000002, (-math.inf, 1.0000001), "a.x 1.0000002 above 1.0000001"),
        (math.nan, (0.0, 1.0), "a.x nan outside [0, 1]"),
    ],
)
def test_a_broken_limit_does_not_read_as_kept(value, bounds, told):
    """However near a number is to the limit that it broke, the words show on which side of it."""
    assert limits.broken("a.x", value, bounds) == told


def test_a_task_may_have_its_own_interval():
    """A table by task overrides the default, and a task that has neither is not limited."""
    limit = {"a.x": limits.parse({"default": [0, 1], "haze": [0, 9]})}
    assert limits.decide({"a.x": 5.0}, limit, "haze").keep
    assert not limits.decide({"a.x": 5.0}, limit, "rain").keep
    assert limits.decide({"a.x": 5.0}, {"a.x": limits.parse({"haze": [0, 1]})}, "rain").keep


def test_a_number_that_was_not_taken_is_not_held_against_an_item():
    """No face, no face score: no refusal."""
    assert limits.decide({}, {"a.x": limits.parse([0, 1])}).keep


@pytest.mark.parametrize("page", [[1], [2, 1], ["0", 1], {}, {"haze": 3}, [True, 2], "0..1"])
def test_what_is_no_limit_is_refused(page):
    """Text, reversed ends and half intervals raise."""
    with pytest.raises(ValueError, match=r"limit|smaller first"):
        limits.parse(page)


def test_a_limit_is_written_as_it_was_read():
    """Both ways of writing a limit survive a round trip."""
    for page in ([0.0, 1.0], {"default": [None, 1.0], "haze": [0.0, None]}):
        assert json.loads(json.dumps(limits.page_of(limits.parse(page)))) == page
    assert limits.parse([-math.inf, 2]) == limits.parse([None, 2.0]) == {"default": (-math.inf, 2.0)}


def test_in_bulk_limits_answer_as_they_do_alone():
    """Whole columns fall where `decide` says that each row falls."""
    rng = np.random.default_rng(5)
    tasks = rng.choice(["haze", "rain", "blur"], 500).tolist()
    values = [None if hidden else float(value) for hidden, value in zip(rng.random(500) < 0.1, rng.normal(0, 1, 500), strict=True)]
    limit = limits.parse({"default": [-1, 1], "haze": [-0.2, 2], "blur": [0, math.inf]})
    found = outside(pa.chunked_array([values], pa.float64()), pa.chunked_array([tasks]), limit)
    alone = [limits.decide({} if value is None else {"x": value}, {"x": limit}, task).reason for value, task in zip(values, tasks, strict=True)]
    assert found.below.to_pylist() == [reason == Reason.BELOW_LIMIT for reason in alone]
    assert found.above.to_pylist() == [reason == Reason.ABOVE_LIMIT for reason in alone]
    assert 50 < sum(map(bool, alone)) < 400
