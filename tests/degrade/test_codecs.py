"""The still codecs do what their files say, and give the pixels that any reader gets."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from degrade.coding import codecs
from degrade.contract import Encoded, Srgb

Codec = Callable[[Srgb, float, str, str], Encoded]
CODECS = [(codecs.jpeg, "baseline"), (codecs.webp, "method-1"), (codecs.avif, "speed-9")]
NAMES = ["jpeg", "webp", "avif"]


def chroma_detail(picture: Srgb) -> float:
    """Return the energy of the red-difference plane above half its bandwidth."""
    plane = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[:, :, 1].astype(np.float32)
    half = cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return float(np.square(plane - cv2.resize(half, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)).mean())


@pytest.mark.parametrize("quality", [7, 50, 83])
def test_quantisation_table_is_that_of_the_quality(astronaut: Srgb, quality: int) -> None:
    """A JPEG's luma table is Annex K's, scaled by libjpeg's rule for the quality asked for."""
    data = codecs.jpeg(astronaut, quality, "4:2:0", "baseline").data
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        table = image.quantization[0]  # type: ignore[attr-defined]
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    assert table[:4] == [max(1, min(255, (step * percent + 50) // 100)) for step in (16, 11, 10, 16)]


@pytest.mark.parametrize(("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:4:0", (1, 2)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling_is_written_in_the_file(astronaut: Srgb, subsampling: str, factors: tuple[int, int]) -> None:
    """A JPEG's frame header names the chroma sampling asked for."""
    data = codecs.jpeg(astronaut, 80, subsampling, "baseline").data
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.layer[0][1:3] == factors  # type: ignore[attr-defined]


@pytest.mark.parametrize("codec", [codecs.jpeg, codecs.avif], ids=["jpeg", "avif"])
def test_subsampling_takes_chroma_bandwidth(astronaut: Srgb, codec: Codec) -> None:
    """Halving the chroma planes removes most of their finest detail."""
    mode = "baseline" if codec is codecs.jpeg else "speed-9"
    full, half = (codec(astronaut, 95, subsampling, mode).pixels for subsampling in ("4:4:4", "4:2:0"))
    assert chroma_detail(half) < 0.5 * chroma_detail(full)


def test_modes_of_jpeg_change_the_file_only(astronaut: Srgb) -> None:
    """Optimised and progressive files are smaller and show the same pixels."""
    plain, optimised, progressive = (codecs.jpeg(astronaut, 70, "4:2:0", mode) for mode in codecs.JPEG_MODES)
    assert plain.data
    assert optimised.data
    assert progressive.data
    assert len(progressive.data) < len(plain.data) > len(optimised.data)
    np.testing.assert_array_equal(plain.pixels, optimised.pixels)
    np.testing.assert_array_equal(plain.pixels, progressive.pixels)


@pytest.mark.parametrize(("codec", "mode"), CODECS, ids=NAMES)
def test_pixels_are_those_of_the_file(astronaut: Srgb, codec: Codec, mode: str) -> None:
    """OpenCV and Pillow read from the file the very pixels that were returned."""
    pixels, data, media_type, *_ = codec(astronaut[:301, :213], 40, "4:2:0", mode)
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.get_format_mimetype() == media_type
        np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))


@pytest.mark.parametrize(("codec", "mode"), CODECS, ids=NAMES)
def test_same_input_gives_same_file(rocket: Srgb, codec: Codec, mode: str) -> None:
    """Coding twice gives the same bytes and leaves the input as it was."""
    before = rocket.copy()
    assert codec(rocket, 60, "4:2:0", mode).data == codec(rocket, 60, "4:2:0", mode).data
    np.testing.assert_array_equal(rocket, before)


@pytest.mark.parametrize(("codec", "mode"), CODECS, ids=NAMES)
def test_psnr_falls_with_quality(astronaut: Srgb, codec: Codec, mode: str) -> None:
    """Lower quality means lower PSNR, step by step."""
    psnr = [cv2.PSNR(astronaut, codec(astronaut, quality, "4:2:0", mode).pixels) for quality in (95, 75, 50, 30, 10)]
    assert psnr == sorted(psnr, reverse=True)
    assert psnr[0] > psnr[-1] + 6


def test_best_jpeg_is_nearly_the_input(astronaut: Srgb) -> None:
    """Quality 100 without subsampling keeps every pixel to about a level."""
    assert cv2.PSNR(astronaut, codecs.jpeg(astronaut, 100, "4:4:4", "baseline").pixels) > 45


@pytest.mark.parametrize(("codec", "subsampling"), [(codecs.webp, "4:4:4"), (codecs.avif, "4:4:0")], ids=["webp", "avif"])
def test_impossible_subsampling_is_refused(astronaut: Srgb, codec: Codec, subsampling: str) -> None:
    """A format is not asked for chroma sampling that it does not know."""
    with pytest.raises(ValueError, match=subsampling):
        codec(astronaut, 50, subsampling, "method-1")
