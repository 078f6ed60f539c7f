"""Noise of the web has the deviation of its record, keeps the mean, and never wraps."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.upload.speckle import MID_PER_SCALE, Speckle, photons, speckled

SHAPE = (256, 256, 3)


def even(code: int) -> np.ndarray:
    """Return an even picture."""
    return np.full(SHAPE, code, np.uint8)


def left_by(code: int, speckle: Speckle) -> np.ndarray:
    """Return what a dose of noise adds to an even picture."""
    return speckled(even(code), speckle).astype(float) - code


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
@pytest.mark.parametrize("sigma", [1.5, 6.0, 20.0])
@pytest.mark.parametrize("grey", [False, True])
def test_deviation_at_middle_grey_is_the_record(kind: str, sigma: float, grey: bool) -> None:
    """At middle grey both kinds deviate by sigma codes, and keep the mean."""
    noise = left_by(128, Speckle(kind, sigma, grey, 5))
    assert np.hypot(sigma, 12**-0.5) == pytest.approx(noise.std(), rel=0.04)
    assert abs(noise.mean()) < 4 * sigma / 256


def test_variance_of_photons_is_in_proportion_to_light() -> None:
    """Poisson variance over light is constant: 255^2 over the photons at white."""
    speckle = Speckle("poisson", 5.0, False, 7)
    for code in (16, 64, 128, 200):
        assert left_by(code, speckle).var() - 1 / 12 == pytest.approx(255 * code / photons(5.0), rel=0.06)


def test_a_published_scale_is_no_photon_count() -> None:
    """Real-ESRGAN's scale a means a variance of a^2 x / 256: a larger scale is more noise, fewer photons."""
    for scale in (0.5, 1.0, 3.0):
        assert photons(MID_PER_SCALE * scale) == pytest.approx(256 / scale**2)


def test_black_stays_black_under_photons() -> None:
    """No light, no photons, no noise, at any strength: nothing negative is ever counted."""
    assert not left_by(0, Speckle("poisson", 34.0, False, 3)).any()


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_ends_of_the_scale_do_not_wrap(kind: str) -> None:
    """White with strong noise stays bright, black stays dark."""
    assert speckled(even(255), Speckle(kind, 20.0, False, 1)).min() > 100
    assert speckled(even(0), Speckle(kind, 20.0, False, 1)).max() < 155


def test_grey_noise_is_one_field() -> None:
    """Grey noise is the same in all channels, colour noise is not."""
    grey, colour = (left_by(128, Speckle("gaussian", 8.0, grey, 9)) for grey in (True, False))
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert abs(np.corrcoef(colour[..., 0].ravel(), colour[..., 2].ravel())[0, 1]) < 0.02
