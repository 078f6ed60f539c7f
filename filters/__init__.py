"""What is worth keeping: scorers turn photos and pairs into numbers, decisions turn numbers into verdicts."""

from __future__ import annotations

from degrade.errors import RecipeError
from degrade.keys import nearest
from filters import alignment, clean, clip, consistency, evidence, fidelity, severity, watermark
from filters.contract import Filter

FILTERS: tuple[Filter, ...] = (
    alignment.FILTER,
    clean.FILTER,
    clip.FILTER,
    consistency.FILTER,
    evidence.FILTER,
    fidelity.FILTER,
    severity.FILTER,
    watermark.FILTER,
)
NAMES: tuple[str, ...] = tuple(listed.name for listed in FILTERS)


def by_name(name: str) -> Filter:
    """Return a scorer of the table; raises RecipeError with the nearest name."""
    for listed in FILTERS:
        if listed.name == name:
            return listed
    raise RecipeError(f"no scorer `{name}`; {nearest(name, NAMES)}")
