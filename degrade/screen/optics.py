"""How much of a display's lattice a camera sees, and how much of that comes back as bands.

    seen(k) = lattice(k) sinc(a f) exp(-2 pi^2 s^2 |f|^2),    f = k . gradient of the display's coordinates

in cycles per camera pixel, with a the side of a photosite and s the blur of lens and anti-alias filter. A colour that is
sampled every second photosite shows a wave of f at f + n/2 too, one on a quad-Bayer array at f + n/4. What lands near zero is
a band; the rest is a fine weave, which demosaicing and a smaller finished photo take away in part.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.screen.layouts import CELL, LAYOUTS, lattice

APERTURE = 0.85  # side of what a photosite gathers under its microlens, px
HARMONICS = 12  # of a cell, each way; no lens sees beyond
SHARPEST_PX, SOFTEST_PX = 0.3, 0.8  # between which a reach is measured
USUAL_FILL = 0.7
QUAD = (0, 1, -1, 0)  # px from a site of a Bayer array to the nearest of its colour in a quad-Bayer one
BAND_PX = 8.0  # of the finished photo: what is wider is a band, what is finer a weave

Waves = NDArray[np.complex128]  # 3 x (2 HARMONICS + 1) squared: amplitudes, the mean in the middle
Gradient = NDArray[np.float64]  # 2x2: display pixels per camera pixel; row 0 is of the display's columns


class Camera(NamedTuple):
    """What a camera's array and resolution do to waves."""

    zoom: int  # camera pixels per pixel of the finished photo
    quad: bool  # a quad-Bayer array


class Reach(NamedTuple):
    """What contrast a screen can show to a lens: exp(log_peak - fall * blur_px^2)."""

    log_peak: float
    fall: float

    def softest_px(self, contrast: float) -> float:
        """Return the largest blur that leaves a contrast; negative where no blur does."""
        left = (self.log_peak - math.log(contrast)) / self.fall
        return math.copysign(math.sqrt(abs(left)), left)


