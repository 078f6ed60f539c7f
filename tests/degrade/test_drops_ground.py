"""Splashes stay on the ground: not on a car, nor on a windscreen that is as dark and calm as the road."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.contract import Linear
from degrade.drops import ground

FACING = np.ones((120, 160), np.float32)


def road() -> Linear:
    """A grey road with some grain."""
    rng = np.random.default_rng(0)
    return (0.1 + 0.01 * rng.random((120, 160, 1), np.float32) * np.ones(3, np.float32)).astype(np.float32)


def test_a_road_is_ground() -> None:
    """Where all is alike, all is ground."""
    assert ground.alike(road(), FACING).mean() > 0.9


@pytest.mark.parametrize("colour", [(0.5, 0.02, 0.1), (0.8, 0.8, 0.8)])
def test_a_car_is_no_ground(colour: tuple[float, float, float]) -> None:
    """Neither a red car nor a white one, though the depth map takes them for road."""
    photo = road()
    photo[40:90, 50:110] = colour
    likely = ground.alike(photo, FACING)
    assert likely[50:80, 60:100].max() < 0.15
    assert likely[100:, :].mean() > 0.8


def test_a_grille_and_a_windscreen_are_no_ground() -> None:
    """What is finely structured is none, and what is like the road but lies apart from it is none."""
    photo = road()
    photo[30:100, 40:120] = (0.8, 0.8, 0.8)
    photo[50:60, 60:90] = road()[50:60, 60:90]
    photo[80:95:4, 50:110] = 0.1
    likely = ground.alike(photo, FACING)
    assert likely[52:58, 65:85].max() < 0.1
    assert likely[82:94, 55:105].max() < 0.3


def test_nothing_faces_up_nothing_is_ground() -> None:
    """A wall gets no splashes; odd sizes are no error."""
    assert not ground.alike(road(), np.zeros_like(FACING)).any()
    assert ground.alike(np.ascontiguousarray(road()[:65, :97]), FACING[:65, :97]).shape == (65, 97)
