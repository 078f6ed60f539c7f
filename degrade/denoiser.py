"""What a camera's own denoiser leaves of the noise: it is what makes real photos' noise soft, blotchy and uneven.

No camera shows white noise. Its processor works where noise has one size everywhere (here: noise divided by its own
standard deviation), smooths luminance as a local Wiener filter (Lee, 1980) - by m = strength / (1 + s^2 / 4), s^2 the
energy of the scene's texture in units of the noise, so that sky and skin are smoothed and foliage and hair keep their
grain -, smooths colour much harder, and sharpens what is left. Low-frequency colour it cannot see stays as blotches.
Strength, correlation length and colour share differ by segment (`regions`); shadows are smoothed more than lights.

The filter acts on the noise that the sensor added, not on the photo: a clean photo has been through such a filter
already. What it costs the photo itself is one number, `texture_loss`, bounded by construction to the noise's size.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import fields
from degrade.contract import Map
from degrade.regions import Scatter, segment_values, soft_map

TEXTURE = 4.0  # energy of texture, in variances of the noise, at which smoothing is halved
COARSE = 2.5  # the long correlation length, in short ones


class Denoiser(NamedTuple):
    """How one camera smooths noise."""

    strength: Scatter  # share of the noise's detail that is taken away where nothing else is to be seen
    coarse: Scatter  # share of what remains that is spread over the long correlation length
    colour: Scatter  # share of the colour noise that is left
    length_px: float  # short correlation length: sigma of the smoothing
    colour_length_px: float
    shadows: float  # by how much less the lights are smoothed than the shadows, 0..1
    texture_loss: float  # share of the scene's own faint texture that goes with the noise
    blotch: float  # deviation of colour blotches, in deviations of the noise
    blotch_px: float  # their size
    sharpening: float
    feather_px: float
    seed: int


def _blur(plane: Map, sigma_px: float) -> Map:
    side = 2 * max(int(2.0 * sigma_px + 0.5), 1) + 1
    return cv2.GaussianBlur(plane, (side, side), sigma_px)  # type: ignore[return-value]


def denoise(
    noise: tuple[Map, Map, Map], luma: Map, per_sigma: Map, labels: NDArray[np.int32], denoiser: Denoiser
) -> tuple[Map, Map, Map]:
    """Return what is left of the noise.

    Args:
        noise: luma and the two colour differences, HxW float32, in standard deviations of the luma noise.
        luma: HxW float32 linear luma of the scene without noise.
        per_sigma: HxW float32, one over the standard deviation of the luma noise.
        labels: segments, a small proxy.
        denoiser: the camera's.

    Returns:
        The same three planes, same units.
    """
    height, width = luma.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    guide = cv2.sqrt(cv2.max(cv2.resize(luma, half, interpolation=cv2.INTER_AREA), 0.0))
    scatters = (denoiser.strength, denoiser.coarse, denoiser.colour)
    values = segment_values(scatters, int(labels.max()) + 1, denoiser.seed)
    np.minimum(values[:2], 0.95, out=values[:2])
    strength, coarse, colour = (soft_map(row, labels, guide, 0.5 * denoiser.feather_px) for row in values)  # type: ignore[arg-type]
    light = cv2.scaleAdd(guide, -denoiser.shadows, np.ones_like(guide))
    strength = cv2.multiply(strength, cv2.max(light, 0.0))  # type: ignore[assignment]
    bright = _denoise_luma(noise[0], luma, per_sigma, _full(strength, luma), _full(coarse, luma), denoiser)
    tint = cv2.merge([cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in noise[1:]])
    first, second = cv2.split(_denoise_colour(tint, strength, colour, denoiser))  # type: ignore[arg-type]
    return bright, _full(first, luma), _full(second, luma)  # type: ignore[arg-type]


def _full(plane: Map, like: Map) -> Map:
    return cv2.resize(plane, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _denoise_luma(noise: Map, luma: Map, per_sigma: Map, strength: Map, coarse: Map, denoiser: Denoiser) -> Map:
    texture = cv2.multiply(cv2.subtract(luma, _blur(luma, denoiser.length_px)), per_sigma)
    energy = cv2.blur(cv2.multiply(texture, texture), (5, 5))
    share = cv2.divide(strength, cv2.add(cv2.multiply(energy, 1.0 / TEXTURE), 1.0))
    short = _blur(noise, denoiser.length_px)
    quarter = cv2.resize(noise, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    long = _full(_blur(quarter, 0.5 * COARSE * denoiser.length_px), noise)  # type: ignore[arg-type]
    cv2.add(short, cv2.multiply(coarse, cv2.subtract(long, short)), short)
    taken = cv2.subtract(noise, short)
    cv2.scaleAdd(texture, denoiser.texture_loss, taken, taken)
    left = cv2.subtract(noise, cv2.multiply(share, taken))
    edge = cv2.subtract(left, cv2.GaussianBlur(left, (3, 3), 0.85))
    return cv2.scaleAdd(edge, denoiser.sharpening, left)  # type: ignore[return-value]


def _denoise_colour(tint: NDArray[np.float32], strength: Map, colour: Map, denoiser: Denoiser) -> NDArray[np.float32]:
    height, width = strength.shape
    smooth = _blur(tint, 0.5 * denoiser.colour_length_px)  # half size
    share = cv2.sqrt(strength)  # colour is smoothed harder than luminance
    left = cv2.add(tint, cv2.multiply(cv2.merge([share, share]), cv2.subtract(smooth, tint)))
    rows, columns = (height + 3) // 4, (width + 3) // 4
    cell = max(denoiser.blotch_px / 8.0, 1.0)
    spots = [fields.fractal(denoiser.seed + 10 * (1 + plane), rows, columns, cell, octaves=2) for plane in range(2)]
    blotches = cv2.resize(cv2.merge(spots), (width, height), interpolation=cv2.INTER_CUBIC)
    cv2.scaleAdd(blotches, denoiser.blotch, left, left)
    return cv2.multiply(left, cv2.merge([colour, colour]))  # type: ignore[return-value]
