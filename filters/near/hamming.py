"""Every pair of 63-bit hashes within a radius, none missed: multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012).

Cut into 3 bands of 21 bits, two hashes that differ in at most r bits differ in at most r / 3 bits in one band at least.
So a band is a table with 2^21 drawers, a query opens the drawers whose number differs from its own in r / 3 bits or
fewer (232 for r = 8), and what lies in them is compared in full: some thousand hashes of millions.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.near.hashes import Hashes

BANDS, BAND_BITS = 3, 21
FEW = 1 << 24  # comparisons up to which no table pays
HELD = 1 << 24  # comparisons, and so hits, of queries that are answered together: some hundred megabytes


class Found(NamedTuple):
    """Pairs within the radius, each once."""

    rows: NDArray[np.intp]  # of the table
    queries: NDArray[np.intp]
    bits: NDArray[np.uint8]  # that differ


class Table:
    """Hashes that many queries are held against.

    Args:
        hashes: N uint64, of 63 bits.
        radius: bits in which a pair may differ.
    """

    def __init__(self, hashes: Hashes, radius: int) -> None:
        self._hashes, self._radius = hashes, radius
        self._flips = _flips(radius // BANDS)

    def cut(self, queries: Hashes) -> Iterator[slice]:
        """Yield slices of the queries, one for each call of `near`, so that no answer has more than HELD hits.

        A slice of one query may need more: BANDS comparisons for each hash of the table.
        """
        ends, begin = np.cumsum(self._comparisons(queries)), 0
        while begin < len(queries):
            before = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + HELD, side="right")))
            yield slice(begin, end)
            begin = end

    def near(self, queries: Hashes) -> Found:
        """Return all pairs within the radius."""
        if self._is_small(queries):
            bits = np.bitwise_count(self._hashes[:, None] ^ queries[None])
            rows, columns = np.nonzero(bits <= self._radius)
            return Found(rows, columns, bits[rows, columns])
        parts = [part for band in range(BANDS) for part in self._in_band(band, queries)]
        return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _is_small(self, queries: Hashes) -> bool:
        return len(self._hashes) * len(queries) <= FEW

    def _comparisons(self, queries: Hashes) -> NDArray[np.int64]:
        """Return what `near` compares each query with, counted without opening a drawer."""
        if self._is_small(queries):
            return np.full(len(queries), len(self._hashes), np.int64)
        counts = np.zeros(len(queries), np.int64)
        for band in range(BANDS):
            sizes, keys = np.diff(self._drawers[band][2]), _keys(queries, band)
            for flip in self._flips:
                counts += sizes[keys ^ flip]
        return counts

    @functools.cached_property
    def _drawers(self) -> list[tuple[NDArray[np.intp], Hashes, NDArray[np.int64]]]:
        return [self._sorted(band) for band in range(BANDS)]

    def _sorted(self, band: int) -> tuple[NDArray[np.intp], Hashes, NDArray[np.int64]]:
        """Return the table in the order of its drawers, and where each drawer begins."""
        keys = _keys(self._hashes, band)
        order = np.argsort(keys, kind="stable")
        begins = np.zeros((1 << BAND_BITS) + 1, np.int64)
        np.cumsum(np.bincount(keys, minlength=1 << BAND_BITS), out=begins[1:])
        return order, self._hashes[order], begins

    def _in_band(self, band: int, queries: Hashes) -> Iterator[Found]:
        """Yield what a band finds and no earlier band has found."""
        order, hashes, begins = self._drawers[band]
        by_key = np.argsort(_keys(queries, band), kind="stable")  # neighbours open neighbouring drawers
        queries = queries[by_key]
        keys = _keys(queries, band)
        for flip in self._flips:
            drawers = keys ^ flip
            first, counts = begins[drawers], begins[drawers + 1] - begins[drawers]
            ends = np.cumsum(counts)
            places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + counts, counts)
            asked = np.repeat(np.arange(len(queries)), counts)
            differ = hashes[places] ^ queries[asked]
            bits = np.bitwise_count(differ)
            hit = np.flatnonzero(bits <= self._radius)
            for earlier in range(band):
                hit = hit[np.bitwise_count(_keys(differ[hit], earlier)) > self._radius // BANDS]
            yield Found(order[places[hit]], by_key[asked[hit]], bits[hit])


def _flips(most: int) -> NDArray[np.int64]:
    """Return every pattern of 21 bits of which at most so many are set."""
    places = (bits for count in range(most + 1) for bits in itertools.combinations(range(BAND_BITS), count))
    return np.array([sum(1 << bit for bit in bits) for bits in places], np.int64)


def _keys(hashes: Hashes, band: int) -> NDArray[np.int64]:
    """Return the 21 bits of a band."""
    keys: NDArray[np.int64] = ((hashes >> np.uint64(band * BAND_BITS)) & np.uint64((1 << BAND_BITS) - 1)).astype(np.int64)
    return keys
