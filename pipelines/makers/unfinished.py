"""What a maker raises when it has to stop in the middle of a batch: the candidates that it has made are not lost."""

from __future__ import annotations

from collections.abc import Mapping

from degrade.contract import Srgb
from degrade.errors import BadSample, RunError


class Unfinished(RunError):
    """Some of a batch could not be made now, and may be later; the others are paid for, and should be kept before the job stops.

    Args:
        text: what stopped the maker, and what to do.
        made: the candidates that there are, and refusals, by the key of their order.
    """

    def __init__(self, text: str, made: Mapping[str, Srgb | BadSample]) -> None:
        super().__init__(text, made)
        self.text = text
        self.made = made

    def __str__(self) -> str:
        return self.text
