"""The starburst: what diffraction at a dirty iris makes of a point of white light.

At wavelength w the pattern is the power spectrum of the pupil, w times as large. In log-polar coordinates a change of scale is a
shift, so the whole spectrum costs one convolution along the radius for each channel: spikes turn red outwards and speckle becomes
radial fibres, as in a photo and unlike in a drawing. The innermost part is left out: there the light's own image lies.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map
from degrade.lens.aperture import SIDE_PX, Aperture, pupil

GRID_PX = 384
ANGLES, RADII = 640, 288  # of the log-polar pattern
SPREAD_PX = 417  # side of the pattern, odd: about as fine as the pupil's grid
MAX_RADIUS = GRID_PX / 2
CHANNELS = ((600.0, 40.0), (545.0, 40.0), (465.0, 34.0))  # nm: middle and one sigma of what a camera's channels see
GREEN_NM = 545.0
HIDDEN, BLURRED = 0.6, 0.6  # radii of the light: inside the one it hides its pattern, by the other it smears it
LEAST_HIDDEN = 0.006  # of the pattern's radius
PER_OCTAVE = RADII / math.log(MAX_RADIUS)  # px of log radius


def pattern(aperture: Aperture, light_frac: float) -> Linear:
    """Return the light around a point source, SPREAD_PX square x 3, of unit sum in green.

    Args:
        aperture: the pupil.
        light_frac: radius of the light, in radii of the pattern: it hides what lies inside, and a large lamp has broad spikes.
    """
    polar = _coloured(_log_polar(pupil(aperture)))
    radius = np.exp((np.arange(RADII, dtype=np.float32) + np.float32(0.5)) / np.float32(PER_OCTAVE)) / np.float32(MAX_RADIUS)
    hidden = radius**2 / (radius**2 + np.float32(max(HIDDEN * light_frac, LEAST_HIDDEN) ** 2))
    faded = np.clip((1 - radius) / np.float32(0.6), 0, 1) ** 2
    polar *= (hidden * faded)[None, :, None]
    flags = cv2.INTER_LINEAR | cv2.WARP_POLAR_LOG | cv2.WARP_INVERSE_MAP | cv2.WARP_FILL_OUTLIERS
    burst: Linear = cv2.warpPolar(polar, (SPREAD_PX, SPREAD_PX), (SPREAD_PX // 2, SPREAD_PX // 2), SPREAD_PX // 2, flags)
    sigma = BLURRED * light_frac * (SPREAD_PX // 2)
    burst = cv2.GaussianBlur(burst, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) if sigma > 0.5 else burst
    return burst / max(float(cv2.sumElems(burst)[1]), 1e-12)


def place(canvas: Linear, burst: Linear, light: tuple[float, float], energy: NDArray[np.float64], reach_px: float) -> None:
    """Add the pattern to a canvas with its middle on a light, in place.

    Args:
        canvas: HxWx3 linear light.
        burst: of `pattern`.
        light: px; may be outside.
        energy: sum over the pattern's pixels, for each channel.
        reach_px: the pattern's radius on the canvas.
    """
    half = burst.shape[0] // 2
    scale = reach_px / half
    left, top = max(math.floor(light[0] - reach_px), 0), max(math.floor(light[1] - reach_px), 0)
    right, bottom = min(math.ceil(light[0] + reach_px) + 1, canvas.shape[1]), min(math.ceil(light[1] + reach_px) + 1, canvas.shape[0])
    if left >= right or top >= bottom:
        return
    lit = cv2.multiply(burst, (*(energy / scale**2).tolist(), 0.0))
    matrix = np.array([[scale, 0, light[0] - left - scale * half], [0, scale, light[1] - top - scale * half]])
    canvas[top:bottom, left:right] += cv2.warpAffine(lit, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)


def _log_polar(field: NDArray[np.float32]) -> Map:
    """Return the power spectrum of a pupil in log-polar coordinates, ANGLES x RADII."""
    padded = np.zeros((GRID_PX, GRID_PX, 2), np.float32)
    sign = np.where(np.arange(SIDE_PX) % 2 == 0, 1, -1).astype(np.float32)  # moves the origin of the spectrum to the middle
    padded[:SIDE_PX, :SIDE_PX] = field * (sign[:, None] * sign)[..., None]
    spectrum = cv2.dft(padded, nonzeroRows=SIDE_PX)
    real, imaginary = cv2.split(spectrum)
    power = cv2.add(cv2.multiply(real, real), cv2.multiply(imaginary, imaginary))
    middle = (GRID_PX / 2, GRID_PX / 2)
    return cv2.warpPolar(power, (RADII, ANGLES), middle, MAX_RADIUS, cv2.INTER_LINEAR | cv2.WARP_POLAR_LOG)


@functools.cache
def _kernels() -> tuple[NDArray[np.float32], ...]:
    """Return for each channel the weights of shifts along log radius, its spectrum."""
    half = math.ceil(PER_OCTAVE * math.log(700.0 / GREEN_NM)) + 6
    shift = np.arange(-half, half + 1)
    wavelength = GREEN_NM * np.exp(-shift / PER_OCTAVE)  # a correlation: the kernel's left looks towards the centre
    kernels = []
    for middle, sigma in CHANNELS:
        weight = np.exp(-0.5 * ((wavelength - middle) / sigma) ** 2)
        kernels.append((weight / (weight * wavelength**2).sum() * GREEN_NM**2).astype(np.float32))
    return tuple(kernels)


def _coloured(power: Map) -> Linear:
    still = np.ones(1, np.float32)
    return cv2.merge([cv2.sepFilter2D(power, cv2.CV_32F, kernel, still, borderType=cv2.BORDER_REPLICATE) for kernel in _kernels()])
