"""A small misalignment is undone, whole pixels without touching a pixel, and what is not small is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from displaced import displaced, still
from hypothesis import given
from hypothesis import strategies as st

from degrade.errors import BadSample, Reason
from filters.registration.match import match
from filters.registration.similarity import Similarity
from filters.registration.warp import common, correct


@pytest.mark.parametrize("true", [Similarity(2.4, -1.7), Similarity(-3, 1, 1.02, 0.8), Similarity(0.5, 0, 0.99, -1)])
def test_a_corrected_pair_is_aligned(astronaut, true):
    """After the correction of a measured misalignment, none is measured, and the sides show the same."""
    clean, degraded = displaced(astronaut, true), still(astronaut)
    ours, theirs = correct(clean, degraded, match(clean, degraded).found)
    assert ours.shape == theirs.shape
    assert min(ours.shape[:2]) > 0.95 * min(clean.shape[:2]) - 2 * true.reach_px(464, 464)
    assert match(ours, theirs).found.reach_px(464, 464) < 0.1
    assert cv2.PSNR(ours, theirs) > cv2.PSNR(clean, degraded) + 7


def test_whole_pixels_are_cut_and_not_warped(astronaut):
    """A shift by whole pixels leaves the pixels of both sides as they are."""
    clean, degraded = astronaut[10:410, 20:420], astronaut[13:413, 18:418]
    ours, theirs = correct(clean, degraded, Similarity(-2.04, 3.03))
    assert np.array_equal(ours, theirs)
    assert ours.shape == (397, 398, 3)
    assert np.array_equal(ours, astronaut[13:410, 20:418])


def test_nothing_to_correct_changes_nothing(astronaut):
    """An aligned pair comes back whole."""
    ours, theirs = correct(astronaut, astronaut, Similarity(0.01, -0.02))
    assert np.array_equal(ours, astronaut)
    assert np.array_equal(theirs, astronaut)


def test_what_is_not_small_is_refused(astronaut):
    """A corner that would move by more than a twentieth of the short side is no correction."""
    with pytest.raises(BadSample, match="26") as refused:
        correct(astronaut, astronaut, Similarity(26.0, 0))
    assert refused.value.reason is Reason.ABOVE_LIMIT


def test_sides_of_two_sizes_are_refused(astronaut):
    """Sides that differ in size are to be brought to one first."""
    with pytest.raises(ValueError, match="unresize"):
        correct(astronaut[:400], astronaut, Similarity())


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0.95, 1.05), st.floats(-3, 3))
def test_the_common_box_is_covered_by_both(across, down, scale, turn):
    """Every corner of the common box lies within the clean side, and a box that is 3 px larger all around does not."""
    found = Similarity(across, down, scale, turn)
    left, top, right, bottom = common(found, 400, 300)

    def inside(grown):
        corners = np.array([[x, y, 1] for x in (left - grown, right - 1 + grown) for y in (top - grown, bottom - 1 + grown)])
        within = np.concatenate([corners[:, :2], corners @ found.matrix(400, 300).T])
        return bool((within >= -1e-3).all() and (within <= [399 + 1e-3, 299 + 1e-3]).all())

    assert inside(0)
    assert not inside(3)
