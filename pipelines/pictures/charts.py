"""Charts as pictures: histograms, stacked bars, rates over time; drawn in milliseconds, in the manner of the contact sheets.

Bars are rectangles, so Pillow is enough, and nobody has to install or load a plotting library to look at a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from degrade.contract import Srgb
from pipelines.pictures.sheet import INK, PAPER, fitting, font

WIDTH, HEIGHT = 300, 168  # px of a panel
EDGE, HEAD, FOOT = 10, 26, 22  # px around its bars
MOST_BINS, FEWEST_BINS = 40, 6
PER_STRATUM = 5  # bars
MOST_WORDS = 7
MOST_NUMBERS = 8  # different whole numbers that are told apart by a bar each
DECADES = 100.0  # a wider span than this is drawn logarithmically
ANY = 1e-300  # the least number that has a logarithm
GROUND, FAINT, BAR = (30, 30, 34), (128, 128, 136), (108, 152, 208)
SHADES = ((178, 204, 232), (141, 179, 220), (108, 152, 208), (78, 120, 178), (55, 88, 138))  # mild to severe
UNGRADED = (120, 120, 124)


class _Panel:
    """A ground with a title, and the rectangle in which bars stand."""

    def __init__(self, title: str, note: str = "", size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.page = Image.new("RGB", size, GROUND)
        self.pen = ImageDraw.Draw(self.page)
        self.left, self.right, self.top, self.bottom = EDGE, size[0] - EDGE, HEAD, size[1] - FOOT
        room = self.right - self.left - (self.pen.textlength(note, font(11)) + EDGE if note else 0)
        self.text(self.left, 6, fitting(self.pen, title, int(room)), INK, 13)
        self.text(self.right, 7, note, FAINT, 11, "ra")

    def text(self, x: float, y: float, words: str, ink: tuple[int, int, int] = FAINT, size: int = 11, anchor: str = "la") -> None:
        self.pen.text((x, y), words, ink, font(size), anchor=anchor)

    def foot(self, left: str, middle: str, right: str) -> None:
        for x, words, anchor in ((self.left, left, "la"), ((self.left + self.right) / 2, middle, "ma"), (self.right, right, "ra")):
            self.text(x, self.bottom + 5, words, anchor=anchor)

    def bars(self, heights: Sequence[float], shades: Sequence[tuple[int, int, int]] = ()) -> None:
        """Draw bars of relative heights side by side over the whole width."""
        wide, tall = (self.right - self.left) / len(heights), self.bottom - self.top
        most = max(heights) or 1.0
        for at, height in enumerate(heights):
            if height > 0:
                x, y = self.left + at * wide, self.bottom - max(1.0, tall * height / most)
                self.pen.rectangle((round(x), round(y), max(round(x), round(x + wide) - 2), self.bottom - 1), shades[at] if shades else BAR)
        self.pen.line((self.left, self.bottom, self.right - 1, self.bottom), FAINT)

    def picture(self) -> Srgb:
        return np.asarray(self.page)


def panel(title: str, values: Sequence[Any] | NDArray[Any], unit: str = "") -> Srgb:
    """Return one distribution: a histogram of numbers, a bar for each of few whole numbers or words.

    Args:
        title: what is counted.
        values: numbers, words or truths; NaN and None are left out.
        unit: of numbers.
    """
    told, kept = titled(title, unit), known(values)
    if not kept:
        return _Panel(told, "nothing").picture()
    if isinstance(kept[0], (str, bool, np.bool_)):
        return _words(told, Counter("yes" if value is True else "no" if value is False else str(value) for value in kept))
    numbers = np.asarray(kept, np.float64)
    different = np.unique(numbers)
    if len(different) <= MOST_NUMBERS and np.all(different == np.round(different)):
        return _few(told, numbers, different)
    return _histogram(told, numbers)


def titled(title: str, unit: str) -> str:
    """Return a title with its unit."""
    return f"{title} [{unit}]" if unit else title


def known(values: Sequence[Any] | NDArray[Any]) -> list[Any]:
    """Return the values that there are."""
    return [value for value in values if value is not None and value == value]  # noqa: PLR0124 - only NaN differs from itself


def bins(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of bins, by the rule of Rice: of equal ratio where numbers are positive and span two decades, else equal."""
    low, high = float(numbers.min()), float(numbers.max())
    count = min(max(round(2 * len(numbers) ** (1 / 3)), FEWEST_BINS), MOST_BINS)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.geomspace(low, high, count + 1) if logarithmic(low, high) else np.linspace(low, high, count + 1)


def logarithmic(low: float, high: float) -> bool:
    """Return whether a span is drawn logarithmically."""
    return bool(low > ANY and high / low > DECADES)


def number(value: float) -> str:
    """Return a number in three digits, as people write it."""
    if value == 0 or 1e-3 <= abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.1e}"


