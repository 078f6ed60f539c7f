"""Facts about `filters.traces.framing`: mounts, captions and the bars of screens."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from filters.traces.framing import framed


def _filled(photo: Srgb) -> Srgb:
    """Return an upright cut in the middle of a blurred copy of itself, as phones' films are shown on wide screens."""
    height, width = photo.shape[:2]
    bar = width // 5
    middle = photo[:, bar : width - bar]
    wide = cv2.GaussianBlur(cv2.resize(middle, (width, height)), (0, 0), width / 40)
    wide[:, bar : width - bar] = middle
    return wide


def _captioned(photo: Srgb) -> Srgb:
    height, width = photo.shape[:2]
    bar = np.full((height // 8, width, 3), 255, np.uint8)
    cv2.putText(bar, "when it works at once", (width // 8, height // 12), cv2.FONT_HERSHEY_DUPLEX, width / 700, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, photo])


def _jpeg(pixels: Srgb) -> Srgb:
    return cv2.imdecode(cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1], cv2.IMREAD_COLOR_RGB)


def test_photos_have_no_frame(astronaut: Srgb, rocket: Srgb) -> None:
    """Neither upright nor level nor turned on its side."""
    for photo in (astronaut, rocket, np.ascontiguousarray(rocket.transpose(1, 0, 2))):
        assert framed(photo) == 0


@pytest.mark.parametrize("turn", [False, True])
def test_a_blurred_fill_is_measured(rocket: Srgb, *, turn: bool) -> None:
    """Two fifths of the width, or of the height, are found as such, before and after a JPEG."""
    picture = _filled(rocket)
    picture = np.ascontiguousarray(picture.transpose(1, 0, 2)) if turn else picture
    assert framed(picture) == pytest.approx(0.4, abs=0.01)
    assert framed(_jpeg(picture)) == pytest.approx(0.4, abs=0.01)


def test_a_caption_is_measured_with_its_words(astronaut: Srgb) -> None:
    """A white bar of an eighth over the photo is a ninth of the whole; upside down and sideways too."""
    picture = _captioned(astronaut)
    for turned in (picture, picture[::-1], picture.transpose(1, 0, 2)):
        assert framed(np.ascontiguousarray(turned)) == pytest.approx(1 / 9, abs=0.01)


def test_plain_mounts_are_found(astronaut: Srgb) -> None:
    """Letterboxes of any grey count like the others."""
    for level in (0, 128, 255):
        picture = astronaut.copy()
        picture[:50] = picture[-50:] = level
        assert framed(picture) == pytest.approx(100 / 512, abs=0.02)


def test_a_horizon_is_no_frame(astronaut: Srgb) -> None:
    """One straight line across, a smooth sky above it, and textures below."""
    sky = np.linspace(150, 200, 200)[:, None, None] + np.random.default_rng(4).normal(0, 1.0, (200, 512, 3))
    assert framed(np.concatenate([sky.round().astype(np.uint8), astronaut[:312]])) == 0


@pytest.mark.parametrize("shape", [(1, 1), (63, 400), (64, 64), (400, 65)])
def test_any_size_can_be_measured(astronaut: Srgb, shape: tuple[int, int]) -> None:
    """Small and blank pictures give shares, not errors."""
    assert 0 <= framed(np.ascontiguousarray(astronaut[: shape[0], : shape[1]])) <= 1
    assert framed(np.full((*shape, 3), 40, np.uint8)) == 0
