"""How fast a job went: a line in `report/pace.jsonl` for every finished piece, written while it goes, read by the report.

    {"begin": true}                 a job begins, or goes on after it was stopped
    {"at_s": 12.5, "items": 16}     so many seconds after that, so many items are done

The lines tell of this machine and this day, so they stay out of everything that must be the same on every machine.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np


class PaceLog:
    """Appends lines to a log; nothing is written before the first piece is done, so that a job with nothing to do leaves no trace.

    Args:
        path: of the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = False

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        return self

    def add(self, items: int) -> None:
        """Note that so many items more are done."""
        lines = [] if self._begun else ['{"begin": true}\n']
        lines.append(json.dumps({"at_s": round(time.monotonic() - self._begin, 3), "items": items}) + "\n")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a", encoding="utf-8") as file:  # pieces are seconds apart: a file need not stay open for them
            file.writelines(lines)
        self._begun = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is left to do: every line is written when it is told."""


class Pace(NamedTuple):
    """How fast a job went, its sessions laid end to end."""

    rates: list[float]  # items per second in equal pieces of the time
    seconds: float
    items: int
    sessions: int


def read(path: Path, pieces: int) -> Pace | None:
    """Return what a log tells; None if it tells nothing.

    A piece of work that took long is spread evenly over the time since the one before it.

    Args:
        path: of the log.
        pieces: into how many pieces the time is cut; fewer where there are fewer lines.
    """
    times, counts, sessions, before = [0.0], [0], 0, 0.0
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:  # the line that a kill cut short
            continue
        if "begin" in told:
            sessions, before = sessions + 1, times[-1]
        else:
            times.append(before + told["at_s"])
            counts.append(counts[-1] + told["items"])
    if times[-1] <= 0:
        return None
    edges = np.linspace(0.0, times[-1], min(pieces, len(times) - 1) + 1)
    rates = np.diff(np.interp(edges, times, counts)) / np.diff(edges)
    return Pace(rates.tolist(), times[-1], counts[-1], sessions)
