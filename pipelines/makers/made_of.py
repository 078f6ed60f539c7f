"""Candidates that other files than their photo decided: a reference beside it, the other photos of its scene.

A maker says with each what it read, by content. Such candidates stay with their run, since the next may find other files there; and
a run that goes on looks at them again (see `pipelines/makers/kept.py`), so that what has changed is never mixed in.
"""

from __future__ import annotations

from typing import NamedTuple

from degrade.contract import Srgb
from degrade.errors import BadSample


class File(NamedTuple):
    """A file that decided a candidate, or would have; or which photos stand beside it."""

    uri: str
    mark: str = ""  # its size and time: while they are the same, its bytes need not be read again; empty: it is not there
    content: str = ""  # SHA-256 of its bytes, or the reason why they could not be read; of a list of photos, a hash of their uris
    find: str = ""  # a regular expression: the photos are meant whose names are equal without what it matches
    root: str | None = ""  # what it had to lie below; empty: a local one its own folder, links followed; None: anywhere
    most_bytes: int = 0  # that it might have


class Made(NamedTuple):
    """A candidate."""

    picture: Srgb
    of: tuple[File, ...]


class Unmade(BadSample):
    """Why there is none.

    Args:
        bad: the reason.
        of: what would have decided it: a reference that is missing may come.
    """

    def __init__(self, bad: BadSample, of: tuple[File, ...]) -> None:
        super().__init__(bad.reason, bad.detail)
        self.of = of
