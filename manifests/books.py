"""The books of a run: nothing is lost, duplicated or dropped in silence.

    inputs  = photos usable + photos refused + photos pending
    planned = pairs kept + pairs refused + pairs pending
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple


class Books(NamedTuple):
    """Where every input and every planned pair is."""

    inputs: int
    photos: int  # usable
    photos_refused: dict[str, int]  # by reason
    planned: int  # pairs that photos x variants ask for
    kept: int
    refused: dict[str, int]  # by reason, at planning, rendering or selection
    unaccounted: int = 0  # rows committed twice, or committed without being planned

    @property
    def photos_pending(self) -> int:
        """Inputs that no row speaks of yet."""
        return self.inputs - self.photos - sum(self.photos_refused.values())

    @property
    def pending(self) -> int:
        """Planned pairs that no committed row speaks of yet."""
        return self.planned - self.kept - sum(self.refused.values())

    @property
    def closed(self) -> bool:
        """Whether everything has come to an end that is written down."""
        return not (self.photos_pending or self.pending or self.unaccounted)

    def as_json(self) -> dict[str, object]:
        """Return the books for machines."""
        totals = {"photos_pending": self.photos_pending, "pending": self.pending, "closed": self.closed}
        return {**self._asdict(), **totals}

    def __str__(self) -> str:
        lines = [
            f"inputs  {self.inputs:>8} = {self.photos} usable + {sum(self.photos_refused.values())} refused + {self.photos_pending} pending",
            *_by_reason(self.photos_refused),
            f"planned {self.planned:>8} = {self.kept} pairs + {sum(self.refused.values())} refused + {self.pending} pending",
            *_by_reason(self.refused),
        ]
        if self.unaccounted:
            lines.append(f"unaccounted for: {self.unaccounted} rows were committed twice or never planned")
        return "\n".join(lines)


def _by_reason(counts: dict[str, int]) -> list[str]:
    return [f"        {count:>8}   {reason}" for reason, count in Counter(counts).most_common()]
