"""From the distribution over five digits to a severity that knows how sure it is; nothing is generated, nothing parsed.

The expected digit is finer than the likeliest one: an answer of 60 % "2" and 40 % "3" is 2.4, and pairs can be ranked
by it (the same step from words to a graded score as in Wu et al., "Q-Align", ICML 2024, there over five adjectives).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from filters.vlm.backend import LogDigits

LEVELS = np.arange(1.0, 6.0)
MOST_ENTROPY = float(np.log2(len(LEVELS)))  # bits, of an answer that prefers no level


class Reading(NamedTuple):
    """What the answers to all wordings of a question say together."""

    severity: float | None  # expected level, 1 none to 5 extreme; None where no digit was answered at all
    likeliest: float | None  # the level with most weight, what greedy decoding would have said
    entropy: float  # bits, 0 certain to 2.32 undecided
    answered: float  # probability that the answer is one of the digits, 0 to 1

    def unsure(self, least_answered: float, most_entropy: float) -> bool:
        """Return whether the model had better abstained: it wanted to say something else, or could not decide."""
        return self.severity is None or self.answered < least_answered or self.entropy > most_entropy


def read(answers: Sequence[LogDigits], worst: Sequence[int]) -> Reading:
    """Return the mean over several wordings of a question, each normalised over the digits.

    Args:
        answers: one per wording.
        worst: the digit that stands for extreme in each wording: 5, or 1 where the scale is one of quality.
    """
    masses = [float(np.exp(logs).sum()) for logs in answers]
    answered = min(float(np.mean(masses)), 1.0)
    shares = [_shares(logs, end) for logs, end, mass in zip(answers, worst, masses, strict=True) if mass > 0]
    if not shares:
        return Reading(None, None, MOST_ENTROPY, answered)
    mean = np.mean(shares, axis=0)
    held = mean[mean > 0]
    return Reading(float(mean @ LEVELS), float(LEVELS[mean.argmax()]), max(0.0, float(-(held * np.log2(held)).sum())), answered)


def _shares(logs: LogDigits, worst: int) -> LogDigits:
    """Return the shares of the levels 1 none to 5 extreme, summing to 1."""
    weights = np.exp(logs - logs.max())
    shares: LogDigits = weights / weights.sum()
    return shares if worst == len(LEVELS) else shares[::-1]
