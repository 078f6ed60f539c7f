"""The JPEG quality that a photo suffered is read from its file and from its pixels."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from degrade.contract import Srgb
from filters.jpeg_history import blockiness, estimate_quality, file_quality, pixel_quality


def jpeg(picture: Srgb, quality: int) -> bytes:
    """Return a JPEG file, 4:2:0."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality)
    return file.getvalue()


def pixels_of(data: bytes) -> Srgb:
    """Return the decoded picture."""
    return np.array(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("quality", [1, 5, 25, 49, 50, 51, 75, 90, 97, 100])
def test_file_tells_its_quality(rocket: Srgb, quality: int) -> None:
    """A libjpeg file's quality is read from its tables exactly."""
    assert file_quality(jpeg(rocket, quality)) == quality


@pytest.mark.parametrize("quality", [10, 20, 35, 50, 65, 80, 88])
@pytest.mark.parametrize("crop", [(0, 0), (3, 5)])
def test_pixels_tell_the_quality_of_a_file_that_is_gone(astronaut: Srgb, quality: int, crop: tuple[int, int]) -> None:
    """A JPEG saved again without loss, cropped or not, shows its old quality within two."""
    shown = np.ascontiguousarray(pixels_of(jpeg(astronaut, quality))[crop[0] :, crop[1] :])
    assert pixel_quality(shown) == pytest.approx(quality, abs=2)


def test_worst_of_file_and_pixels_counts(astronaut: Srgb) -> None:
    """A coarse JPEG that was saved again at 95 is a coarse JPEG."""
    again = jpeg(pixels_of(jpeg(astronaut, 40)), 95)
    assert file_quality(again) == 95
    assert estimate_quality(pixels_of(again), again) == pytest.approx(40, abs=2)


def test_unharmed_photo_shows_nothing(data: Path) -> None:
    """A photo shrunk to half its size keeps no trace of its JPEG."""
    photo = cv2.imread(str(data / "clean" / "architecture_sky.jpg"), cv2.IMREAD_COLOR_RGB)
    assert photo is not None
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert estimate_quality(small, None) == 100
    assert blockiness(small) < 1.1


def test_blockiness_rises_as_quality_falls(astronaut: Srgb) -> None:
    """Seams stand out more the coarser the JPEG, wherever its grid lies."""
    seams = [blockiness(np.ascontiguousarray(pixels_of(jpeg(astronaut, quality))[2:, 6:])) for quality in (95, 80, 50, 25, 10)]
    assert seams == sorted(seams)
    assert seams[-1] > 1.5


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00", b"\xff\xd8\xff\xdb\x00\x43\x00\x01", b"\x89PNG\r\n", b"\xff\xd8" + b"\xff" * 60]
)
def test_other_bytes_tell_nothing(data: bytes) -> None:
    """Empty, cut and foreign bytes have no quality, and do no harm."""
    assert file_quality(data) is None


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (31, 31), (33, 64), (300, 40)])
def test_any_picture_gets_an_answer(astronaut: Srgb, size: tuple[int, int]) -> None:
    """Small, flat and narrow pictures are answered, with 100 where there is nothing to see."""
    assert 1 <= estimate_quality(np.ascontiguousarray(astronaut[: size[0], : size[1]]), None) <= 100
    assert estimate_quality(np.zeros((*size, 3), np.uint8), None) == 100
    assert blockiness(np.full((*size, 3), 255, np.uint8)) == 1.0
