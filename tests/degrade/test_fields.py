"""Random fields: what their names promise, the same every time."""

from __future__ import annotations

import numpy as np

from degrade.arrays import fields

PINNED = [584, 26870, 62630, 65248, 34943, 37859]


def test_gaussian_fields_are_normal_and_white() -> None:
    """Mean 0, variance 1, kurtosis 3, neighbours unrelated."""
    field = fields.gaussian(11, 512, 512).astype(np.float64)
    assert abs(field.mean()) < 0.01
    assert abs(field.var() - 1) < 0.01
    assert abs((field**4).mean() - 3) < 0.06
    assert abs(np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1]) < 0.01


def test_a_seed_is_a_field() -> None:
    """The same seed gives the same bits, the next one an unrelated field."""
    first = fields.gaussian(5, 64, 64, 3)
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, fields.gaussian(5, 64, 64, 3))
    assert abs(np.corrcoef(first.ravel(), fields.gaussian(6, 64, 64, 3).ravel())[0, 1]) < 0.03


def test_raw_words_are_pinned() -> None:
    """The first words of a seed are these on every machine, or old manifests cannot be replayed."""
    assert fields.random_words(1, (4,)).tolist() == fields.random_words(1, (2, 2)).ravel().tolist()
    assert fields.random_words(1, (6,)).tolist() == PINNED


def test_fractal_fields_are_smooth_and_of_unit_size() -> None:
    """Neighbours are nearly equal, the variance is about one, and odd sizes are fine."""
    field = fields.fractal(9, 301, 407, 32.0)
    assert field.shape == (301, 407)
    assert 0.4 < field.std() < 1.6
    assert np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1] > 0.9


def test_fields_leave_the_global_state_alone() -> None:
    """Numpy's global generator does not notice."""
    before = np.random.get_state()[1].copy()
    fields.gaussian(1, 32, 32)
    fields.fractal(1, 32, 32, 8.0)
    assert np.array_equal(before, np.random.get_state()[1])
