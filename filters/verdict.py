"""What a decision looks like: keep, or not and why. Decisions are pure functions of numbers, see `cleanness.decide`."""

from __future__ import annotations

from typing import NamedTuple

from degrade.errors import Reason


class Verdict(NamedTuple):
    """Keep or refuse; a refusal has a word of the closed list and what was seen."""

    keep: bool
    reason: Reason | None = None
    detail: str = ""


KEEP = Verdict(keep=True)
