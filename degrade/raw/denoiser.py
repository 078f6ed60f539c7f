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

from degrade.arrays import fields
from degrade.contract import Map
from degrade.raw.regions import Scatter, segment_values, soft_maps

TEXTURE = 4.0  # energy of texture, in variances of the noise, at which smoothing is halved
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
    blotch: float  # deviation of colour blotches, in deviations of the noise, before `colour` takes its share of them too
    blotch_px: float  # their size
    sharpening: float
    feather_px: float
    seed: int


class Maps(NamedTuple):
    """What differs over the photo, at half its size."""

    strength: Map
    coarse: Map
    colour: Map
    blotches: tuple[Map, Map]  # red and blue, in deviations of the noise, before `colour`


def maps(light: Map, labels: NDArray[np.int32], denoiser: Denoiser) -> Maps:
    """Regrow what differs over a photo.

    Args:
        light: HxW float32 luma of the scene at half the photo's size.
        labels: segments of it, a small proxy.
        denoiser: the camera's.
    """
    guide: Map = cv2.sqrt(light)
    values = segment_values((denoiser.strength, denoiser.coarse, denoiser.colour), int(labels.max()) + 1, denoiser.seed)
    np.minimum(values[:2], MOST, out=values[:2])
    strength, coarse, colour = soft_maps(values, labels, guide, 0.5 * denoiser.feather_px)
    guide *= np.float32(-denoiser.shadows)
    guide += np.float32(1.0)
    return Maps(cv2.multiply(strength, guide, strength), coarse, colour, _blotches((light.shape[1], light.shape[0]), denoiser))


def _blotches(half: tuple[int, int], denoiser: Denoiser) -> tuple[Map, Map]:
    """Return smooth fields of the blotches' deviation in red and blue; cells are half a blotch, at an eighth of the photo's size."""
    columns, rows = (half[0] + 3) // 4, (half[1] + 3) // 4
    cell = max(denoiser.blotch_px / 16.0, 1.0)
    spots = (fields.fractal(denoiser.seed + 10 * (1 + plane), rows, columns, cell, octaves=2) for plane in range(2))
    red, blue = (cv2.resize(spot * np.float32(denoiser.blotch), half, interpolation=cv2.INTER_LINEAR) for spot in spots)
    return red, blue


def reach_px(denoiser: Denoiser) -> int:
    """Return how far away a pixel may lie that changes the luma of another."""
    smooth = max(_radius(denoiser.length_px), 2 * _radius(0.5 * COARSE * denoiser.length_px))
    return smooth + 5  # resizing to half and back, sharpening


def _radius(sigma_px: float) -> int:
    return max(int(2.0 * sigma_px + 0.5), 1)


def _blur(plane: Map, sigma_px: float) -> Map:
    side = 2 * _radius(sigma_px) + 1
    return cv2.GaussianBlur(plane, (side, side), sigma_px)


def _twice(plane: Map) -> Map:
    return cv2.resize(plane, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_LINEAR)


def grips(scene: Map, here: Maps) -> tuple[Map, Map]:
    """Return the share of the noise's detail that is taken away, and the share that comes back at the long length: hxw maps.

    Args:
        scene: hxw float32 linear luma of the scene, half size, in standard deviations of the noise.
        here: the maps of the photo.
    """
    detail = cv2.subtract(scene, cv2.blur(scene, (3, 3)))
    energy: Map = cv2.blur(cv2.multiply(detail, detail, detail), (3, 3))
    energy *= np.float32(1.0 / TEXTURE)
    energy += np.float32(1.0)
    share = cv2.divide(here.strength, energy, energy)
    return share, cv2.multiply(share, here.coarse)


def denoise_luma(noise: Map, scene: Map, grip: tuple[Map, Map], denoiser: Denoiser) -> Map:
    """Return what is left of the luma noise.

    Args:
        noise: HxW float32 in standard deviations of itself; even sizes.
        scene: HxW float32 linear luma of the scene in the same unit.
        grip: of `grips`, for these rows.
        denoiser: the camera's.
    """
    mixed: Map = cv2.scaleAdd(scene, denoiser.texture_loss, noise)
    short = _blur(mixed, denoiser.length_px)
    half = (mixed.shape[1] // 2, mixed.shape[0] // 2)
    long = _blur(cv2.resize(mixed, half, interpolation=cv2.INTER_AREA), 0.5 * COARSE * denoiser.length_px)
    long -= cv2.resize(short, half, interpolation=cv2.INTER_AREA)
    cv2.multiply(long, grip[1], long)
    cv2.subtract(mixed, short, mixed)
    cv2.multiply(mixed, _twice(grip[0]), mixed)
    left = cv2.subtract(noise, mixed, mixed)
    cv2.add(left, _twice(long), left)
    soft = cv2.GaussianBlur(left, (3, 3), 0.85, short)
    return cv2.addWeighted(left, 1.0 + denoiser.sharpening, soft, -denoiser.sharpening, 0.0, left)


def denoise_colour(tint: tuple[Map, Map], here: Maps, denoiser: Denoiser) -> tuple[Map, Map]:
    """Return what is left of the colour noise, and the blotches: red and blue without luma, which decide green.

    Args:
        tint: hxw float32 noise of red and of blue without luma, half size, in standard deviations of the luma noise.
        here: the maps of the photo.
        denoiser: the camera's.
    """
    grip = cv2.sqrt(here.strength)  # colour is smoothed harder than luminance
    left = []
    for plane, blotch in zip(tint, here.blotches, strict=True):
        smooth = _blur(plane, 0.5 * denoiser.colour_length_px)
        smooth -= plane
        cv2.multiply(smooth, grip, smooth)
        smooth += plane
        smooth += blotch
        left.append(cv2.multiply(smooth, here.colour, smooth))
    return left[0], left[1]
