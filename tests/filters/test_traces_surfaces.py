"""Facts about `filters.traces.surfaces`: wiped texture, and flats that no camera makes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from filters import detail
from filters.traces.surfaces import flat, texture


def test_filters_that_keep_edges_wipe_texture(astronaut: Srgb, rocket: Srgb) -> None:
    """A bilateral filter run twice and an edge-preserving filter take a photo below the limit of 0.27."""
    for photo in (astronaut, rocket):
        twice = cv2.bilateralFilter(cv2.bilateralFilter(photo, 9, 40, 7), 9, 40, 7)
        preserved = cv2.edgePreservingFilter(photo, flags=1, sigma_s=20, sigma_r=0.25)
        assert max(texture(twice), texture(preserved)) < 0.27 < texture(photo)


def test_contrast_does_not_matter(rocket: Srgb) -> None:
    """The same photo with a quarter less contrast is about as rough: its edges are fewer, not smoother."""
    assert texture(cv2.convertScaleAbs(rocket, alpha=0.75, beta=30)) == pytest.approx(texture(rocket), abs=0.05)


def test_jpeg_and_noise_do_not_count_as_wiped(astronaut: Srgb) -> None:
    """Other faults are left to other measures."""
    jpeg = cv2.imdecode(cv2.imencode(".jpg", astronaut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR_RGB)
    noisy = np.clip(astronaut + np.random.default_rng(1).normal(0, 8, astronaut.shape), 0, 255).astype(np.uint8)
    assert texture(jpeg) > 0.27
    assert texture(noisy) > texture(astronaut)


def test_pictures_without_edges_are_not_blamed() -> None:
    """Fog has no edge to be rough beside."""
    fog = np.random.default_rng(2).normal(180, 2, (256, 256, 3)).astype(np.uint8)
    assert texture(fog) == texture(fog[:3, :3]) == texture(np.zeros((100, 100, 3), np.uint8)) == 0.5


def test_drawings_are_flat_and_photos_are_not(astronaut: Srgb) -> None:
    """A coloured disc on a coloured ground is nearly all flat, a photo hardly, and black or white are not counted."""
    disc = cv2.circle(np.full((600, 600, 3), 60, np.uint8), (300, 300), 200, (200, 30, 90), -1, cv2.LINE_AA)
    assert flat(detail.lines(disc)) > 0.9
    assert flat(detail.lines(astronaut)) < 0.1
    assert flat(detail.lines(np.full((100, 100, 3), 255, np.uint8))) == flat(detail.lines(np.zeros((100, 100, 3), np.uint8))) == 0
