"""A photo that was posted again has softer, milder noise, and the scene that it had."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.upload.reshare import Reshare, reshared, resized_noise

KEPT = Reshare(1.0, "area", 100)


def noise_of(seed: int = 1) -> np.ndarray:
    """Return white noise in sixteenths of a code."""
    return np.random.default_rng(seed).normal(0, 192, (240, 256, 3)).round().astype(np.int16)


def shared_by_neighbours(noise: np.ndarray) -> float:
    """Return the correlation of pixels beside each other."""
    return float((noise[:, 1:].astype(float) * noise[:, :-1]).mean() / noise.astype(float).var())


@pytest.mark.parametrize("resampling", ["area", "linear", "cubic"])
def test_resizing_makes_noise_soft_and_milder_and_keeps_its_mean(resampling: str) -> None:
    """The smaller the copy, the more neighbours share, the weaker the noise; it drifts by less than a fiftieth of a code."""
    noises = [resized_noise(noise_of(), scale, resampling) for scale in (0.9, 0.7, 0.5)]
    shares = [shared_by_neighbours(noise) for noise in noises]
    assert shares[0] > 0.1
    assert all(np.diff(shares) > 0.05)
    assert noises[0].std() < 0.85 * 192
    assert all(abs(noise.mean() - noise_of().mean()) < 16 / 50 for noise in noises)


@pytest.mark.parametrize("scale", [0.5, 0.8])
def test_the_scene_keeps_its_detail(astronaut: Srgb, scale: float) -> None:
    """Without noise, a post shrunk to half is its scene but for the JPEG: the resizing blurs noise alone."""
    kept, small = (reshared(astronaut, astronaut, KEPT._replace(scale=s)).pixels for s in (1.0, scale))
    assert np.array_equal(kept, small)
    assert cv2.PSNR(astronaut, small) > 38


def test_the_jpeg_acts_on_scene_and_noise(astronaut: Srgb) -> None:
    """A lower quality costs similarity, and neither picture is written to."""
    noisy = cv2.add(astronaut[:240, :256], noise_of() // 16, dtype=cv2.CV_8U)
    scene = np.ascontiguousarray(astronaut[:240, :256])
    before = noisy.copy(), scene.copy()
    found = [cv2.PSNR(noisy, reshared(noisy, scene, KEPT._replace(quality=quality)).pixels) for quality in (95, 75, 50)]
    assert all(np.diff(found) < -0.3)
    assert np.array_equal(noisy, before[0])
    assert np.array_equal(scene, before[1])
