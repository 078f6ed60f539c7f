"""Blur kernels of second-order degradation, and filtering a picture with them at the price of separable ones.

    Gaussian family   k(v) ~ exp(-q^b / 2)        b = 1 is the Gaussian, b < 1 has long tails, b > 1 a flat top
    plateau           k(v) ~ 1 / (1 + q^b)
    ringing           k(v) ~ w J1(w |v|) / |v|     an ideal low-pass at w radians per px: it overshoots beside edges

with q = v^T S^-1 v and S the covariance of an ellipse (Real-ESRGAN, Wang et al., ICCVW 2021, after Liu et al., TIP 2020).
No program filters a megapixel with 21 x 21 free weights; we neither: a kernel is a short sum of separable ones, its
singular vectors, which give the same 8-bit picture in a quarter of the time.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

FAMILIES: Final = ("gaussian", "plateau")
SMALL_PX: Final = 9  # up to here filtering with all weights is quick
MOST_TERMS: Final = 9  # from here on OpenCV's Fourier transform is quicker
LOST: Final = 0.03  # sum of |weights| that a sum of separable kernels may miss: a few hundredths of a code in a photo
TRIMMED: Final = 0.002  # sum of |weights| that may be cut off at a kernel's rim
STEPS: Final = 64.0  # fractions of a code kept between the terms of that sum
DIGITS: Final = 9  # of a singular vector: beyond them libraries of linear algebra disagree


class Blur(NamedTuple):
    """A kernel that softens."""

    family: str  # of FAMILIES
    side_px: int  # odd
    sigma_px: float  # along
    across_px: float  # across
    angle_deg: float  # of the long axis, counter-clockwise from the columns' direction; 0 where both are equal
    exponent: float  # b; 1 with "gaussian" is the Gaussian


class Ringing(NamedTuple):
    """A kernel that rings: what is left of a picture after an ideal low-pass."""

    side_px: int
    cutoff: float  # radians per px, up to pi


def psf(kernel: Blur | Ringing) -> NDArray[np.float64]:
    """Return a kernel's weights: side x side, sum 1."""
    reach = np.arange(kernel.side_px) - kernel.side_px // 2
    x, y = np.meshgrid(reach, reach)
    if isinstance(kernel, Ringing):
        weights = _low_pass(np.hypot(x, y), kernel.cutoff)
    else:
        turn = math.radians(kernel.angle_deg)
        along = (x * math.cos(turn) - y * math.sin(turn)) / kernel.sigma_px
        across = (x * math.sin(turn) + y * math.cos(turn)) / kernel.across_px
        power = (along**2 + across**2) ** kernel.exponent
        weights = np.exp(-0.5 * power) if kernel.family == "gaussian" else 1.0 / (1.0 + power)
    return np.asarray(weights / weights.sum())


def _low_pass(radius: NDArray[np.float64], cutoff: float) -> NDArray[np.float64]:
    """Return cutoff J1(cutoff r) / (2 pi r), by the integral of Bessel: the mean of cos(t - z sin t) over half a turn."""
    z = cutoff * radius
    turn = (np.arange(64) + 0.5) * (math.pi / 64)  # midpoints: exact to 1e-12 for the radii that we use
    bessel = np.cos(turn - z[..., None] * np.sin(turn)).mean(axis=-1)
    return np.where(radius > 0, cutoff * bessel / (2 * math.pi * np.maximum(radius, 1e-9)), cutoff**2 / (4 * math.pi))


def filtered(picture: Srgb, kernel: Blur | Ringing) -> Srgb:
    """Return a picture filtered with a kernel: HxWx3 uint8, clipped to 0..255; edges are mirrored.

    Args:
        picture: HxWx3 uint8.
        kernel: what to filter with.
    """
    weights = _trimmed(psf(kernel))
    if len(weights) == 1:
        return picture
    terms = separable(weights)
    if len(terms) == 1:
        return cv2.sepFilter2D(picture, -1, *terms[0])
    if len(weights) <= SMALL_PX or len(terms) > MOST_TERMS:
        return cv2.filter2D(picture, -1, weights)
    total, part = np.zeros(picture.shape, np.int16), np.empty(picture.shape, np.int16)
    for row, column in terms:
        cv2.add(total, cv2.sepFilter2D(picture, cv2.CV_16S, row * STEPS, column, part), total)
    return cv2.addWeighted(total, 1.0 / STEPS, total, 0.0, 0.0, dtype=cv2.CV_8U)


def _trimmed(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a kernel without its rim where next to nothing stands there."""
    most = np.abs(weights).sum() * TRIMMED
    rim = 0
    while rim < len(weights) // 2 and np.abs(weights).sum() - np.abs(weights[rim + 1 : -rim - 1, rim + 1 : -rim - 1]).sum() < most:
        rim += 1
    inner = weights[rim : len(weights) - rim, rim : len(weights) - rim]
    return np.asarray(inner / inner.sum())


def separable(weights: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return rows and columns whose products add up to a kernel, but for `LOST`; all together they sum to 1."""
    columns, values, rows = np.linalg.svd(weights)
    terms: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    left = weights.copy()
    for value, column, row in zip(values, columns.T, rows, strict=True):
        root = math.copysign(math.sqrt(value), column[np.argmax(np.abs(column))])
        terms.append((np.round(row * root, DIGITS), np.round(column * root, DIGITS)))
        left -= np.outer(terms[-1][1], terms[-1][0])
        if np.abs(left).sum() < LOST:
            break
    row, column = terms[0]
    terms[0] = row * (1.0 + left.sum() / (row.sum() * column.sum())), column  # brightness is kept
    return terms
