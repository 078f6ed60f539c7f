"""Guided upsampling gives a coarse map the photo's edges, whatever channel shows them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.arrays.guided import coefficients, guide_mix, mixed, steepened


def step_photo(left: tuple[float, float, float], right: tuple[float, float, float]) -> np.ndarray:
    photo = np.empty((128, 128, 3), np.float32)
    photo[:, :64] = left
    photo[:, 64:] = right
    return photo


@pytest.mark.parametrize(
    ("left", "right"),
    [((0.1, 0.1, 0.1), (0.6, 0.6, 0.6)), ((0.5, 0.3, 0.1), (0.1, 0.3, 0.5)), ((0.6, 0.6, 0.6), (0.1, 0.1, 0.1))],
)
def test_a_blurred_step_becomes_a_step_again(left: tuple[float, float, float], right: tuple[float, float, float]) -> None:
    """Edges of brightness and edges of colour alone are both followed to the pixel."""
    photo = step_photo(left, right)
    target = np.zeros((128, 128), np.float32)
    target[:, 64:] = 1
    coarse = cv2.GaussianBlur(target, (0, 0), 2.0)
    mix = guide_mix(np.sqrt(photo), coarse)
    guide = mixed(photo, mix)
    slope, offset = coefficients(guide, steepened(coarse, 3), 6, 4e-4)
    sharp = slope * guide + offset
    assert abs(sharp - target).max() < 0.1
    assert abs(sharp[:, 50:78] - target[:, 50:78]).mean() < 0.3 * abs(coarse[:, 50:78] - target[:, 50:78]).mean()


def test_slopes_are_not_made_into_stairs() -> None:
    """Only jumps are steepened; the ground that recedes keeps its slope."""
    ramp = np.repeat(np.linspace(0, 1, 100, dtype=np.float32)[:, None], 60, 1)
    assert np.array_equal(steepened(ramp, 3)[12:-12], ramp[12:-12])


def test_a_flat_map_stays_flat() -> None:
    """Texture of the photo does not leak into a map that has none."""
    photo = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
    target = np.full((64, 64), 0.37, np.float32)
    guide = mixed(photo, guide_mix(np.sqrt(photo), target))
    slope, offset = coefficients(guide, target, 3, 4e-4)
    assert abs(slope * guide + offset - 0.37).max() < 1e-3


def test_a_photo_without_colour_is_guided_by_luminance() -> None:
    """Grey photos have a finite guide."""
    mix = guide_mix(np.full((32, 32, 3), 0.5, np.float32), np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32))
    assert np.isfinite(mix).all()
