"""Frames of video codecs keep colour, place and size, and lose what their quantiser takes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.coding import video_codecs
from degrade.contract import Srgb

CODERS = [(codec, mode) for codec, coder in video_codecs.CODERS.items() for mode in coder.modes if mode not in ("faster", "medium")]
FINE = {"h264": 16, "h265": 16, "mpeg4": 2, "mpeg2": 2}


@pytest.mark.parametrize(("codec", "mode"), CODERS)
def test_colour_does_not_drift(astronaut: Srgb, codec: str, mode: str) -> None:
    """The mean of each channel stays within a level: one matrix and one range, both ways."""
    shown = video_codecs.frame(astronaut, codec, FINE[codec], mode)
    assert np.abs(shown.mean(axis=(0, 1)) - astronaut.mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("codec", video_codecs.CODERS)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (220, 40, 30), (20, 60, 200)])
def test_flat_colours_survive(codec: str, colour: tuple[int, int, int]) -> None:
    """Black, white, grey and saturated colours come back within the rounding of 8-bit YCbCr."""
    flat = np.full((64, 80, 3), colour, np.uint8)
    shown = video_codecs.frame(flat, codec, FINE[codec], next(iter(video_codecs.CODERS[codec].modes)))
    assert np.abs(shown.astype(int) - colour).max() <= 4


@pytest.mark.parametrize("codec", video_codecs.CODERS)
@pytest.mark.parametrize("size", [(64, 64), (65, 77), (97, 64), (22, 9)])
def test_every_size_comes_back(astronaut: Srgb, codec: str, size: tuple[int, int]) -> None:
    """Odd and tiny frames are padded for the codec and cut back."""
    photo = np.ascontiguousarray(astronaut[100 : 100 + size[0], 200 : 200 + size[1]])
    shown = video_codecs.frame(photo, codec, FINE[codec], next(iter(video_codecs.CODERS[codec].modes)))
    assert shown.shape == photo.shape
    assert cv2.PSNR(photo, shown) > 28


@pytest.mark.parametrize("codec", video_codecs.CODERS)
def test_psnr_falls_with_quantiser(rocket: Srgb, codec: str) -> None:
    """A coarser quantiser means lower PSNR, and a coding can be repeated to the bit."""
    mode = next(iter(video_codecs.CODERS[codec].modes))
    settings = (18, 28, 36, 46) if codec.startswith("h") else (2, 6, 14, 31)
    shown = [video_codecs.frame(rocket, codec, setting, mode) for setting in settings]
    psnr = [cv2.PSNR(rocket, picture) for picture in shown]
    assert psnr == sorted(psnr, reverse=True)
    assert psnr[0] > psnr[-1] + 6
    np.testing.assert_array_equal(shown[1], video_codecs.frame(rocket, codec, settings[1], mode))


@pytest.mark.parametrize("codec", video_codecs.CODERS)
def test_modes_differ(astronaut: Srgb, codec: str) -> None:
    """Every mode of a codec gives a picture of its own."""
    photo = np.ascontiguousarray(astronaut[:256, :256])
    quality = 33 if codec.startswith("h") else 8
    shown = [video_codecs.frame(photo, codec, quality, mode).tobytes() for mode in video_codecs.CODERS[codec].modes]
    assert len(set(shown)) == len(shown)


def test_encoders_are_silent(astronaut: Srgb, capfd: pytest.CaptureFixture[str]) -> None:
    """No encoder writes to the terminal."""
    for codec, coder in video_codecs.CODERS.items():
        video_codecs.frame(np.ascontiguousarray(astronaut[:64, :64]), codec, 30, next(iter(coder.modes)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("codec", video_codecs.CODERS)
@pytest.mark.parametrize("size", [(64, 2048), (1600, 1500)])
def test_sizes_beyond_full_hd_are_coded_in_every_mode(codec: str, size: tuple[int, int]) -> None:
    """Standards bind block sizes to picture sizes: every mode finds one that is allowed."""
    picture = np.random.default_rng(1).integers(0, 256, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
    large = np.ascontiguousarray(picture.repeat(8, 0).repeat(8, 1))
    for mode in video_codecs.CODERS[codec].modes:
        assert video_codecs.frame(large, codec, 30.0, mode).shape == large.shape
