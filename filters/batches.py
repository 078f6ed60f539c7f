"""Runs a scorer over prepared items: a batch that does not fit into memory is halved, down to the item that is to blame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from degrade.errors import BadSample, Reason
from filters.contract import Scorer, Scores

FULL = ("out of memory", "can't allocate memory")  # what torch says, on a GPU and on a CPU


def score(scorer: Scorer, prepared: Sequence[Any]) -> list[Scores | BadSample]:
    """Return the scores of every prepared item, or why it has none.

    Raises:
        ValueError: the scorer gave a number that is none, or another count of scores than of items.
    """
    if not prepared:
        return []
    found, story = _tried(scorer, prepared)
    if found is None:
        _free()
        if len(prepared) == 1:
            return [BadSample(Reason.OUT_OF_MEMORY, f"too large for {scorer.maker}, even alone: {story}")]
        half = len(prepared) // 2
        return score(scorer, prepared[:half]) + score(scorer, prepared[half:])
    _check(scorer, prepared, found)
    return list(found)


def _tried(scorer: Scorer, prepared: Sequence[Any]) -> tuple[list[Scores] | None, str]:
    """Return the scores, or None and what was said when memory ran out; the error's frames hold tensors, so it must not outlive this call."""
    try:
        return scorer.score(prepared), ""
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(word in str(error) for word in FULL):
            raise
        return None, (str(error) or "no memory left").splitlines()[0]


def _free() -> None:
    """Give back what a failed forward pass holds on the GPU, if torch is there at all."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _check(scorer: Scorer, prepared: Sequence[Any], found: Sequence[Scores]) -> None:
    if len(found) != len(prepared):
        raise ValueError(f"{scorer.maker}: {len(found)} scores for {len(prepared)} items")
    for scores in found:
        wrong = [name for name, number in scores.numbers.items() if not math.isfinite(number)]
        if wrong:
            raise ValueError(f"{scorer.maker}: {wrong[0]} is no finite number; a measure that cannot be taken is left out")
