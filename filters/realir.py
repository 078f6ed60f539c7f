"""RealIR-Bench's scores, from numbers: RS, LPIPS and FS of a restored picture, means per task and over tasks.

    RS = max(0, severity(degraded) - severity(restored))          severity 1 (none) to 5 (extreme), by a vision-language model
    FS = 0.2 x (1 - LPIPS(restored, degraded)) x RS               0 to 0.8

(Yang et al., "RealRestorer", arXiv 2603.25502; the model there grades quality, 5 for none, so that the difference is turned
round.) LPIPS is taken against the degraded picture, for a real photo has no clean one: what was restored should still be that photo.
A task's value is the mean over its pictures, the average is the mean over tasks, so that a task counts alike whatever its size.

We add what the published table hides: `drop`, the difference before it is cut off at 0, and how many pictures got worse.
Pictures on which the model would not commit itself are listed and left out of the means, as are unreadable answers there; a task of which
nothing else is left has no means, and no part in the average.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from degrade.errors import RunError

WEIGHT = 0.2
AVERAGE = "average"


class Judged(NamedTuple):
    """One restored picture."""

    name: str
    task: str
    drop: float | None  # of severity, below 0 where the restored picture is worse; None where the model would not commit itself
    lpips: float  # between restored and degraded

    @property
    def rs(self) -> float | None:
        """The restoration score, 0 to 4."""
        return None if self.drop is None else restoration_score(self.drop)

    @property
    def fs(self) -> float | None:
        """The final score, at most 0.8."""
        return None if self.rs is None else final_score(self.rs, self.lpips)


class Line(NamedTuple):
    """A line of the table: a task, or the average over tasks."""

    task: str
    pictures: int  # that the means are over
    left_out: int  # on which the model would not commit itself
    rs: float | None = None  # nothing where there is no such picture
    lpips: float | None = None
    fs: float | None = None
    drop: float | None = None
    worse_frac: float | None = None  # of the pictures


def restoration_score(drop: float) -> float:
    """Return RS, from the severity of the degraded picture less that of the restored one; harm counts as nothing done."""
    return max(0.0, drop)


def final_score(rs: float, lpips: float) -> float:
    """Return FS: what was restored, less what was changed."""
    return WEIGHT * (1.0 - lpips) * rs


def table(judged: Sequence[Judged]) -> list[Line]:
    """Return a line per task, in the order of their first pictures, and the average over them.

    Raises:
        RunError: there is no picture that the model committed itself on.
    """
    tasks = list(dict.fromkeys(one.task for one in judged))
    if not tasks:
        raise RunError("there is no picture to average over")
    lines = [_line(task, [one for one in judged if one.task == task]) for task in tasks]
    whole = [line for line in lines if line.pictures]
    if not whole:
        raise RunError(f"the model committed itself on none of {len(judged)} pictures; is it an instruction-tuned one?")
    return [*lines, _average(whole)._replace(left_out=sum(line.left_out for line in lines))]


def _line(task: str, judged: Sequence[Judged]) -> Line:
    sure = [(one.drop, one.lpips) for one in judged if one.drop is not None]
    if not sure:
        return Line(task, 0, len(judged))
    scores = [restoration_score(drop) for drop, _ in sure]
    return Line(
        task,
        len(sure),
        len(judged) - len(sure),
        rs=fmean(scores),
        lpips=fmean(lpips for _, lpips in sure),
        fs=fmean(final_score(rs, lpips) for rs, (_, lpips) in zip(scores, sure, strict=True)),
        drop=fmean(drop for drop, _ in sure),
        worse_frac=fmean(drop < 0 for drop, _ in sure),
    )


def _average(lines: Sequence[Line]) -> Line:
    means = {name: fmean(getattr(line, name) for line in lines) for name in ("rs", "lpips", "fs", "drop", "worse_frac")}
    return Line(AVERAGE, sum(line.pictures for line in lines), sum(line.left_out for line in lines), **means)
