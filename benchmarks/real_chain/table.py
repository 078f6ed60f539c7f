"""The tables of the chain, and a sheet to look at."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.real_chain.judged import Judged, rows_of, taken_as
from benchmarks.real_chain.web import TASKS
from degrade.contract import Srgb
from pipelines.pictures.sheet import Cell, detail, sheet
from pipelines.run import Run

MOST_DB = 100.0  # two pictures that are nearer are the same
SHOWN, SIDE = 2, 240  # rows of a sheet for each task, px of a picture


def figures(run: Run, pairs: Sequence[Judged]) -> dict[str, Any]:
    """Return everything that the tables say."""
    ends = {f"{task} {end}": _nearer([pair for pair in pairs if _task(pair) == task and _end(pair) == end]) for task in TASKS for end in ENDS}
    makers = {f"{task} {maker}": _nearer(some) for task in TASKS for maker, some in _by_maker(pairs, task).items()}
    return {"gate": taken_as(run), "survival": survival(run), "nearer": ends, "makers": makers, "best": best_of(pairs)}


KEPT, WRONG, OTHER, REFUSED = "kept", "kept, taken for what it was not", "not the best", "refused by limits"
ENDS = (KEPT, WRONG, OTHER, REFUSED)


def _task(pair: Judged) -> str:
    return str(pair.row["task"])


def _end(pair: Judged) -> str:
    if pair.row["verdict"] == "keep":
        return KEPT if pair.made_as == _task(pair) else WRONG
    return OTHER if pair.row["reason"] == "not_the_best" else REFUSED


def _by_maker(pairs: Sequence[Judged], task: str) -> dict[str, list[Judged]]:
    some = [pair for pair in pairs if _task(pair) == task]
    return {maker: [pair for pair in some if pair.maker == maker] for maker in sorted({pair.maker for pair in some})}


def _nearer(pairs: Sequence[Judged]) -> dict[str, float]:
    """Return how near the truth the two sides of pairs are: medians in dB, and how many clean sides are the nearer ones."""
    if not pairs:
        return {"pairs": 0}
    told = [(pair.before_db, pair.after_db) for pair in pairs]
    medians = {"degraded_db": statistics.median(one for one, _ in told), "clean_db": statistics.median(one for _, one in told)}
    gains = [after - before for before, after in told]
    return {"pairs": len(pairs), **medians, "gain_db": statistics.median(gains), "nearer": sum(gain > 0 for gain in gains)}


def best_of(pairs: Iterable[Judged]) -> dict[str, int]:
    """Return of how many photos with several candidates left the chosen one is the nearest to the truth."""
    photos: dict[str, list[Judged]] = {}
    for pair in pairs:
        if _end(pair) != REFUSED:
            photos.setdefault(pair.row["photo_sha256"], []).append(pair)
    several = [some for some in photos.values() if len(some) > 1]
    right = sum(max(some, key=lambda pair: pair.after_db).row["verdict"] == "keep" for some in several)
    return {"photos": len(several), "nearest_chosen": right}


def survival(run: Run) -> dict[str, int]:
    """Return how the rows of a run ended: kept, or by whom and why they were refused."""
    ends = Counter("kept" if row["verdict"] == "keep" else f"{row['decided_by']}: {_why(row)}" for row in rows_of(run))
    return dict(sorted(ends.items(), key=lambda one: (one[0] != "kept", one[0])))


def _why(row: dict[str, Any]) -> str:
    """Return the limit that a row broke, or its reason."""
    return str(row["detail"]).split(" ", 1)[0] if row["decided_by"] == "select" else str(row["reason"])


def markdown(run: Run, pairs: Sequence[Judged], command: str, steps: Mapping[str, int]) -> str:
    """Return the tables as a page.

    Args:
        run: finished.
        pairs: its candidates beside the truth.
        command: that made it.
        steps: of training, by task.
    """
    told = figures(run, pairs)
    trained = ", ".join(f"{task} {count}" for task, count in steps.items())
    lines = ["# From degraded photos to trusted pairs, where the truth is known", "", f"    {command}", "", ABOUT.format(steps=trained)]
    lines += ["| photos made as | " + " | ".join(f"taken as {task}" for task in TASKS) + " | refused |", "|---|" + "---:|" * (len(TASKS) + 1)]
    lines += [f"| {truth} | " + " | ".join(str(ends.get(task, 0)) for task in (*TASKS, "refused")) + " |" for truth, ends in told["gate"].items()]
    lines += ["", "| candidates | how many |", "|---|---:|", *(f"| {end} | {count} |" for end, count in told["survival"].items())]
    lines += ["", "| task | candidates | number | photo, dB | clean side, dB | gain, dB | nearer |", "|---|---|---:|---:|---:|---:|---:|"]
    lines += [_line(f"{task} | {end}", told["nearer"][f"{task} {end}"]) for task in TASKS for end in ENDS]
    lines += [_line(f"{name.split(' ')[0]} | all by {name.split(' ')[1]}", numbers) for name, numbers in told["makers"].items()]
    best = told["best"]
    lines += ["", f"Of {best['photos']} photos with two candidates within the limits, the nearer to the truth was chosen for {best['nearest_chosen']}."]
    return "\n".join(lines) + "\n" + NOTES


ABOUT = """The photos of the web are half of the folder's, degraded at the hard strata, and as they are; the networks learned from synthetic pairs of
the other half (steps: {steps}). Gate, makers, scores, limits (the default ones), choice and export are those of `patina build`, without any
model but the networks. PSNR is against the truth, which no verb was told of; medians.
"""
NOTES = """
What it tells, and what it does not:

