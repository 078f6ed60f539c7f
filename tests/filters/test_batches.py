"""Batches that do not fit are halved, and what a scorer returns is checked."""

from __future__ import annotations

import pytest

from degrade.errors import BadSample, Reason
from filters import batches
from filters.contract import Scores


class Narrow:
    """A scorer with room for a sum of ten."""

    maker = "narrow@1"

    def prepare(self, item):
        return item

    def score(self, prepared):
        if sum(prepared) > 10:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return [Scores({"value": float(one)}) for one in prepared]


class Wrong(Narrow):
    """A scorer whose numbers are none."""

    def score(self, prepared):
        return [Scores({"value": float("nan")}) for _ in prepared]


class Broken(Narrow):
    """A scorer with a bug."""

    def score(self, prepared):
        raise RuntimeError("shapes do not match")


def test_a_full_memory_costs_only_the_item_that_fills_it():
    """The batch is halved until it fits; what does not fit alone is named, the rest has its numbers, in order."""
    found = batches.score(Narrow(), [4, 4, 4, 11, 3, 2])
    assert [None if isinstance(one, BadSample) else one.numbers["value"] for one in found] == [4, 4, 4, None, 3, 2]
    refused = found[3]
    assert isinstance(refused, BadSample)
    assert refused.reason is Reason.OUT_OF_MEMORY
    assert "narrow@1" in refused.detail


def test_other_errors_stop_the_work():
    """A bug is not taken for a full memory."""
    with pytest.raises(RuntimeError, match="shapes"):
        batches.score(Broken(), [1, 2])


def test_a_number_that_is_none_is_a_fault_of_the_scorer():
    """NaN never reaches a row."""
    with pytest.raises(ValueError, match="no finite number"):
        batches.score(Wrong(), [1])


def test_nothing_gives_nothing():
    """An empty batch never reaches the scorer."""
    assert batches.score(Broken(), []) == []
