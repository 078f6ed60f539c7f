"""Marks keep their sum, their place and their width, and are hidden by what is nearer."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.contract import Map
from degrade.drops import splat
from degrade.drops.flight import Streaks

OPEN = np.full((16, 16), 1e6, np.float32)


def mark(x: float, y: float, across: float, down: float, width: float, area: float = 10.0, distance: float = 5.0) -> Streaks:
    """Return one mark of even brightness."""
    return Streaks(*(np.array([value], np.float32) for value in (x, y, across, down, width, area, distance, 0.0, 0.25)))


def moments(layer: Map) -> tuple[float, float, float, float]:
    """Return centre and spread of a layer, px."""
    rows, columns = np.mgrid[: layer.shape[0], : layer.shape[1]] + 0.5
    total = float(layer.sum())
    x, y = float((columns * layer).sum()) / total, float((rows * layer).sum()) / total
    return x, y, (float(((columns - x) ** 2 * layer).sum()) / total) ** 0.5, (float(((rows - y) ** 2 * layer).sum()) / total) ** 0.5


@pytest.mark.parametrize("width", [0.3, 1.5, 3.0, 7.0, 20.0])
def test_sum_and_centre_are_exact_at_every_width(width: float) -> None:
    """A mark's light is its area, and its middle is where it was put, to a tenth of a pixel."""
    layer = splat.cover(mark(100.3, 80.6, 6.0, 30.0, width), OPEN, 192, 224)
    assert float(layer.sum()) == pytest.approx(10.0, rel=1e-3)
    assert moments(layer)[:2] == pytest.approx((100.3, 80.6), abs=0.12)


def test_length_and_width_are_as_asked() -> None:
    """A vertical mark has the spread of an even line down, and of its width across."""
    for width in (2.5, 5.0, 10.0):
        _, _, across, down = moments(splat.cover(mark(96, 96, 0.0, 60.0, width), OPEN, 192, 192))
        assert down == pytest.approx(60 / 12**0.5, rel=0.1)
        assert 0.15 * width < across < 0.6 * width


def test_the_picture_is_a_torus() -> None:
    """What leaves on one side enters on the other, so that the mean is even up to the edges."""
    layer = splat.cover(mark(0.2, 63.9, 4.0, 40.0, 1.0), OPEN, 64, 80)
    assert float(layer.sum()) == pytest.approx(10.0, rel=1e-4)
    assert layer[2:18].sum() == pytest.approx(4.0, rel=0.05)
    assert layer[-18:-2].sum() == pytest.approx(4.0, rel=0.05)


def test_a_mark_behind_a_thing_is_hidden() -> None:
    """Only the part of it that lies before the open half of the scene is drawn."""
    scene = OPEN.copy()
    scene[:, :8] = 2.0
    layer = splat.cover(mark(32, 32, 40.0, 0.0, 1.0), scene, 64, 64)
    assert float(layer[:, :31].sum()) == 0
    assert float(layer.sum()) == pytest.approx(5.0, rel=0.05)
    assert float(splat.cover(mark(32, 32, 40.0, 0.0, 1.0, distance=1.0), scene, 64, 64).sum()) == pytest.approx(10.0, rel=1e-3)


def test_no_marks_make_an_empty_layer() -> None:
    """Nothing drawn is zero everywhere, of the picture's size."""
    none = Streaks(*(np.zeros(0, np.float32) for _ in Streaks._fields))
    assert not splat.cover(none, OPEN, 65, 97).any()
    assert splat.cover(none, OPEN, 65, 97).shape == (65, 97)
