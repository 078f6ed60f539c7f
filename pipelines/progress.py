"""Long work shows itself: a live bar on a terminal, lines in a log elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG = logging.getLogger("patina")
EVERY_S = 5.0


class Meter:
    """Counts items done and refused, and says so.

    Args:
        title: what is done, e.g. `render`.
        total: how many items there are.
        done: how many an earlier run has finished.
        unit: what an item is called.
    """

    def __init__(self, title: str, total: int, done: int = 0, unit: str = "pairs") -> None:
        self._title, self._total, self._done, self._unit = title, total, done, unit
        self.fresh = 0
        self.rejects: Counter[str] = Counter()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        self._start = self._said = time.monotonic()
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description:<7}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[story]}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=False)
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=self._total, completed=self._done, story="")
        elif self._total > self._done:
            LOG.info("%s: %d %s to do%s", self._title, self._total - self._done, self._unit, f", {self._done} done before" if self._done else "")
        return self

    def add(self, count: int, rejects: dict[str, int]) -> None:
        """Count finished items, of which some were refused."""
        self._done += count
        self.fresh += count
        self.rejects.update(rejects)
        story = f"{self.rate:.1f} {self._unit}/s, {sum(self.rejects.values())} rejects"
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, story=story)
        elif time.monotonic() - self._said > EVERY_S:
            self._said = time.monotonic()
            left_s = (self._total - self._done) / self.rate
            LOG.info("%s: %d/%d, %s, %.0f s left", self._title, self._done, self._total, story, left_s)

    @property
    def seconds(self) -> float:
        """Since this meter was started."""
        return max(time.monotonic() - self._start, 1e-9)

    @property
    def rate(self) -> float:
        """Items per second since this meter was started."""
        return max(self.fresh, 1e-9) / self.seconds

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None and self.fresh:
            LOG.info("%s: done, %d %s, %.1f/s, %d rejects", self._title, self.fresh, self._unit, self.rate, sum(self.rejects.values()))
