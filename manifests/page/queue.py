"""The review queue of a run, `RUN/review_queue.json`: which pairs people are asked about, why, and how many must speak.

Written by `patina review`, read by the page and by `select`. Once it asks for several reviewers, that holds for every pair of
the run: one hasty word decides nothing, whoever it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import CorruptRun
from manifests import commit
from manifests.page.reviews import Words, settled

FILE = "review_queue.json"


class Queue(NamedTuple):
    """What people are asked."""

    reviewers: int = 1  # accepts and rejects that decide a pair
    pairs: Mapping[str, tuple[str, ...]] = {}  # pair_id -> why it is asked about, in the order in which pairs are shown
    asked: Mapping[str, Any] = {}  # what the queue was made with

    def left(self, standing: Mapping[str, Words], reviewer: str) -> list[str]:
        """Return the pairs that wait for a reviewer's word, in order.

        Args:
            standing: the last words on pairs, by pair.
            reviewer: their name.
        """
        return [pair_id for pair_id in self.pairs if reviewer not in (words := standing.get(pair_id, {})) and not settled(words, self.reviewers)]


def read(run: Path) -> Queue:
    """Return the queue of a run, empty where none was made; raises CorruptRun for a file that is none."""
    path = run / FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Queue(int(told["reviewers"]), {pair["pair_id"]: tuple(pair["why"]) for pair in told["pairs"]}, told["asked"])
    except FileNotFoundError:
        return Queue()
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptRun(f"{path} is no review queue: make it again with `patina review {run}`") from error


def write(run: Path, queue: Queue) -> Path:
    """Commit a queue; answer its path."""
    pairs = [{"pair_id": pair_id, "why": list(why)} for pair_id, why in queue.pairs.items()]
    commit.write_json(run / FILE, {"reviewers": queue.reviewers, "asked": dict(queue.asked), "pairs": pairs})
    return run / FILE
