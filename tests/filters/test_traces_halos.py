"""Facts about `filters.traces.halos`: what sharpening leaves beside edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from filters.traces.halos import halo


def _bars(softness_px: float = 0.8) -> Srgb:
    """Return bars of two greys as a lens sees them, upright and level, with a little grain."""
    upright = np.where(np.arange(512) // 32 % 2, 170.0, 90.0)
    plane = np.concatenate([np.tile(upright, (256, 1)), np.tile(upright[:256, None], (1, 512))])
    plane = cv2.GaussianBlur(plane, (0, 0), softness_px) + np.random.default_rng(2).normal(0, 1, plane.shape)
    return np.repeat(plane.round().astype(np.uint8)[..., None], 3, axis=2)


def _sharpened(pixels: Srgb, amount: float, radius_px: float) -> Srgb:
    exact = pixels.astype(np.float32)
    return np.clip(exact + amount * (exact - cv2.GaussianBlur(exact, (0, 0), radius_px)), 0, 255).round().astype(np.uint8)


def test_a_lens_makes_no_halo() -> None:
    """Sharp and soft edges climb from plateau to plateau."""
    assert [halo(_bars(softness)) for softness in (0.5, 0.8, 2.0)] == [pytest.approx(0, abs=0.02)] * 3


@pytest.mark.parametrize("radius_px", [1.5, 3.0, 6.0])
def test_halos_grow_with_the_amount_of_sharpening(radius_px: float) -> None:
    """At every radius more sharpening is more halo, and 100 % is above the limit of 0.07."""
    found = [halo(_sharpened(_bars(), amount, radius_px)) for amount in (0, 0.3, 0.6, 1.0)]
    assert found == sorted(found)
    assert found[-1] > 0.07


def test_the_halo_is_measured_in_parts_of_the_edge() -> None:
    """An overshoot drawn by hand, 20 % above and below, three pixels wide, is found as 20 %; on one side only, as none."""
    picture = np.full((512, 512, 3), 100, np.uint8)
    for left in range(64, 512, 64):
        picture[:, left : left + 32] = 150
        for edge, bright in ((left, 1), (left + 32, -1)):
            picture[:, edge - 3 : edge] = (90, 160)[bright < 0]
            picture[:, edge : edge + 3] = (90, 160)[bright > 0]
    assert halo(picture) == pytest.approx(0.2, abs=0.03)
    assert halo(np.maximum(picture, 100)) < 0.02


def test_clipped_edges_say_nothing() -> None:
    """Black on white has no room for a halo, sharpened or not."""
    page = np.where(_bars() > 130, np.uint8(255), np.uint8(0))
    assert halo(page) == halo(_sharpened(page, 1.0, 2.0)) == 0


def test_a_real_photo_is_told_from_its_sharpened_copy(rocket: Srgb) -> None:
    """A photo as it is stays below the limit of 0.07, with 100 % at 2 px it does not."""
    assert halo(rocket) < 0.03
    assert halo(_sharpened(rocket, 1.0, 2.0)) > 0.07


@pytest.mark.parametrize("shape", [(1, 1), (24, 24), (25, 400), (60, 26)])
def test_small_pictures_have_none(shape: tuple[int, int]) -> None:
    """Pictures that hold no whole edge give 0, not an error."""
    assert halo(np.ascontiguousarray(_bars()[: shape[0], : shape[1]])) == 0
