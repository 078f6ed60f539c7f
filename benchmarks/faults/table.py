"""The table: how many faults of each kind and strength break a limit, and how many good pairs do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.faults.inject import FAULTS, STRENGTHS
from benchmarks.faults.pairs import TASKS, Good, made, opened
from degrade.contract import Srgb
from degrade.stream import stream
from filters import alignment, clean, consistency, evidence
from filters.contract import Pair, Photo
from filters.limits import EVERY, Limit

OPENED = {
    "alignment": alignment.Alignment(alignment.AlignmentSettings()),
    "evidence": evidence.Evidence(evidence.EvidenceSettings()),
    "clean": clean.CleanScorer(clean.CleanSettings(degraded=False)),
    "consistency": consistency.Consistency(consistency.ConsistencySettings()),
}


class Row(NamedTuple):
    """One pair and its numbers."""

    photo: str
    task: str
    stratum: int
    fault: str  # empty for a good pair
    strength: str
    numbers: dict[str, float]  # by `scorer.measure`


def measured(folder: Path, half: int, good: int, faulty: int) -> Iterator[Row]:
    """Yield up to so many good pairs of each task, and so many of them with every fault at every strength."""
    done: Counter[str] = Counter()
    for number, pair in enumerate(made(opened(folder, half), TASKS, good)):
        yield Row(pair.name, pair.task, pair.stratum, "", "", numbers(pair, pair.clean))
        done[pair.task] += 1
        for kind, fault in FAULTS.items() if done[pair.task] <= faulty else ():
            for strength, dose in zip(STRENGTHS, fault.doses, strict=True):
                side = fault.put(pair, dose, done[pair.task], stream(number, "fault", f"{kind} {strength}"))
                yield Row(pair.name, pair.task, pair.stratum, kind, strength, numbers(pair, side))


def numbers(pair: Good, clean_side: Srgb) -> dict[str, float]:
    """Return what the scorers that need no model say of a pair with this clean side."""
    item = Pair("", pair.task, Photo("", clean_side), Photo("", pair.degraded))
    found = {}
    for name, scorer in OPENED.items():
        scores = scorer.score([scorer.prepare(item)])[0]
        found |= {f"{name}.{measure}": float(value) for measure, value in scores.numbers.items()}
    return found
