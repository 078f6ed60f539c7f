"""What a vision-language model is asked, and the one door through which it is asked, here or on a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

DIGITS = ("1", "2", "3", "4", "5")
FORMS = ("", " ")  # what may stand before a digit within its token

LogDigits = NDArray[np.float64]  # 5 log-probabilities, of the answers 1 to 5 among all answers; -inf where there was next to none


class Question(NamedTuple):
    """One question whose answer begins with a digit."""

    images: tuple[Srgb, ...]  # HxWx3 uint8 each, shown before the text
    text: str
    preface: str = ""  # what the answer already begins with: the digit is the next token


class Backend(Protocol):
    """A vision-language model, opened."""

    maker: str  # the model and what ran it

    def digits(self, questions: Sequence[Question]) -> list[LogDigits]:
        """Return the log-probabilities of the five digits, question by question; what stands beside a question does not matter."""