def _histogram(told: str, numbers: NDArray[np.float64]) -> Srgb:
    drawn, edges = _Panel(told), bins(numbers)
    drawn.bars(np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)[0].tolist())
    drawn.foot(number(edges[0]), f"median {number(float(np.median(numbers)))}" + ", log" * logarithmic(edges[0], edges[-1]), number(edges[-1]))
    return drawn.picture()


def severity(title: str, values: NDArray[Any], unit: str, strata: Sequence[float]) -> Srgb:
    """Return how severe pairs are, mild to severe from left to right; every stratum is as wide as the others.

    Args:
        title: what is counted.
        values: severities.
        unit: of them.
        strata: the edges of the strata, rising or falling.
    """
    drawn, falling = _Panel(titled(title, unit)), strata[0] > strata[-1]
    places = np.interp(-values, -np.asarray(strata), range(len(strata))) if falling else np.interp(values, strata, range(len(strata)))
    counts = np.histogram(places, (len(strata) - 1) * PER_STRATUM, (0, len(strata) - 1))[0]
    drawn.bars(counts.tolist(), [SHADES[at // PER_STRATUM] for at in range(len(counts))])
    for at, edge in enumerate(strata):
        x = drawn.left + (drawn.right - drawn.left) * at / (len(strata) - 1)
        drawn.text(x, drawn.bottom + 5, number(edge), anchor="la" if not at else "ra" if at == len(strata) - 1 else "ma")
    return drawn.picture()


def _few(told: str, numbers: NDArray[np.float64], different: NDArray[np.float64]) -> Srgb:
    drawn = _Panel(told)
    drawn.bars([int(np.sum(numbers == value)) for value in different])
    wide = (drawn.right - drawn.left) / len(different)
    for at, value in enumerate(different):
        drawn.text(drawn.left + (at + 0.5) * wide, drawn.bottom + 5, f"{value:g}", anchor="ma")
    return drawn.picture()


def _words(told: str, counts: Counter[str]) -> Srgb:
    """Draw a line for each of the commonest words, and one for all the others."""
    drawn = _Panel(told)
    shown = counts.most_common(MOST_WORDS if len(counts) <= MOST_WORDS else MOST_WORDS - 1)
    rest = counts.total() - sum(count for _, count in shown)
    shown += [(f"{len(counts) - len(shown)} others", rest)] if rest else []
    step, most = (HEIGHT - HEAD - 6) / max(len(shown), 4), max(count for _, count in shown)
    for at, (word, count) in enumerate(shown):
        y = HEAD + at * step
        length = (drawn.right - drawn.left) * 0.5 * count / most
        drawn.pen.rectangle((drawn.left, round(y + 1), drawn.left + max(1, round(length)), round(y + step - 3)), BAR)
        drawn.text(drawn.left + length + 6, y + step / 2 - 1, fitting(drawn.pen, f"{word}  {count}", WIDTH - int(length) - 3 * EDGE), INK, anchor="lm")
    return drawn.picture()


def stacked(title: str, rows: Sequence[tuple[str, Sequence[int], str]], legend: Sequence[str], width: int = 3 * WIDTH) -> Srgb:
    """Return a bar for each row, made of parts in the shades of the strata.

    Args:
        title: what is counted.
        rows: name, parts, and a word at the end.
        legend: what the parts are called.
        width: px.
    """
    line, names = 22, 130
    drawn = _Panel(title, size=(width, HEAD + line * len(rows) + EDGE))
    x = float(drawn.right)
    for name, shade in reversed(list(zip(legend, (*SHADES, UNGRADED), strict=False))):
        drawn.text(x, 7, name, anchor="ra")
        x -= drawn.pen.textlength(name, font(11)) + 14
        drawn.pen.rectangle((x, 9, x + 9, 18), shade)
        x -= 12
    most, room = max(sum(parts) for _, parts, _ in rows) or 1, width - names - 2 * EDGE - 170
    for at, (name, parts, word) in enumerate(rows):
        y, x = HEAD + at * line, float(EDGE + names)
        drawn.text(EDGE, y + line / 2, name, INK, 13, "lm")
        for shade, count in zip((*SHADES, UNGRADED), parts, strict=False):
            wide = room * count / most
            if count:
                drawn.pen.rectangle((round(x), y + 3, max(round(x), round(x + wide) - 2), y + line - 4), shade)
                if wide > 8 * len(str(count)):
                    drawn.text(x + wide / 2 - 1, y + line / 2, str(count), PAPER, 11, "mm")
            x += wide
        drawn.text(x + 6, y + line / 2, f"{sum(parts)}{word}".rstrip(), FAINT, 11, "lm")
    return drawn.picture()


def over_time(title: str, rates: Sequence[float], minutes: float, note: str, width: int = 3 * WIDTH) -> Srgb:
    """Return how fast something went: a bar for each equal piece of the time."""
    drawn = _Panel(title, note, (width, HEIGHT))
    drawn.bars(rates)
    drawn.foot("0", "", f"{number(minutes)} minutes of work")
    drawn.text(drawn.left, drawn.top, f"{number(max(rates))} pairs/s")
    return drawn.picture()
