"""Apertures are drawn as large as they are, and pass all light."""

from __future__ import annotations

import numpy as np
import pytest

from degrade import psf


def spread_px(kernel: np.ndarray) -> float:
    """Return the root mean square distance from the centre."""
    at = np.arange(len(kernel)) - len(kernel) // 2
    return float(np.sqrt((kernel * (at[:, None] ** 2 + at[None] ** 2)).sum()))


@pytest.mark.parametrize("diameter", [0.3, 1.0, 2.5, 7.3, 20.0])
@pytest.mark.parametrize("blades", [0, 5, 8])
def test_a_kernel_sums_to_one(diameter: float, blades: int) -> None:
    """A kernel passes exactly the light that came, is odd, centred, and nowhere negative."""
    kernel = psf.aperture(diameter, blades, 0.5, 20.0)
    at = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.dtype == np.float32
    assert len(kernel) % 2 == 1
    assert abs(kernel.sum(dtype=np.float64) - 1) < 1e-6
    assert kernel.min() >= 0
    assert abs((kernel * at).sum()) < 0.02 * diameter + 1e-3
    assert abs((kernel * at[:, None]).sum()) < 0.02 * diameter + 1e-3


@pytest.mark.parametrize("length", [6.0, 12.0, 30.0])
def test_a_disc_spreads_as_a_streak_of_its_length(length: float) -> None:
    """The disc for a blur length has the root mean square of an even streak: length / sqrt(12)."""
    kernel = psf.aperture(psf.disc_for(length), 0, 0.0, 0.0)
    assert spread_px(kernel) == pytest.approx(length / np.sqrt(12), rel=0.03)


def test_a_polygon_passes_as_much_light_as_its_disc() -> None:
    """Blades change the shape and not the area; more of them come nearer to the disc."""
    disc, five, nine = (psf.aperture(24.0, blades, 0.0, 0.0) for blades in (0, 5, 9))
    assert five.max() == pytest.approx(disc.max(), rel=0.02)  # an even kernel's height is one over its area
    assert spread_px(disc) < spread_px(nine) < spread_px(five)
    assert not np.allclose(psf.aperture(24.0, 5, 0.0, 30.0), five, atol=1e-4)
