"""What came of it: one table for people in Markdown, the same as JSON, every picture's numbers beside it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

IDENTITY = "identity"  # no restoration: what the degraded side scores itself
ALL = "all"
HEADS = {"psnr_db": "PSNR dB", "ssim": "SSIM", "lpips": "LPIPS"}
DIGITS = {"psnr_db": 2, "ssim": 4, "lpips": 4}


class Judged(NamedTuple):
    """One picture as one contender restored it."""

    test: str
    group: str
    name: str
    by: str  # IDENTITY or a run
    scores: dict[str, float]


class Line(NamedTuple):
    """One line of the table."""

    test: str
    group: str
    pairs: int
    by: str
    scores: dict[str, float]  # means
    gain_db: float  # mean over pairs of the PSNR won over the identity
    gain_error_db: float  # standard error of that mean

    def as_json(self) -> dict[str, Any]:
        """Return the line for machines."""
        return self._asdict()


def lines(judged: Sequence[Judged]) -> list[Line]:
    """Return the means by test, group and contender; a test of several groups gets a line over all of them."""
    made = []
    for test in dict.fromkeys(one.test for one in judged):
        here = [one for one in judged if one.test == test]
        groups = list(dict.fromkeys(one.group for one in here))
        for group in groups if len(groups) == 1 else [*groups, ALL]:
            inside = [one for one in here if group in (one.group, ALL)]
            made += [_line(test, group, inside, by) for by in dict.fromkeys(one.by for one in inside)]
    return made


def _line(test: str, group: str, inside: list[Judged], by: str) -> Line:
    own = [one.scores for one in inside if one.by == by]
    before = [one.scores["psnr_db"] for one in inside if one.by == IDENTITY]
    gains = [after["psnr_db"] - old for after, old in zip(own, before, strict=True)]
    error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0
    means = {name: statistics.fmean(scores[name] for scores in own) for name in own[0]}
    return Line(test, group, len(own), by, means, statistics.fmean(gains), error)


def markdown(table: Sequence[Line]) -> str:
    """Return the table for people; the best contender of each group is bold in PSNR."""
    names = list(table[0].scores)
    heads = ["pairs of", "task", "n", "restored by", HEADS["psnr_db"], "gain dB", *(HEADS[name] for name in names if name != "psnr_db")]
    rows = [heads, ["---", "---", "---:", "---", *["---:"] * (len(heads) - 4)]]
    best: dict[tuple[str, str], float] = {}
    for line in table:
        place = (line.test, line.group)
        best[place] = max(best.get(place, -math.inf), line.scores["psnr_db"])
    for line in table:
        told = {name: f"{value:.{DIGITS[name]}f}" for name, value in line.scores.items()}
        psnr = f"**{told['psnr_db']}**" if line.scores["psnr_db"] == best[line.test, line.group] else told["psnr_db"]
        gain = "" if line.by == IDENTITY else f"{line.gain_db:+.2f} ± {line.gain_error_db:.2f}"
        rows.append([line.test, line.group, str(line.pairs), line.by, psnr, gain, *(told[name] for name in names if name != "psnr_db")])
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
