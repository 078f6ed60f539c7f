"""Every pair finds the bucket of its shape, and none is enlarged."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.errors import RecipeError, RunError
from manifests.buckets import Buckets


def test_pairs_go_to_the_nearest_shape_that_fits():
    """Portrait to portrait, square to the larger square, and a pair that only a small one fits to that."""
    buckets = Buckets(((512, 512), (1024, 1024), (1152, 896), (896, 1152)))
    sizes = [(1024, 1030), (1500, 1200), (1200, 1500), (4000, 4000), (1000, 1000)]
    which, found = buckets.assign(*np.array(sizes).T)
    assert [found[at] for at in which] == [(1024, 1024), (1152, 896), (896, 1152), (1024, 1024), (512, 512)]


def test_sizes_may_follow_the_pairs():
    """Without sizes each side is rounded down to a multiple."""
    which, found = Buckets(multiple=32).assign(np.array([100, 70, 101]), np.array([64, 95, 65]))
    assert [found[at] for at in which] == [(96, 64), (64, 64), (96, 64)]


def test_buckets_around_a_side_have_about_its_area():
    """From 1:2 to 2:1, both ways round, none beyond the area and none below four fifths of it."""
    sizes = np.array(Buckets.around(1024).sizes)
    assert (1024, 1024) in Buckets.around(1024).sizes
    assert {tuple(size) for size in sizes} == {tuple(size[::-1]) for size in sizes}
    assert np.all(sizes % 64 == 0)
    assert sizes.prod(axis=1).max() <= 1024**2
    assert sizes.prod(axis=1).min() > 0.8 * 1024**2


def test_what_fits_nowhere_is_told():
    """A pair smaller than every bucket is an error that names both, and an impossible bucket is one at once."""
    with pytest.raises(RunError, match="400 x 300 px is smaller than every crop"):
        Buckets(((512, 512),)).assign(np.array([300]), np.array([400]))
    with pytest.raises(RecipeError, match="at least 1"):
        Buckets(((0, 5),))
