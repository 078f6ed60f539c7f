"""How much of a photo's resolution a chain leaves: one number for blur, shrinking, noise and JPEG.

Detail survives a chain if it is neither blurred away nor drowned:

    1 / left^4 = b^2 + n^2        b = 1 + sum width^2 / B + sum ((pi / cutoff)^2 - 1) + (1 / smallest^2 - 1)
                                  n = (D / P)^0.63,   D = sum sigma^2 / scale^2

b adds up the squares of lost lengths in px of the clean side: B makes a blur as bad as the shrinking that costs a photo the
same. D is the density of noise and of JPEG's error; a smaller picture packs it into coarser detail, and no later blur takes it
away without the detail it lies on. 1 / n is the square of the frequency at which the spectrum of a typical photo, P f^-3.18,
meets that density. B, P and JPEG's errors were measured on 32 photos (`benchmarks/calibrate_web.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from degrade.upload.chain import Finish, Pass
from degrade.upload.kernels import Blur, Ringing

BLUR: Final = 0.24  # px^2: B
SPECTRUM: Final = 12.7  # codes^2: P
FALL: Final = 2 / 3.18
JPEG_QUALITY: Final = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
JPEG_ERROR: Final = (412.2, 115.6, 65.5, 48.1, 39.0, 33.1, 28.2, 22.5, 16.1, 8.8, 5.0, 1.8)  # codes^2, geometric mean of photos
ERROR: Final = tuple(np.interp(np.arange(101), JPEG_QUALITY, JPEG_ERROR).tolist())


class Toll(NamedTuple):
    """What one pass takes, as numbers."""

    width_px: float  # of its blur
    cutoff: float  # radians per px
    scale: float
    sigma: float  # codes
    quality: float


def left(tolls: Sequence[Toll], scale: float, cutoff: float, *, saved_last: bool) -> float:
    """Return the share of a photo's resolution that is left, in (0, 1].

    Args:
        tolls: of the passes, first one first.
        scale: of the small picture at the end.
        cutoff: of the ringing at the end.
        saved_last: the last JPEG is of that small picture.
    """
    lost, density, before, smallest = 1.0, 0.0, 1.0, 1.0
    for toll in tolls:
        width, low_pass, now, sigma, quality = toll
        lost += ((width * width) / BLUR + (math.pi / low_pass) ** 2 - 1.0) / (before * before)
        coded = scale if saved_last and toll is tolls[-1] else now
        density += sigma * sigma / (now * now) + ERROR[round(quality)] / (coded * coded)
        smallest = min(smallest, now)
        before = now
    smallest = min(smallest, scale)
    lost += 1.0 / (smallest * smallest) - 1.0 + ((math.pi / cutoff) ** 2 - 1.0) / (scale * scale)
    drowned: float = (density / SPECTRUM) ** FALL
    return (lost * lost + drowned * drowned) ** -0.25


def spread(family: str, exponent: float) -> float:
    """Return how much wider than a Gaussian of the same sigma a kernel blurs, as a factor on sigma."""
    return math.sqrt((1.0 if family == "gaussian" else 2.0) / exponent)


def toll_of(one: Pass) -> Toll:
    """Return the numbers of a pass."""
    return Toll(
        0.0 if one.kernel is None else width_px(one.kernel),
        cutoff_of(one.ringing),
        one.scale,
        0.0 if one.speckle is None else one.speckle.sigma,
        one.quality,
    )


def width_px(kernel: Blur) -> float:
    """Return the deviation of a blur, px, both axes in one."""
    return spread(kernel.family, kernel.exponent) * math.sqrt(0.5 * (kernel.sigma_px**2 + kernel.across_px**2))


def cutoff_of(kernel: Ringing | None) -> float:
    """Return a low-pass' cutoff; pi takes nothing."""
    return math.pi if kernel is None else kernel.cutoff


def left_by(passes: Sequence[Pass], finish: Finish) -> float:
    """Return the share of a photo's resolution that a chain leaves."""
    return left([toll_of(one) for one in passes], finish.scale, cutoff_of(finish.ringing), saved_last=finish.saved_last)
