"""Maps of shift, scale and rotation compose, invert and are written as OpenCV reads them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.registration.similarity import Similarity

MAPS = st.builds(
    Similarity,
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(0.5, 2),
    st.floats(-90, 90),
)


def matrix3(one):
    return np.vstack([one.matrix(640, 480), [0, 0, 1]])


@given(MAPS, MAPS)
def test_maps_compose_as_their_matrices_do(one, other):
    """Taking one map after another is the product of their matrices."""
    np.testing.assert_allclose(matrix3(one.after(other)), matrix3(one) @ matrix3(other), atol=1e-6)


@given(MAPS)
def test_the_way_back_leads_back(one):
    """A map and its inverse leave everything in its place."""
    np.testing.assert_allclose(matrix3(one.after(one.inverse())), np.eye(3), atol=1e-6)


def test_the_centre_moves_by_the_shift():
    """Turning and growing are about the centre."""
    moved = Similarity(3, -2, 1.1, 30).matrix(101, 51) @ [50, 25, 1]
    np.testing.assert_allclose(moved, [53, 23])


def test_a_positive_rotation_is_clockwise():
    """A quarter turn takes what is right of the centre below it, as one looks at a picture."""
    np.testing.assert_allclose(Similarity(rotation_deg=90).matrix(101, 101) @ [60, 50, 1], [50, 60], atol=1e-9)


def test_a_map_is_the_same_on_a_larger_photo():
    """Twice the size is twice the shift, and the same turn and scale."""
    assert Similarity(1, 2, 1.1, 5).resized(2) == Similarity(2, 4, 1.1, 5)


def test_reach_is_what_the_farthest_corner_moves():
    """A growth of a tenth moves corners by a tenth of the half diagonal."""
    assert Similarity(scale=1.1).reach_px(600, 800) == pytest.approx(50.0)
    assert Similarity(3, 4).reach_px(600, 800) == pytest.approx(5.0)
