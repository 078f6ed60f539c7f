"""Segments: complete, connected to the photo's edges, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.contract import Srgb
from degrade.scene.segments import labels_from_masks, superpixels


def is_complete(labels: np.ndarray) -> bool:
    """Say whether the labels are 0..n-1 with none missing."""
    return labels.dtype == np.int32 and np.array_equal(np.unique(labels), np.arange(labels.max() + 1))


def test_a_photo_has_about_as_many_segments_as_asked(astronaut: Srgb) -> None:
    """The count is met within a quarter, and every label has pixels."""
    labels = superpixels(astronaut[::2, ::2], 64)
    assert is_complete(labels)
    assert 48 <= labels.max() + 1 <= 80


def test_segments_stop_at_edges() -> None:
    """Two halves of different colour share no segment, up to the seam."""
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[:, 50:] = (200, 150, 90)
    labels = superpixels(picture, 24)
    assert not set(np.unique(labels[:, :47])) & set(np.unique(labels[:, 53:]))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 90), st.integers(0, 2**31))
def test_any_size_and_content_is_labelled(height: int, width: int, count: int, seed: int) -> None:
    """Tiny, flat and chaotic pictures all get complete labels, the same twice."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for picture in (noise, np.zeros_like(noise)):
        labels = superpixels(picture, count)
        assert labels.shape == (height, width)
        assert is_complete(labels)
        assert np.array_equal(labels, superpixels(picture, count))


def test_no_segments_cannot_be_asked_for() -> None:
    """A count of zero is refused."""
    with pytest.raises(ValueError, match="count = 0"):
        superpixels(np.zeros((8, 8, 3), np.uint8), 0)


def test_without_masks_superpixels_remain(rocket: Srgb) -> None:
    """A segmenter that found nothing leaves the stand-in's labels."""
    small = np.ascontiguousarray(rocket[::3, ::3])
    assert np.array_equal(labels_from_masks([], small, 30), superpixels(small, 30))


def test_the_smaller_mask_wins_and_the_rest_is_filled(rocket: Srgb) -> None:
    """Of two overlapping masks the smaller keeps its pixels, whatever their order; empty masks leave no label."""
    small = np.ascontiguousarray(rocket[::3, ::3])
    large, inner, none = (np.zeros(small.shape[:2], bool) for _ in range(3))
    large[20:100, 20:100] = True
    inner[40:60, 40:60] = True
    for masks in ([large, inner, none], [none, inner, large]):
        labels = labels_from_masks(masks, small, 20)
        assert is_complete(labels)
        assert len(np.unique(labels[inner])) == 1
        assert len(np.unique(labels[large & ~inner])) == 1
        assert labels[50, 50] != labels[30, 30]
        assert len(np.unique(labels[~large])) > 5


def test_masks_of_another_size_are_refused(rocket: Srgb) -> None:
    """A mask must belong to the proxy."""
    with pytest.raises(ValueError, match="masks belong to the proxy"):
        labels_from_masks([np.ones((4, 4), bool)], rocket)
