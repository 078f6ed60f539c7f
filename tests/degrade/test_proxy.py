"""Proxies shrink by area, and a cut covers exactly its crop."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.scene.proxy import cut, proxy


def test_a_proxy_keeps_the_mean_and_the_aspect(rocket: Srgb) -> None:
    """Reducing by area changes no brightness."""
    small = proxy(rocket, 200)
    assert max(small.shape[:2]) == 200
    assert small.shape[1] / small.shape[0] == pytest.approx(rocket.shape[1] / rocket.shape[0], rel=0.02)
    assert small.mean() == pytest.approx(rocket.mean(), abs=0.5)


def test_a_small_photo_is_its_own_proxy(rocket: Srgb) -> None:
    """Proxies are never enlarged."""
    assert proxy(rocket, 4000) is rocket


def test_a_cut_of_everything_is_everything() -> None:
    """The whole photo's box gives the whole map back, bit for bit."""
    whole = np.random.default_rng(0).random((34, 51), dtype=np.float32)
    assert np.array_equal(cut(whole, (0, 0, 1020, 680), (1020, 680)), whole)


def test_a_cut_of_a_ramp_has_the_ramps_values() -> None:
    """A pixel of the cut is the map's value at the same place of the photo, fractions included."""
    width, height = 1000, 400
    whole = np.repeat(((np.arange(100, dtype=np.float32) + 0.5) / 100)[None], 40, 0)
    x, crop = 123.4, 511.3
    part = cut(whole, (x, 10.5, crop, 300.0), (width, height))
    places = (x + crop * (np.arange(part.shape[1]) + 0.5) / part.shape[1]) / width
    assert np.allclose(part[5], places, atol=1e-5)


def test_a_tiny_cut_is_still_sixteen_wide() -> None:
    """Whoever filters a cut finds neighbours."""
    assert cut(np.zeros((50, 50), np.float32), (10, 10, 5, 7), (4000, 4000)).shape == (16, 16)


def test_labels_are_never_mixed() -> None:
    """Integer maps take the nearest value and keep their type."""
    whole = np.random.default_rng(0).integers(0, 9, (40, 60)).astype(np.int32)
    part = cut(whole, (33.3, 21.7, 200.9, 150.1), (600, 400))
    assert part.dtype == np.int32
    assert set(np.unique(part)) <= set(np.unique(whole))


@pytest.mark.parametrize("box", [(0, 0, 0, 10), (-5, 0, 50, 50), (60, 60, 50, 50)])
def test_a_box_outside_the_photo_is_refused(box: tuple[float, float, float, float]) -> None:
    """A crop that is not of this photo is a mistake."""
    with pytest.raises(ValueError, match="box"):
        cut(np.zeros((10, 10), np.float32), box, (100, 100))
