"""An item that kills the scorer's process, among others in its batch: it is named, and no other."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from filters.contract import Scores
from pipelines.guard import At, Cell, Limits
from pipelines.scoring import feed

HERE = Path(__file__).resolve().parent
ITEMS = [f"item-{at}" for at in range(9)]
DEADLY = "item-6"


class Mortal:
    """A scorer that dies of one item, in one of its two halves."""

    maker = "mortal"

    def __init__(self, dies_in: str) -> None:
        self._dies_in = dies_in

    def prepare(self, item: Any) -> str:
        """Return the item."""
        if self._dies_in == "prepare" and item == DEADLY:
            os.kill(os.getpid(), signal.SIGSEGV)
        return str(item)

    def score(self, prepared: Any) -> list[Scores]:
        """Return how many items came at once."""
        if self._dies_in == "score" and DEADLY in prepared:
            os.kill(os.getpid(), signal.SIGSEGV)
        return [Scores({"at_once": float(len(prepared))}) for _ in prepared]


def work(task: dict[str, Any], at: At) -> dict[str, Any]:
    """Answer the reason of every item, or how many were scored with it."""
    items = [(name, lambda name=name: name) for name in ITEMS]
    ends = feed._outcomes(Mortal(task["dies_in"]), items, task["skip"], at, batch=4, threads=3)
    return {key: one.numbers["at_once"] if isinstance(one, Scores) else str(one.reason) for key, one in ends}


@pytest.mark.timeout(60)  # it once went on for ever
@pytest.mark.parametrize("dies_in", ["score", "prepare"])
def test_the_item_that_kills_a_scorer_is_named_and_no_other(monkeypatch, dies_in):
    """Of a batch whose third item ends the process, that item is refused; the others have numbers, and other batches stay whole."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    with Cell(Limits(deadline_s=20.0)) as cell:
        ends = cell.run("test_score_deaths:work", {"dies_in": dies_in})
    assert list(ends) == ITEMS
    assert ends.pop(DEADLY) == "crashed"
    assert not [end for end in ends.values() if isinstance(end, str)]
    if dies_in == "score":
        assert list(ends.values()) == [4.0] * 4 + [1.0] * 4
