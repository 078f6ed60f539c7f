"""A coarse grid knows where a photo shows something, and where it shows distance."""

from __future__ import annotations

import numpy as np

from degrade.scene import depth, relief, sky
from degrade.scene.proxy import proxy


def test_detail_lies_where_it_was_drawn():
    """A chequered corner in a grey picture is found in its cells and nowhere else."""
    picture = np.full((256, 256, 3), 128, np.uint8)
    picture[:64, 192:] = (np.indices((64, 64)).sum(axis=0) // 4 % 2 * 200)[..., None]
    flat = np.zeros((256, 256), np.float32)
    grid = relief.relief(picture, flat, flat + 1).detail
    assert relief.mean_in(grid, 0.75, 0.0, 1.0, 0.25) > 150
    assert relief.mean_in(grid, 0.0, 0.5, 1.0, 1.0) == 0


def test_far_cells_are_sky_and_what_lies_at_the_horizon(rocket):
    """The top of the launch photo is far, its ground is not."""
    small = proxy(rocket)
    sky_map = sky.sky(small)
    grid = relief.relief(small, sky_map, depth.geometric(small, sky_map).inverse).far
    assert relief.mean_in(grid, 0.0, 0.0, 1.0, 0.3) > 200
    assert relief.mean_in(grid, 0.0, 0.9, 1.0, 1.0) < 90


def test_a_box_is_the_mean_of_the_cells_it_touches():
    """Whole, single and edge boxes agree with the grid."""
    grid = bytes(range(64))
    assert relief.mean_in(grid, 0, 0, 1, 1) == np.mean(range(64))
    assert relief.mean_in(grid, 0.13, 0.13, 0.2, 0.2) == 9
    assert relief.mean_in(grid, 0.99, 0.99, 1, 1) == 63
