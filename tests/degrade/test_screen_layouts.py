"""Lattices are the panels they stand for, and keep their brightness."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.screen import layouts


@pytest.mark.parametrize("name", layouts.LAYOUTS)
def test_a_white_screen_is_white_whatever_its_fill(name: str) -> None:
    """The mean of every colour is one: dark gaps cost no brightness."""
    for fill in (0.5, 0.7, 0.9):
        assert np.allclose(layouts.lattice(name, fill).mean((1, 2)), 1.0)


def test_stripes_shine_on_the_share_that_the_fill_names() -> None:
    """A third of the fill is red, and its light stands at a sixth of the pixel; BGR begins with blue."""
    stripe, bgr = layouts.lattice("stripe", 0.6), layouts.lattice("bgr", 0.6)
    assert np.isclose((stripe[0] / stripe[0].max()).mean(), 0.6 / 3, rtol=0.02)
    place = (np.arange(layouts.CELL) + 0.5) / layouts.CELL
    assert np.isclose((stripe[0].mean(0) * place).mean(), 1 / 6, atol=0.01)
    assert np.isclose((bgr[0].mean(0) * place).mean(), 5 / 6, atol=0.01)


@pytest.mark.parametrize("name", ["pentile", "diamond"])
def test_red_and_blue_take_turns_where_a_cell_has_four_pixels(name: str) -> None:
    """A shift by one pixel turns red into blue and leaves green alone; by one both ways it changes nothing."""
    cell, pixel = layouts.lattice(name, 0.7), layouts.CELL // 2
    assert np.allclose(np.roll(cell[0], pixel, 1), cell[2], atol=1e-9)
    assert np.allclose(np.roll(cell[1], pixel, 1), cell[1], atol=1e-9)
    assert np.allclose(np.roll(cell, (pixel, pixel), (1, 2)), cell, atol=1e-9)


def test_a_white_sub_pixel_shines_in_all_colours() -> None:
    """At the white stripe of RGBW the three colours are alike."""
    cell = layouts.lattice("rgbw", 0.7)[:, layouts.CELL // 2, int(layouts.CELL * 3.5 / 4)]
    assert np.ptp(cell) < 1e-9 < cell[0]