def shown(name: str, fill: float) -> Waves:
    """Return the waves of a white screen."""
    whole = np.fft.fftshift(np.fft.fft2(lattice(name, fill)), (1, 2)) / CELL**2
    near = slice(CELL // 2 - HARMONICS, CELL // 2 + HARMONICS + 1)
    return np.asarray(whole[:, near, near])


def transfer(f_x: NDArray[np.float64], f_y: NDArray[np.float64], soft_px: float) -> NDArray[np.float64]:
    """Return the share of a wave that photosite and lens let through, at frequencies in cycles per px."""
    blurred = np.exp(-2 * math.pi**2 * soft_px**2 * (f_x**2 + f_y**2))
    return np.asarray(np.sinc(APERTURE * f_x) * np.sinc(APERTURE * f_y) * blurred)


def seen(waves: Waves, period: int, gradient: Gradient, soft_px: float) -> Waves:
    """Return the waves that the photosites see.

    Args:
        waves: of a white screen.
        period: display pixels across a cell.
        gradient: at the centre of the photo.
        soft_px: blur of lens and anti-alias filter, one sigma, camera px.
    """
    return np.asarray(waves * transfer(*_frequencies(period, gradient), soft_px))


def modulation(waves: Waves) -> NDArray[np.float64]:
    """Return what waves do to the light of a grey, by phase: 3 x CELL x CELL, mean 0."""
    whole = np.zeros((3, CELL, CELL), np.complex128)
    near = slice(CELL // 2 - HARMONICS, CELL // 2 + HARMONICS + 1)
    whole[:, near, near] = waves
    whole[:, CELL // 2, CELL // 2] = 0.0
    return np.asarray(np.fft.ifft2(np.fft.ifftshift(whole, (1, 2))).real * CELL**2)


def contrast(waves: Waves, period: int, gradient: Gradient, camera: Camera, finest_px: float = 0.0) -> float:
    """Return the RMS modulation that seen waves leave in the finished photo of a grey screen, over the three colours.

    Args:
        waves: as seen.
        period: display pixels across a cell.
        gradient: at the centre of the photo.
        camera: what it does to waves.
        finest_px: waves that are finer than this in the finished photo do not count.
    """
    f_x, f_y = _frequencies(period, gradient)
    power = np.abs(waves) ** 2
    power[:, HARMONICS, HARMONICS] = 0.0
    across, down = _images(f_x, quad=camera.quad)[:, None], _images(f_y, quad=camera.quad)[:, :, None]  # parity x row x column of the image
    to_x, to_y = (_wrapped(f + np.arange(4)[:, None, None] / 4) for f in (f_x, f_y))
    to_x, to_y = to_x[None], to_y[:, None]
    counted = _mean_of(zoom := camera.zoom, to_x) * _mean_of(zoom, to_y) * (zoom * finest_px * np.hypot(to_x, to_y) <= 1)
    kept = np.nonzero(counted)  # of a band, few
    to_x, to_y, even_x, even_y, odd_x, odd_y = (np.broadcast_to(values, counted.shape)[kept] for values in (to_x, to_y, across[0], down[0], across[1], down[1]))
    chess = 0.5 + 0.25 * (np.cos(2 * math.pi * to_x) + np.cos(2 * math.pi * to_y))  # what linear interpolation leaves
    square = (np.cos(math.pi * to_x) * np.cos(math.pi * to_y)) ** 2
    left = (square * even_x * even_y, chess * (even_x * odd_y + odd_x * even_y) / 2, square * odd_x * odd_y)
    total = sum(float((power[channel][kept[2:]] * np.abs(counted[kept] * left[channel]) ** 2).sum()) for channel in range(3))
    return math.sqrt(total / 3)


@functools.lru_cache(maxsize=256)
def reach(name: str, pitch_px: float, camera: Camera) -> Reach:
    """Return what contrast the bands of a kind of screen can reach, seen straight at a pitch."""
    period, gradient = LAYOUTS[name], np.eye(2) / pitch_px
    seen_by = [seen(_usual(name), period, gradient, blur) for blur in (SHARPEST_PX, SOFTEST_PX)]
    sharp, soft = (contrast(waves, period, gradient, camera, BAND_PX) for waves in seen_by)
    fall = math.log(sharp / soft) / (SOFTEST_PX**2 - SHARPEST_PX**2)
    return Reach(math.log(sharp) + fall * SHARPEST_PX**2, fall)


@functools.cache
def _usual(name: str) -> Waves:
    return shown(name, USUAL_FILL)


def _frequencies(period: int, gradient: Gradient) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the camera frequency, cycles per px, of every wave; a row and a column where the display is seen straight."""
    k = np.arange(-HARMONICS, HARMONICS + 1) / period
    across, down = k[None, :], k[:, None]
    if gradient[1, 0] == gradient[0, 1] == 0.0:
        return across * gradient[0, 0], down * gradient[1, 1]
    return across * gradient[0, 0] + down * gradient[1, 0], across * gradient[0, 1] + down * gradient[1, 1]


def _wrapped(f: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(f - np.round(f))


def _images(f: NDArray[np.float64], *, quad: bool) -> NDArray[np.complex128]:
    """Return how much of a wave sampled every second photosite is found at f, f + 1/4, f + 2/4, f + 3/4; from even and odd sites."""
    sites = np.array([[0, 2], [1, 3]])
    read = np.array(QUAD)[sites] if quad else np.zeros((2, 2))
    image = np.arange(4)[:, None, None, None]
    turns = [read[parity] * f[..., None] - image * sites[parity] / 4 for parity in range(2)]
    return np.asarray(np.exp(2j * math.pi * np.stack(turns)).mean(-1))


def _mean_of(zoom: int, f: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the mean of `zoom` neighbours leaves of a frequency."""
    return np.asarray(np.sinc(zoom * f) / np.sinc(f))
