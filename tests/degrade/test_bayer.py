"""The mosaic: which colour lies where, and what interpolation does to noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from degrade.arrays import fields
from degrade.contract import Map
from degrade.raw import bayer


def interleaved(planes: Sequence[Map], scales: Sequence[float]) -> bayer.Mosaic:
    """Return a mosaic of its own."""
    height, width = planes[0].shape
    mosaic = np.zeros((2 * height, 2 * width), np.uint16)
    bayer.interleave(planes, scales, mosaic)
    return mosaic


@pytest.mark.parametrize("phase", range(bayer.PHASES))
def test_a_flat_colour_survives_mosaic_and_demosaic(phase: int) -> None:
    """Each phase finds the three colours where it put them."""
    flat = np.array([0.5, 0.2, -0.1], np.float32)
    planes = [np.full((8, 10), flat[channel], np.float32) for channel in bayer.colours(phase)]
    mosaic = interleaved(planes, [30000.0] * 4)
    assert np.allclose((bayer.demosaic(mosaic, phase) - bayer.MIDDLE) / 30000.0, np.broadcast_to(flat, (16, 20, 3)), atol=1e-4)
    assert np.allclose(bayer.values(bayer.grey(mosaic, phase), 30000.0), flat @ np.array(bayer.GREY), atol=1e-4)


def test_directions_are_judged_by_green_alone() -> None:
    """Factors on red and blue may be put before demosaicing or after it."""
    planes = [0.02 * fields.gaussian(site, 64, 64) for site in range(4)]
    before = bayer.demosaic(interleaved(planes, (30000.0, 15000.0, 15000.0, 7500.0)), 0) - bayer.MIDDLE
    after = (bayer.demosaic(interleaved(planes, (15000.0,) * 4), 0) - bayer.MIDDLE) * (2.0, 1.0, 0.5)
    assert np.abs(before - after).max() <= 2


def test_every_cell_has_one_red_two_green_and_one_blue() -> None:
    """The four phases are four different Bayer patterns."""
    patterns = {bayer.colours(phase) for phase in range(bayer.PHASES)}
    assert len(patterns) == bayer.PHASES
    assert all(sorted(pattern) == [0, 1, 1, 2] for pattern in patterns)


def test_demosaicing_correlates_noise() -> None:
    """White noise of the sites becomes noise whose neighbours resemble each other."""
    planes = [0.1 * fields.gaussian(site, 128, 128) for site in range(4)]
    noise = bayer.demosaic(interleaved(planes, [30000.0] * 4), 0).astype(np.float32) - bayer.MIDDLE
    for channel in range(3):
        plane = noise[..., channel]
        assert np.corrcoef(plane[:, 1:].ravel(), plane[:, :-1].ravel())[0, 1] > 0.2
