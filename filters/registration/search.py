"""Where to begin: the peak of the phase correlation of two small structures, if need be over turns and sizes.

    c = F^-1 (G F* / |G F*|^0.75)

(Kuglin and Hines, 1975; the root keeps frequencies in which there is nothing but noise from having a full voice.) A peak
stands out of c by so many of its standard deviations; where none does, the clean side is turned and resized in steps
whose halves the fit can bridge, which in noise and haze is surer than the log-polar spectrum.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map
from filters.registration.similarity import Similarity

WHITENING = 0.75
STANDS_OUT = 20.0  # standard deviations from which no turn need be tried
TURNS_DEG = tuple(range(-12, 13, 3))
SCALES = (0.82, 0.88, 0.94, 1.0, 1.06, 1.13, 1.21)
KEPT = 3  # candidates
SEARCHED_PX = 96  # least short side of what is searched


def candidates(clean: Map, degraded: Map) -> list[Similarity]:
    """Return maps from places in the clean structure to places in the degraded one, the likeliest first."""
    factor = 1
    while min(clean.shape) >= 2 * SEARCHED_PX:
        clean, degraded, factor = _halved(clean), _halved(degraded), 2 * factor
    height, width = clean.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    spectrum = np.fft.rfft2(cv2.multiply(degraded, window))
    plain, peak = _shift(np.fft.rfft2(cv2.multiply(clean, window)), spectrum, (height, width))
    tried = [(peak, plain)]
    for turn_deg, scale in itertools.product(TURNS_DEG, SCALES) if peak < STANDS_OUT else ():
        turned = Similarity(scale=scale, rotation_deg=turn_deg)
        seen = cv2.warpAffine(clean, turned.matrix(width, height), (width, height), flags=cv2.INTER_LINEAR)
        shift, peak = _shift(np.fft.rfft2(cv2.multiply(seen, window)), spectrum, (height, width))
        tried.append((peak, shift.after(turned)))
    tried.sort(key=lambda one: -one[0])
    return [found.resized(factor) for _, found in tried[:KEPT]]


def _halved(structure: Map) -> Map:
    height, width = structure.shape
    return cv2.resize(structure[: height // 2 * 2, : width // 2 * 2], (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _shift(clean: NDArray[np.complexfloating], degraded: NDArray[np.complexfloating], shape: tuple[int, int]) -> tuple[Similarity, float]:
    """Return the shift from clean to degraded, whole px, and by how many standard deviations its peak stands out."""
    cross = degraded * np.conj(clean)
    power = np.abs(cross)
    cross /= (power + 0.05 * power.mean() + 1e-12) ** WHITENING
    height, width = shape
    surface = np.fft.irfft2(cross, s=shape).astype(np.float32)
    surface = cv2.GaussianBlur(np.roll(surface, (height // 2, width // 2), (0, 1)), (0, 0), 0.8)
    row, column = divmod(int(surface.argmax()), width)
    above = float(surface[row, column] - np.median(surface)) / (float(surface.std()) + 1e-12)
    return Similarity(float(column - width // 2), float(row - height // 2)), above
