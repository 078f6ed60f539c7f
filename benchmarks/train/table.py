"""What came of it: one table for people in Markdown, the same as JSON, every picture's numbers beside it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

IDENTITY = "identity"  # no restoration: what the degraded side scores itself
ALL = "all"
HEADS = {"l1": "L1", "psnr_db": "PSNR dB", "ssim": "SSIM", "lpips": "LPIPS"}
GAINS = {"l1": "change", "psnr_db": "gain dB"}  # what is told with its error
DIGITS = {"l1": 2, "psnr_db": 2, "ssim": 4, "lpips": 4}


class Judged(NamedTuple):
    """One picture as one contender restored it."""

    test: str
    group: str
    name: str
    photo: str
    by: str  # IDENTITY or a run
    scores: dict[str, float]


class Gain(NamedTuple):
    """What a restorer adds to a score."""

    mean: float  # over pairs
    error: float  # standard error of that mean; pairs of one photo go wrong together and count as one draw


class Line(NamedTuple):
    """One line of the table."""

    test: str
    group: str
    pairs: int
    photos: int
    by: str
    scores: dict[str, float]  # means
    gains: dict[str, Gain]  # over the identity, by score

    def as_json(self) -> dict[str, Any]:
        """Return the line for machines."""
        return {**self._asdict(), "gains": {name: gain._asdict() for name, gain in self.gains.items()}}


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
    own, before = ([one for one in inside if one.by == who] for who in (by, IDENTITY))
    names = list(own[0].scores)
    means = {name: statistics.fmean(one.scores[name] for one in own) for name in names}
    photos = [one.photo for one in own]
    gains = {name: _gain([new.scores[name] - old.scores[name] for new, old in zip(own, before, strict=True)], photos) for name in names}
    return Line(test, group, len(own), len(set(photos)), by, means, gains)


def _gain(differences: list[float], photos: list[str]) -> Gain:
    """Return the mean with its cluster-robust standard error (Liang and Zeger, Biometrika 1986)."""
    mean, off = statistics.fmean(differences), dict.fromkeys(photos, 0.0)
    for photo, difference in zip(photos, differences, strict=True):
        off[photo] += difference - mean
    spread = math.sqrt(sum(value**2 for value in off.values())) / len(differences)
    return Gain(mean, spread * math.sqrt(len(off) / (len(off) - 1)) if len(off) > 1 else 0.0)


def markdown(table: Sequence[Line]) -> str:
    """Return the table for people; the best contender of each group is bold in PSNR."""
    names = list(table[0].scores)
    told = [head for name in names for head in ([HEADS[name], GAINS[name]] if name in GAINS else [HEADS[name]])]
    rows = [["pairs of", "task", "pairs", "photos", "restored by", *told], ["---", "---", "---:", "---:", "---", *["---:"] * len(told)]]
    best: dict[tuple[str, str], float] = {}
    for line in table:
        place = (line.test, line.group)
        best[place] = max(best.get(place, -math.inf), line.scores["psnr_db"])
    for line in table:
        cells = [line.test, line.group, str(line.pairs), str(line.photos), line.by]
        for name, value in line.scores.items():
            bold = "**" if name == "psnr_db" and value == best[line.test, line.group] else ""
            cells.append(f"{bold}{value:.{DIGITS[name]}f}{bold}")
            if name in GAINS:
                cells.append("" if line.by == IDENTITY else _signed(line.gains[name]))
        rows.append(cells)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _signed(gain: Gain) -> str:
    return f"{gain.mean:+.2f} ± {gain.error:.2f}" if gain.error else f"{gain.mean:+.2f}"


def verdict(table: Sequence[Line]) -> str:
    """Return in a line each what became of the loss and the PSNR over a whole test."""
    told = []
    for test in dict.fromkeys(line.test for line in table):
        whole = [line for line in table if line.test == test][-1].group
        for line in table:
            if (line.test, line.group) == (test, whole) and line.by != IDENTITY:
                l1, psnr, after = line.gains["l1"], line.gains["psnr_db"], line.scores["l1"]
                loss = f"loss (L1) {after - l1.mean:.2f} -> {after:.2f} ({_signed(l1)})"
                told.append(f"{test}, {line.by}: {loss}, PSNR {_signed(psnr)} dB; errors over {line.photos} photos")
    return "\n".join(told)
