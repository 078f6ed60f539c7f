"""Kernels have the shapes of their formulas, and filtering with them is exact to a code."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.upload.kernels import Blur, Ringing, filtered, psf, separable

ROUND = Blur("gaussian", 21, 2.0, 2.0, 0.0, 1.0)
KERNELS = {
    "round": ROUND,
    "slanted": Blur("gaussian", 21, 3.0, 1.0, 33.0, 1.0),
    "long tails": Blur("gaussian", 21, 1.5, 1.5, 0.0, 0.6),
    "flat top": Blur("gaussian", 15, 2.0, 1.2, 70.0, 3.0),
    "plateau": Blur("plateau", 21, 2.0, 0.7, 40.0, 1.5),
    "narrow": Blur("gaussian", 7, 0.2, 0.2, 0.0, 1.0),
    "ringing": Ringing(21, 1.2),
    "hardly ringing": Ringing(9, 3.0),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_sum_to_one_and_are_symmetric(name: str) -> None:
    """A kernel neither brightens nor shifts: it sums to 1 and is the same turned by half a turn."""
    weights = psf(KERNELS[name])
    assert weights.shape == (KERNELS[name].side_px,) * 2
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("name", KERNELS)
def test_filtering_is_the_convolution(astronaut: Srgb, name: str) -> None:
    """The quick sum of separable kernels gives the picture of a convolution in floats, to a code or two and a tenth on average."""
    photo = np.ascontiguousarray(astronaut[100:260, 100:300])
    exact = np.clip(cv2.filter2D(photo.astype(np.float64), -1, psf(KERNELS[name])), 0, 255)
    off = np.abs(filtered(photo, KERNELS[name]) - exact)
    assert off.max() < 2.6
    assert off.mean() < 0.35  # a quarter is what rounding costs


def test_moments_are_the_records() -> None:
    """The covariance of a Gaussian kernel is that of its record: sigma along the angle, the other across."""
    kernel = Blur("gaussian", 41, 3.0, 1.5, 30.0, 1.0)
    reach = np.arange(41) - 20
    x, y = np.meshgrid(reach, reach)
    weights = psf(kernel)
    covariance = np.array([[(weights * a * b).sum() for a in (x, y)] for b in (x, y)])
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(np.sqrt(values), [1.5, 3.0], rtol=0.01)
    angle = math.degrees(math.atan2(-vectors[1, 1], vectors[0, 1])) % 180  # rows point down
    assert angle == pytest.approx(30.0, abs=0.5)


def test_tails_and_tops_follow_the_exponent() -> None:
    """A small exponent spreads the weight into the tails, a large one gathers it in a flat top; a plateau has the longest tails."""
    far = {b: psf(ROUND._replace(exponent=b))[:4].sum() for b in (0.5, 1.0, 4.0)}
    assert far[0.5] > far[1.0] > far[4.0]
    top = psf(ROUND._replace(exponent=4.0))
    assert top[10, 11] / top[10, 10] > 0.99
    assert psf(ROUND._replace(family="plateau"))[:4].sum() > far[1.0]


def test_ringing_passes_what_is_below_its_cutoff_and_stops_the_rest() -> None:
    """The spectrum of a large ringing kernel is near 1 well below the cutoff and near 0 well above, and it has negative lobes."""
    weights = psf(Ringing(41, 1.5))
    spectrum = np.abs(np.fft.rfft2(weights, (256, 256)))[0]
    at = np.arange(len(spectrum)) * 2 * math.pi / 256
    assert np.abs(spectrum[at < 1.1] - 1).max() < 0.15
    assert spectrum[at > 1.9].max() < 0.15
    assert weights.min() < -0.001
    assert weights[20, 20] / weights[20, 21] == pytest.approx(0.75 / 0.5579365, abs=1e-6)  # (w / 2) / J1(w), from tables


def test_overshoot_is_clipped_not_wrapped() -> None:
    """Beside a hard edge ringing stays within 0..255: black never becomes white."""
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 255
    rung = filtered(edge, Ringing(21, 1.2)).astype(int)
    assert rung[:, :28].max() < 64
    assert rung[:, 36:].min() > 191


def test_separable_terms_are_few() -> None:
    """A round Gaussian is one product of a row and a column; all together keep brightness."""
    assert len(separable(psf(ROUND))) == 1
    terms = separable(psf(KERNELS["plateau"]))
    assert sum(row.sum() * column.sum() for row, column in terms) == pytest.approx(1.0, abs=1e-9)
