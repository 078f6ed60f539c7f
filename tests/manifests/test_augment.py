"""Crops, mirrors and turns move both sides alike, change no pixel, and are drawn evenly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.errors import RecipeError
from manifests.augment import Augment, turned
from manifests.draws import generator

COORDINATES = np.stack(np.meshgrid(np.arange(60), np.arange(90), indexing="ij"), axis=-1).astype(np.uint16)  # of 60 x 90 px


def applied(augment: Augment, seed: int, wanted: tuple[int, int]) -> np.ndarray:
    """Return the coordinates that come out."""
    placement = augment.sample(generator(seed, "augment"), (60, 90), wanted)
    top, left, height, width = placement.window
    return turned(COORDINATES[top : top + height, left : left + width], placement)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 60), width=st.integers(1, 90))
def test_what_comes_out_is_a_rigid_piece_of_the_picture(seed, height, width):
    """Of any size asked for: neighbours stay neighbours, every pixel is one of the picture's."""
    out = applied(Augment(crop=(height, width), flip=True, rotate=True), seed, (height, width)).astype(int)
    assert out.shape == (height, width, 2)
    for axis in (0, 1):
        steps = np.diff(out, axis=axis).reshape(-1, 2)
        assert np.all(np.abs(steps).sum(axis=1) == 1)
        assert len(np.unique(steps, axis=0)) <= 1


def test_all_eight_orientations_and_all_places_are_drawn_alike():
    """Over 4,000 draws each of 8 orientations and each of 11 x 41 corners comes as often as chance has it."""
    augment = Augment(crop=50, flip=True, rotate=True)
    drawn = [augment.sample(generator(seed, "augment"), (60, 90), (50, 50)) for seed in range(4000)]
    ways = np.unique([(place.mirrored, place.turns) for place in drawn], axis=0, return_counts=True)[1]
    assert len(ways) == 8
    assert np.abs(ways - 500).max() < 5 * np.sqrt(500)
    for values, count in (([place.window.top for place in drawn], 11), ([place.window.left for place in drawn], 41)):
        found = np.bincount(values, minlength=count)
        assert len(found) == count
        assert ((found - 4000 / count) ** 2 / (4000 / count)).sum() < count + 5 * np.sqrt(2 * count)


def test_nothing_varies_unless_it_is_asked_for():
    """Without options the picture is whole; a centred crop is the middle."""
    assert np.array_equal(applied(Augment(), 1, (60, 90)), COORDINATES)
    assert np.array_equal(applied(Augment(crop=20, centred=True), 1, (20, 20)), COORDINATES[20:40, 35:55])
    with pytest.raises(RecipeError, match="at least 1 px"):
        Augment(crop=0)
