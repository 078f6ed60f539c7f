"""The mosaic: which colour lies where, and what interpolation does to noise."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.arrays import fields
from degrade.raw import bayer


@pytest.mark.parametrize("phase", range(bayer.PHASES))
def test_a_flat_colour_survives_mosaic_and_demosaic(phase: int) -> None:
    """Each phase finds the three colours where it put them."""
    flat = np.broadcast_to(np.array([0.5, 0.2, -0.1], np.float32), (16, 20, 3))
    planes = bayer.mosaic(np.ascontiguousarray(flat), phase)
    found = (bayer.demosaic(planes, phase) - bayer.MIDDLE) / bayer.SCALE
    assert np.allclose(found, flat, atol=1e-4)
    assert np.allclose(bayer.binned(planes, phase), flat[::2, ::2], atol=1e-6)


def test_every_cell_has_one_red_two_green_and_one_blue() -> None:
    """The four phases are four different Bayer patterns."""
    patterns = {bayer.colours(phase) for phase in range(bayer.PHASES)}
    assert len(patterns) == bayer.PHASES
    assert all(sorted(pattern) == [0, 1, 1, 2] for pattern in patterns)


def test_demosaicing_correlates_noise() -> None:
    """White noise of the sites becomes noise whose neighbours resemble each other."""
    planes = 0.1 * fields.gaussian(1, 4 * 128, 128).reshape(4, 128, 128)
    noise = bayer.demosaic(planes, 0).astype(np.float32) - bayer.MIDDLE
    for channel in range(3):
        plane = noise[..., channel]
        assert np.corrcoef(plane[:, 1:].ravel(), plane[:, :-1].ravel())[0, 1] > 0.2
