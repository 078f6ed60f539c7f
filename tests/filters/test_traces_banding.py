"""Facts about `filters.traces.banding`: tones that were cut to fewer bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from filters import tones
from filters.traces.banding import banding, gaps


def _sky(grain: float = 0.5) -> Srgb:
    """Return a soft gradient of 60 levels with a camera's grain."""
    rows, columns = np.mgrid[0:512, 0:768]
    light = 150 + 40 * rows / 512 + 20 * columns / 768
    colour = light[..., None] * (0.9, 1.0, 1.1) + np.random.default_rng(3).normal(0, grain, (512, 768, 3))
    return np.clip(colour, 0, 255).round().astype(np.uint8)


def _cut(pixels: Srgb, bits: int) -> Srgb:
    step = 256 >> bits
    return (pixels // step * step + step // 2).astype(np.uint8)


def _jpeg(pixels: Srgb, quality: int) -> Srgb:
    return cv2.imdecode(cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR_RGB)


@pytest.mark.parametrize("bits", [5, 6])
def test_a_gradient_cut_to_few_bits_is_banded(bits: int) -> None:
    """Most of it climbs in steps; the same gradient at eight bits does not, grainy or smooth."""
    assert banding(_cut(_sky(), bits)) > 0.75
    assert banding(_sky()) < 0.02
    assert banding(_sky(0.0)) < 0.02


def test_banding_outlives_a_jpeg() -> None:
    """Five bits show through quality 92; the JPEG alone makes no bands."""
    assert banding(_jpeg(_cut(_sky(), 5), 92)) > 0.5
    assert banding(_jpeg(_sky(), 92)) < 0.05


def test_dither_hides_steps() -> None:
    """Five bits with noise added before the cut climb evenly for the eye, and no tile is still enough to be banded."""
    noisy = _sky().astype(np.float32) + np.random.default_rng(5).uniform(-4, 4, (512, 768, 1))
    assert banding(_cut(np.clip(noisy, 0, 255).astype(np.uint8), 5)) < 0.3 < banding(_cut(_sky(), 5))


@pytest.mark.parametrize(("bits", "share"), [(8, 0.0), (7, 0.5), (6, 0.75), (5, 0.875)])
def test_gaps_count_the_levels_that_a_cut_leaves_out(astronaut: Srgb, bits: int, share: float) -> None:
    """Seven bits lack every other level, six three of four."""
    assert gaps(tones.sample(_cut(astronaut, bits))) == pytest.approx(share, abs=0.02)


def test_a_stretch_of_contrast_leaves_gaps_but_no_bands(astronaut: Srgb) -> None:
    """Pulling contrast up by 1.4 leaves out two levels in seven, which nobody sees."""
    stretched = cv2.convertScaleAbs(astronaut, alpha=1.4, beta=-30)
    assert gaps(tones.sample(stretched)) == pytest.approx(2 / 7, abs=0.03)
    assert banding(stretched) < 0.3


def test_pictures_without_gradients_have_no_bands() -> None:
    """Blank, noisy and tiny pictures give 0, not an error."""
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    for picture in (np.full((128, 128, 3), 90, np.uint8), noise, noise[:20, :90], noise[:1, :1]):
        assert banding(picture) == 0
    assert gaps(np.full((64, 64, 3), 90, np.uint8)) == 0
