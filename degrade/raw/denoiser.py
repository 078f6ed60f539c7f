"""What a camera's own denoiser leaves of the noise: it is what makes real photos' noise soft, blotchy and uneven.

No camera shows white noise. Its processor works where noise has one size everywhere (here: noise divided by its own
standard deviation), smooths luminance as a local Wiener filter (Lee, 1980) - by m = strength / (1 + s^2), s^2 the
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

from degrade.arrays import fields
from degrade.contract import Linear, Map
from degrade.raw.regions import Scatter, segment_values, soft_maps

TEXTURE = 1.0  # energy of texture, in variances of the noise, at which smoothing is halved
MOST = 0.95  # of the noise's detail that any denoiser takes away
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


class Maps(NamedTuple):
    """What differs over the photo, at half its size."""

    strength: Map
    coarse: Map
    colour: Map
    blotches: NDArray[np.float32]  # hxwx3, in deviations of the noise

    def rows(self, first: int, last: int) -> Maps:
        """Return the part that belongs to some rows of the photo, both even."""
        part = slice(first // 2, last // 2)
        return Maps(self.strength[part], self.coarse[part], self.colour[part], self.blotches[part])


def maps(linear: Linear, labels: NDArray[np.int32], denoiser: Denoiser) -> Maps:
    """Regrow what differs over a photo.

    Args:
        linear: HxWx3 float32 linear light, even sizes.
        labels: segments of it, a small proxy.
        denoiser: the camera's.
    """
    half = (linear.shape[1] // 2, linear.shape[0] // 2)
    light = cv2.transform(linear, np.array([[0.25, 0.5, 0.25]], np.float32))
    guide = cv2.sqrt(np.clip(cv2.resize(light, half, interpolation=cv2.INTER_AREA), 0.0, 1.0))
    values = segment_values((denoiser.strength, denoiser.coarse, denoiser.colour), int(labels.max()) + 1, denoiser.seed)
    np.minimum(values[:2], MOST, out=values[:2])
    strength, coarse, colour = soft_maps(values, labels, guide, 0.5 * denoiser.feather_px)  # type: ignore[arg-type]
    strength *= 1.0 - np.float32(denoiser.shadows) * guide
    return Maps(strength, coarse, colour, _blotches(half, denoiser))


def _blotches(half: tuple[int, int], denoiser: Denoiser) -> NDArray[np.float32]:
    """Return smooth fields of the blotches' deviation, one per colour; cells are half a blotch, at an eighth of the photo's size."""
    columns, rows = (half[0] + 3) // 4, (half[1] + 3) // 4
    cell = max(denoiser.blotch_px / 16.0, 1.0)
    spots = [fields.fractal(denoiser.seed + 10 * (1 + plane), rows, columns, cell, octaves=2) for plane in range(2)]
    tints = cv2.merge([spots[0], cv2.addWeighted(spots[0], -0.3, spots[1], -0.3, 0.0), spots[1]])
    return cv2.resize(tints * np.float32(denoiser.blotch), half, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def reach_px(denoiser: Denoiser) -> int:
    """Return how far away a pixel may lie that changes another."""
    smooth = max(_radius(denoiser.length_px), 2 * _radius(0.5 * COARSE * denoiser.length_px), 2 * _radius(0.5 * denoiser.colour_length_px))
    return smooth + 8  # texture's window, sharpening, resizing


def _radius(sigma_px: float) -> int:
    return max(int(2.0 * sigma_px + 0.5), 1)


def _blur(plane: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    side = 2 * _radius(sigma_px) + 1
    return cv2.GaussianBlur(plane, (side, side), sigma_px)  # type: ignore[return-value]


def _twice(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.resize(plane, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def denoise_luma(noise: Map, scene: Map, here: Maps, denoiser: Denoiser) -> Map:
    """Return what is left of the luma noise.

    Args:
        noise: HxW float32 in standard deviations of itself; even sizes.
        scene: HxW float32 linear luma of the scene in the same unit.
        here: the maps for these rows.
        denoiser: the camera's.
    """
    halved = cv2.resize(scene, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    detail = cv2.subtract(halved, cv2.blur(halved, (3, 3)))
    energy: Map = cv2.blur(cv2.multiply(detail, detail), (3, 3))  # type: ignore[assignment]
    energy *= np.float32(1.0 / TEXTURE)
    energy += 1.0
    share = cv2.divide(here.strength, energy)
    mixed = cv2.scaleAdd(scene, denoiser.texture_loss, noise)
    short = _blur(mixed, denoiser.length_px)  # type: ignore[arg-type]
    halved = cv2.resize(mixed, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    long = _blur(halved, 0.5 * COARSE * denoiser.length_px)  # type: ignore[arg-type]
    cv2.addWeighted(mixed, 1.0, short, -1.0, 0.0, mixed)
    left: Map = cv2.subtract(noise, cv2.multiply(_twice(share), mixed, mixed), mixed)  # type: ignore[arg-type, assignment]
    long -= cv2.resize(short, (long.shape[1], long.shape[0]), interpolation=cv2.INTER_AREA)
    long *= here.coarse
    long *= share
    left += _twice(long)
    edge = cv2.subtract(left, cv2.GaussianBlur(left, (3, 3), 0.85), short)
    return cv2.scaleAdd(edge, denoiser.sharpening, left, left)  # type: ignore[return-value]


def denoise_colour(tint: NDArray[np.float32], here: Maps, denoiser: Denoiser) -> NDArray[np.float32]:
    """Return what is left of the colour noise, and the blotches.

    Args:
        tint: hxwx3 float32 noise of the colours without luma, half size, in standard deviations of the luma noise.
        here: the maps for these rows.
        denoiser: the camera's.
    """
    smooth = _blur(tint, 0.5 * denoiser.colour_length_px)
    smooth -= tint
    smooth *= cv2.merge([cv2.sqrt(here.strength)] * 3)  # colour is smoothed harder than luminance
    smooth += tint
    smooth += here.blotches
    smooth *= cv2.merge([here.colour] * 3)
    return smooth
