"""Noise: what differs is fine, without a sign, and knows nothing of the scene.

    strength = 1.4826 median |n|,    n = fine part of (D - C), luma in 8-bit levels

over pixels that are clipped on neither side: the standard deviation of Gaussian noise, whatever a few strong edges do where a denoiser ate
them (median absolute deviation: Hampel, 1974). Noise keeps local means; reduced to 256 px it is mostly gone, and every detail of the clean
side must arrive (`passage`) without a change of tone (`means`).
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.contract import Map, Srgb
from filters import detail
from filters.explain import means, passage
from filters.explain.sides import Finding, Sides

CROP_PX = 512  # of native pixels: reduced ones hide noise
WIDE_PX = 6.0  # one sigma: what is wider is no noise
BLACK, WHITE = 12, 243  # luma between which noise is not clipped
FEWEST = 0.02  # share of pixels between the two, or all of them count
TO_SIGMA = 1.4826  # of the median of |n|
LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)


def explain(sides: Sides) -> Finding:
    """Return the standard deviation of the noise in luma, 8-bit levels, and whether nothing but noise came in."""
    clean, degraded = (cut(side) for side in (sides.clean, sides.degraded))
    difference = cv2.transform(cv2.subtract(degraded, clean, dtype=cv2.CV_32F), LUMA)
    noise = np.abs(difference - _around(difference))
    luma = cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY)
    fair = (luma > BLACK) & (luma < WHITE)
    if fair.mean() < FEWEST:
        fair[:] = True
    found = passage.passage(sides.coarse)
    return Finding(TO_SIGMA * float(np.median(noise[fair])), min(passage.explained(found), means.kept(sides.coarse)))


def sign(photo: Srgb) -> float:
    """Return the standard deviation of the noise that the quietest places of a photo show, luma in 8-bit levels.

    Args:
        photo: HxWx3 uint8 sRGB, at its own size.
    """
    return detail.noise_sigma(detail.lines(photo))


def cut(photo: Srgb, side_px: int = CROP_PX) -> Srgb:
    """Return the middle of a photo in native pixels; its corner lies on the grid of JPEG's blocks."""
    top, left = (max(side - side_px, 0) // 32 * 16 for side in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + side_px, left : left + side_px])


def _around(values: Map) -> Map:
    return cv2.GaussianBlur(values, (0, 0), WIDE_PX, borderType=cv2.BORDER_REFLECT)
