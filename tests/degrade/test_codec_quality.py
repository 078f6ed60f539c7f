"""The common scale of codecs is monotone, invertible, and true on a photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.coding import codecs
from degrade.coding.codec_quality import SCALES, jpeg_equal, reaches, resize_equal, scale_for, setting_for
from degrade.contract import Srgb


@pytest.mark.parametrize("codec", SCALES)
def test_scale_rises(codec: str) -> None:
    """Better settings of a codec equal better JPEGs."""
    settings = np.linspace(SCALES[codec].settings[0], SCALES[codec].settings[-1], 60)
    equal = [jpeg_equal(codec, setting) for setting in settings]
    assert equal == sorted(equal)


@pytest.mark.parametrize("codec", SCALES)
@pytest.mark.parametrize("band", [(80, 95), (55, 80), (35, 55), (18, 35), (11.2, 18)])
def test_setting_stays_in_its_band(codec: str, band: tuple[float, float]) -> None:
    """A setting drawn for a band of JPEG qualities lies in it after rounding, near the quality asked for."""
    for quality in np.linspace(*band, 9):
        setting = setting_for(codec, quality, *band)
        assert band[0] <= jpeg_equal(codec, setting) <= band[1]
        assert setting % SCALES[codec].step == 0


def test_a_codec_knows_its_reach() -> None:
    """MPEG-4 cannot be nearly lossless, nor as coarse as JPEG 5; JPEG can be both."""
    assert not reaches("mpeg4", 95, 100)
    assert not reaches("mpeg4", 1, 5)
    assert reaches("jpeg", 95, 100)
    assert reaches("jpeg", 1, 5)


@pytest.mark.parametrize("soft", [0, 1, 2])
def test_resizing_inverts(soft: int) -> None:
    """The smallest scale for a quality hurts exactly as much as that quality, if any resizing hurts so little."""
    for quality in (15.0, 30.0, 60.0):
        scale = scale_for(quality, soft)
        assert scale is not None
        assert resize_equal(scale, soft) == pytest.approx(quality)
    assert scale_for(99, soft) is None


def test_equal_quality_means_equal_psnr(astronaut: Srgb) -> None:
    """WebP and JPEG settings that are called equal cost a photo that was not measured about the same PSNR."""
    for quality in (20, 50, 80):
        setting = setting_for("webp", quality, 1, 100)
        jpeg = cv2.PSNR(astronaut, codecs.jpeg(astronaut, quality, "4:2:0", "baseline").pixels)
        webp = cv2.PSNR(astronaut, codecs.webp(astronaut, setting, "4:2:0", "method-1").pixels)
        assert abs(jpeg - webp) < 1.2
