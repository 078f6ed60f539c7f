"""Multi-index hashing finds what comparing everything with everything finds."""

from __future__ import annotations

import numpy as np
import pytest

from filters.near import hamming


def everything(found) -> set[tuple[int, int, int]]:
    """All pairs that were found; fails if one is found twice."""
    pairs = list(zip(*(column.tolist() for column in found), strict=True))
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def random_hashes(count: int, seed: int) -> np.ndarray:
    """Random 63-bit hashes."""
    return np.random.default_rng(seed).integers(0, 1 << 63, count, np.uint64)


def turned(hashes: np.ndarray, bits: int, seed: int) -> np.ndarray:
    """Hashes with so many bits turned in each."""
    rng = np.random.default_rng(seed)
    flips = [np.bitwise_or.reduce(np.uint64(1) << rng.choice(63, bits, replace=False).astype(np.uint64)) for _ in hashes]
    return hashes ^ np.array(flips, np.uint64)


@pytest.mark.parametrize("radius", [2, 5, 8])
def test_the_bands_miss_nothing(monkeypatch, radius):
    """Tables and plain comparison find the same pairs with the same distances, each once."""
    table = random_hashes(600, 0)
    queries = np.concatenate([turned(table[:60], bits, bits) for bits in range(radius + 3)])
    plain = everything(hamming.Table(table, radius).near(queries))
    assert len(plain) >= 60 * (radius + 1)
    monkeypatch.setattr(hamming, "FEW", 0)
    assert everything(hamming.Table(table, radius).near(queries)) == plain


def test_bits_that_differ_at_the_radius_are_found_however_they_lie(monkeypatch):
    """Eleven bits in one band, or 4 + 4 + 3 over all three: found; twelve: not."""
    monkeypatch.setattr(hamming, "FEW", 0)
    zero = np.zeros(1, np.uint64)
    one_band = (1 << 11) - 1
    spread = 0b1111 | 0b1111 << 21 | 0b111 << 42
    queries = np.array([one_band, one_band << 50, spread, spread | 1 << 62], np.uint64)
    assert everything(hamming.Table(zero, 11).near(queries)) == {(0, 0, 11), (0, 1, 11), (0, 2, 11)}


@pytest.mark.parametrize("few", [0, hamming.FEW])
def test_a_cut_bounds_every_answer_and_loses_nothing(monkeypatch, few):
    """Slices follow one another, answer at most HELD hits unless of one query, and together find what one call finds."""
    monkeypatch.setattr(hamming, "FEW", few)
    monkeypatch.setattr(hamming, "HELD", 700)
    some = random_hashes(3, 0)
    table = hamming.Table(np.concatenate([turned(some.repeat(300), 2, 1), random_hashes(500, 2)]), 8)
    queries = np.concatenate([some, random_hashes(20, 3), turned(some.repeat(9), 1, 4)])
    found, slices, end = set(), list(table.cut(queries)), 0
    for part in slices:
        assert part.start == end < part.stop
        end = part.stop
        answer = table.near(queries[part])
        assert len(answer.rows) <= 700 or part.stop == part.start + 1
        found |= {(row, part.start + query, bits) for row, query, bits in everything(answer)}
    assert end == len(queries)
    assert len(slices) > 1
    assert found == everything(table.near(queries))


def test_nothing_is_near_nothing(monkeypatch):
    """An empty table and an empty question have no pairs."""
    for few in (hamming.FEW, -1):
        monkeypatch.setattr(hamming, "FEW", few)
        assert not everything(hamming.Table(random_hashes(0, 0), 5).near(random_hashes(3, 1)))
        assert not everything(hamming.Table(random_hashes(3, 1), 5).near(random_hashes(0, 0)))
        assert not list(hamming.Table(random_hashes(3, 1), 5).cut(random_hashes(0, 0)))