- **The gate by measures alone still takes a few dark photos for low light**: a leaf in deep shade and a forest at dusk hold nothing near
  white, like photos that lack light. The limits on pairs do not find it, for a lifted night explains the night: that is what `clip` and
  `severity` are in the gate for. Its limit, 0.6 EV, was chosen among these very photos. Signs have units of their own, so what is dark and
  noisy goes to either task.
- **Minutes make weak restorers.** Most of what they give is refused for what it keeps of the degradation (`consistency.leak`) or for its
  blocks; these limits ask for trusted clean sides, not for nearer ones: of noise and compression the refused are mostly nearer to the
  truth than their photos, too.
- **Without a model the better of two candidates is not known**: `best` by the smaller colour cast is a rule that was chosen among the
  measures on these very photos, and no measure was right for more than two photos in three.
"""


def _line(name: str, numbers: dict[str, float]) -> str:
    if not numbers["pairs"]:
        return f"| {name} | 0 | - | - | - | - |"
    count, whole = int(numbers["pairs"]), numbers["degraded_db"] > MOST_DB
    before, gain = ("the truth itself", "-") if whole else (f"{numbers['degraded_db']:.2f}", f"{numbers['gain_db']:+.2f}")
    return f"| {name} | {count} | {before} | {numbers['clean_db']:.2f} | {gain} | {numbers['nearer'] / count:.0%} |"


def sheet_of(pairs: Sequence[Judged]) -> Srgb:
    """Return some pairs of every end and task: the photo, its clean side, the truth, the middle at 100 %."""
    rows = []
    for end in ENDS:
        for task in TASKS:
            for pair in [pair for pair in pairs if _task(pair) == task and _end(pair) == end][:SHOWN]:
                name = f"{task}, {end}: {pair.before_db:.1f} dB"
                by = f"{pair.maker}, {pair.after_db:.1f} dB"
                cells = zip((pair.degraded, pair.clean, pair.truth), (name, by, "truth"), strict=True)
                rows.append([Cell(detail(picture, SIDE), words) for picture, words in cells])
    return sheet(rows or [[]], "photos of the web, their clean sides, the truth")
