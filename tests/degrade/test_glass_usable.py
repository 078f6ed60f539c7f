"""Mixtures are refused for what they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.contract import Srgb
from degrade.glass import usable


@pytest.fixture(scope="module")
def small(astronaut: Srgb) -> Srgb:
    return cv2.resize(astronaut, (192, 192), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def other(rocket: Srgb) -> Srgb:
    return cv2.resize(rocket, (192, 192), interpolation=cv2.INTER_AREA)


def test_similarity_agrees_with_the_published_measure(small: Srgb, other: Srgb) -> None:
    """Ours is the mean of scikit-image's Gaussian variant within a thousandth, away from the border."""
    from skimage.metrics import structural_similarity

    first, second = usable.luma(small), usable.luma(cv2.addWeighted(small, 0.7, other, 0.3, 0))
    theirs = structural_similarity(first, second, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert float(usable.ssim(first, second)[5:-5, 5:-5].mean()) == pytest.approx(theirs, abs=1e-3)


def test_equal_pictures_are_wholly_similar(small: Srgb) -> None:
    """One, everywhere."""
    assert np.allclose(usable.ssim(usable.luma(small), usable.luma(small)), 1.0, atol=1e-4)


def test_a_lamp_in_one_corner_is_seen_though_the_mean_says_nothing() -> None:
    """Where most has changed is a quarter of the frame."""
    similarity = np.ones((160, 160), np.float32)
    similarity[:40, :40] = 0.5
    assert similarity.mean() > 0.96
    assert usable.where_most_changed(similarity) == pytest.approx(0.875, abs=0.01)


def verdict(small: Srgb, other: Srgb, gain: float) -> str | None:
    passed, mirrored = camera.to_linear(small), camera.to_linear(other)
    return usable.judge(usable.luma(small), passed, mirrored, 1.0, gain).objection


def test_what_shows_nothing_and_what_destroys_everything_is_refused(small: Srgb, other: Srgb) -> None:
    """And what lies between is taken."""
    assert str(verdict(small, other, 0.001)).startswith("invisible")
    assert verdict(small, other, 0.15) is None
    assert str(verdict(small, other, 20.0)).startswith("destructive")


def test_a_blank_wall_has_no_contrast_and_a_photo_has(small: Srgb) -> None:
    """Nor has a black one."""
    assert usable.contrast(np.full_like(small, 120)) < usable.BLANK / 10
    assert usable.contrast(np.zeros_like(small)) == 0.0
    assert usable.contrast(small) > 2 * usable.BLANK


def test_light_from_the_sky_is_flat_and_light_from_things_is_not(small: Srgb) -> None:
    """A scene that is half sky is as flat as the share of its light that the sky sends, however it is shaded."""
    rows = np.arange(192, dtype=np.float32)[:, None, None]
    scene = np.repeat(np.clip(np.where(rows < 96, 180, 0), 0, 255), 192, 1).repeat(3, 2).astype(np.uint8)
    scene[96:] = np.random.default_rng(5).integers(0, 256, (96, 192, 3), dtype=np.uint8)
    light = camera.to_linear(scene)
    of_sky = light[:96].sum() / light.sum()
    assert usable.flatness(scene, light) == pytest.approx(of_sky, abs=0.05)
    shaded = light * np.where(rows < 96, np.linspace(0.02, 0.2, 192)[None, :, None], 1).astype(np.float32)
    assert usable.flatness(scene, shaded) == pytest.approx(shaded[:96].sum() / shaded.sum(), abs=0.05)
    assert usable.flatness(np.full_like(small, 90), np.full(small.shape, 0.1, np.float32)) == pytest.approx(1.0)
    assert usable.flatness(small, camera.to_linear(small)) < usable.FLAT
