"""Pairs by cosine, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from filters.near import semantic


def test_blocks_find_what_one_product_finds(monkeypatch):
    """Every pair above the limit, each once, smaller place first, whatever the length of the vectors."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    wanted = {(one, other) for one, other in np.argwhere(unit @ unit.T >= 0.6).tolist() if one < other}
    assert wanted
    monkeypatch.setattr(semantic, "BLOCK", 7)
    found = list(semantic.pairs(vectors * rng.uniform(0.1, 9.0, (60, 1)).astype(np.float32), 0.6))
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_a_vector_without_length_resembles_nothing_and_a_nan_is_an_error():
    """What a network could not say is not compared; what is no number is told."""
    vectors = np.array([[0, 0], [1, 0], [2, 0], [0, 0]], np.float32)
    assert list(semantic.pairs(vectors, -1.0)) == [(1, 2)]
    vectors[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        list(semantic.pairs(vectors, 0.9))
