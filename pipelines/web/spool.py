"""Answers that have come and whose part is not complete yet: a file each, so that whatever ends the job, none is asked for twice.

A file is a line of JSON (the answer) and the photo behind it, proved by the answer's sha256. So nothing is synced here: what a
power cut leaves half-written is no answer, and is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from manifests import commit


class Answer(NamedTuple):
    """What became of one request."""

    told: dict[str, Any]  # the columns of its row in the ledger
    data: bytes  # the photo; empty where it was refused


class Spool:
    """The answers of parts that are not complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "spool"

    def open(self) -> None:
        """Make the folder; remove what an interrupted writer left in it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        commit.clear_temporaries(self._folder)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        temporary = self._folder / f".{key}{commit.TEMPORARY}"
        with temporary.open("wb") as file:
            file.write(json.dumps(answer.told).encode() + b"\n")
            file.write(answer.data)
        temporary.replace(self._folder / key)

    def get(self, key: str) -> Answer | None:
        """Return an answer; None where there is none, or none that is whole."""
        try:
            head, end, data = (self._folder / key).read_bytes().partition(b"\n")
            told = json.loads(head)
        except (FileNotFoundError, ValueError):
            return None
        return Answer(told, data) if end and (commit.sha256(data) if data else None) == told["sha256"] else None

    def kept(self) -> list[str]:
        """Return the keys of what is kept."""
        return sorted(path.name for path in self._folder.iterdir())

    def clear(self, keys: Iterable[str]) -> None:
        """Remove answers that are committed elsewhere."""
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)
