"""Which photo truly shows which degradation: limits on the numbers of photos, a task for each that passes, a reason for each that does not.

A photo may carry several degradations; its task is the one whose ranking number is largest, the others are written down with theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from degrade.errors import Reason, RunError
from degrade.keys import nearest
from filters import limits
from filters.verdict import KEEP, Verdict
from pipelines.real.pages import TASK, GateRecipe


class Passed(NamedTuple):
    """What the gate says of a photo."""

    verdict: Verdict
    task: str = ""
    severity: float | None = None
    others: Mapping[str, float] = {}  # further tasks that it shows, with their ranking numbers


def judge(gate: GateRecipe, numbers: Mapping[str, float]) -> Passed:
    """Return whether a photo may become the degraded side of a pair, and for which task. Pure.

    Args:
        gate: limits.
        numbers: of the photo, by `scorer.measure`.
    """
    verdict = limits.decide(numbers, gate.every)
    if not verdict.keep:
        return Passed(verdict)
    judged = {task: limits.decide(numbers, gate.asked_of(task), task) for task in gate.tasks}
    shown = {task: numbers.get(gate.rank.replace(TASK, task), 0.0) for task, found in judged.items() if found.keep}
    if not shown:
        near = max(judged, key=lambda task: (numbers.get(gate.rank.replace(TASK, task), 0.0), task))
        return Passed(Verdict(keep=False, reason=Reason.NOT_DEGRADED, detail=f"shows none of the tasks; nearest is {near}: {judged[near].detail}"))
    task = max(shown, key=lambda name: (shown[name], name))
    severity = numbers.get(gate.severity.replace(TASK, task))
    return Passed(KEEP, task, severity, {name: value for name, value in sorted(shown.items()) if name != task})


def check(gate: GateRecipe, known: set[str]) -> None:
    """Raise RunError for a limit on a number that no photo has.

    Args:
        gate: limits.
        known: names of the numbers that the scorers of this run give.
    """
    asked = {*gate.every, *(name for task in gate.tasks for name in (*gate.asked_of(task), gate.rank.replace(TASK, task)))}
    for name in sorted(asked - known):
        scorer = name.partition(".")[0]
        if scorer in {found.partition(".")[0] for found in known}:
            raise RunError(f"`real.gate` asks for `{name}`; {nearest(name, known)}")
        raise RunError(f"`real.gate` asks for `{name}`, and no photo has scores of `{scorer}`: add it to `score.photos`, then `patina score RUN --on photos`")
