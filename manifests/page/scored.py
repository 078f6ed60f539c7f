"""The numbers of all scorers, as columns: held beside the light ones, and sent to the browser one by one as they are wanted.

A run with every scorer has some ninety numbers for a pair, 37 MB for 100,000 pairs; a person looks at a handful of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.limits import EVERY, Limit
from manifests.page.row import Parameter, score_unit, title_of

OWN = ""  # the scorer of what rendering itself measures, such as psnr_db


@dataclass(frozen=True, slots=True)
class Scored:
    """Every score of every pair.

    Attributes:
        places: name -> line of `values`.
        values: KxN float32 for K scores and N pairs; NaN where a pair has none.
    """

    places: Mapping[str, int]
    values: NDArray[np.float32]

    def of(self, name: str) -> NDArray[np.float32]:
        """Return one score of every pair; raises KeyError for one that no pair has."""
        column: NDArray[np.float32] = self.values[self.places[name]]
        return column

    def row(self, at: int) -> list[tuple[str, float]]:
        """Return the scores that a pair has, by name."""
        return [(name, float(self.values[place, at])) for name, place in self.places.items() if not np.isnan(self.values[place, at])]

    def below(self, at: int, peers: NDArray[np.bool_]) -> dict[str, float]:
        """Return by score the share of peers that lie below a pair: 0..1; scores that fewer than ten have are left out.

        Args:
            at: row number of the pair.
            peers: N booleans, the pairs to compare it with.
        """
        among = self.values[:, peers]
        there = np.sum(~np.isnan(among), axis=1)
        lower = np.sum(among < self.values[:, at, None], axis=1)
        return {name: float(lower[place] / there[place]) for name, place in self.places.items() if there[place] >= 10}


def scored(column: pa.ChunkedArray) -> Scored:
    """Spread a map of scores out into columns.

    Args:
        column: map of text to float64, by pair.
    """
    places: dict[str, int] = {}
    parts = [(chunk.keys.dictionary_encode(), chunk) for chunk in column.chunks]
    for coded, _ in parts:
        for name in sorted(coded.dictionary.to_pylist()):
            places.setdefault(name, len(places))
    values = np.full((len(places), len(column)), np.nan, np.float32)
    begin = 0
    for coded, chunk in parts:
        lines = np.array([places[name] for name in coded.dictionary.to_pylist()], np.int32)
        offsets = chunk.offsets.to_numpy()
        rows = begin + np.repeat(np.arange(len(chunk)), np.diff(offsets))
        used = slice(int(offsets[0]), int(offsets[-1])) if len(chunk) else slice(0, 0)
        values[lines[coded.indices.to_numpy()[used]], rows] = chunk.items.to_numpy(zero_copy_only=False)[used]
        begin += len(chunk)
    return Scored(dict(sorted(places.items())), values)


def catalogue(names: Iterable[str], measures: Mapping[str, Parameter], limits: Mapping[str, Limit]) -> list[dict[str, Any]]:
    """Return what is told of every score, as the page lists them: scorer by scorer, in the order in which scorers announce them.

    Args:
        names: of the scores that a run has.
        measures: unit and meaning of those that scorers announce, by `scorer.measure`.
        limits: of the recipe, by score.
    """
    announced = {name: place for place, name in enumerate(measures)}
    ordered = sorted(names, key=lambda name: (split(name)[0], announced.get(name, len(announced)), name))
    return [about(name, measures) | {"limits": dict(limits.get(name, {}))} for name in ordered]


def about(name: str, measures: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return a score's scorer, title, unit and meaning."""
    scorer, measure = split(name)
    told = measures.get(name) or Parameter(score_unit(name), "")
    title = title_of(measure) if told.unit == score_unit(name) else measure.replace("_", " ").replace(".", " / ")
    return {"name": name, "scorer": scorer, "title": title, **told._asdict()}


def split(name: str) -> tuple[str, str]:
    """Return a score's scorer and measure; rendering's own have no scorer."""
    scorer, dot, measure = name.partition(".")
    return (scorer, measure) if dot else (OWN, name)


def limit_of(limit: Limit, task: str) -> tuple[float, float] | None:
    """Return the limit that holds for a task, lowest and highest."""
    return limit.get(task) or limit.get(EVERY)
