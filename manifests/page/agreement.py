"""How far reviewers agree: the share of pairs on which all say the same, and Krippendorff's alpha.

    alpha = 1 - D_observed / D_expected

with nominal distances (K. Krippendorff, Content Analysis, 1980, chapter 12): 1 is full agreement, 0 what chance would
give. It takes any number of reviewers, and pairs that not all of them have seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from manifests.page.reviews import Words, disputed


class Agreement(NamedTuple):
    """How far the reviewers of a run agree about accept and reject."""

    reviewers: dict[str, dict[str, int]]  # name -> decision -> pairs
    pairs: int  # judged by two or more
    agreed: int  # of those, judged alike by all
    alpha: float | None  # None where chance cannot be told: too few judgements, or all of one kind


def agreement(standing: Iterable[Words]) -> Agreement:
    """Measure the agreement of the standing words of all pairs."""
    reviewers: dict[str, Counter[str]] = {}
    shared: list[Counter[str]] = []
    agreed = 0
    for words in standing:
        for name, review in words.items():
            reviewers.setdefault(name, Counter())[review.decision] += 1
        said = Counter(review.decision for review in words.values() if review.decision != "flag")
        if said.total() >= 2:
            shared.append(said)
            agreed += not disputed(words)
    return Agreement({name: dict(counts) for name, counts in sorted(reviewers.items())}, len(shared), agreed, alpha(shared))


def alpha(units: list[Counter[str]]) -> float | None:
    """Return Krippendorff's alpha of nominal judgements.

    Args:
        units: for each pair that two or more have judged, how often each judgement was given.
    """
    total = sum(unit.total() for unit in units)
    overall: Counter[str] = sum(units, Counter())
    expected = total * total - sum(count * count for count in overall.values())
    if not expected:
        return None
    observed = sum((unit.total() ** 2 - sum(count * count for count in unit.values())) / (unit.total() - 1) for unit in units)
    return 1 - (total - 1) * observed / expected
