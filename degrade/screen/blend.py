"""Patterns on a picture without a display behind them: procedural ones, and photos of moire from a bank.

    I = x + (1 - 0.75 x^4) m (u x + (1 - u) g)

in linear light: m the modulation of all patterns, mean 0; x the picture, g the light around each place. The common recipe
multiplies sRGB values and merges a rest as grain, stretched to the full range (UniDemoire, Yang et al., AAAI 2025). Multiplying light
is what a lattice does; the rest, 1 - u, stands for light that the cover glass spreads before it meets the pattern, so that dark
strokes carry it too. Nothing is stretched: a pattern keeps its mean, and its RMS is the contrast asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import shot
from degrade.arrays import strips
from degrade.contract import Linear, Srgb, Texture
from degrade.screen import geometry, gratings
from degrade.screen.retake import BURNT

AROUND_FRAC = 0.015  # how far the cover glass spreads light, one sigma, short sides
EVEN_FRAC = 0.15  # what is wider than this in a photo of moire is its lighting, not its bands; one sigma, short sides
FAINTEST = 0.02  # RMS; a fainter photo of moire would bring up its noise instead
SMALL_PX = 128  # at which lighting is found


class Placement(NamedTuple):
    """How a photo of moire lies on the picture; beyond its edges it is mirrored."""

    span_frac: float  # its short side, short sides of the picture
    x_frac: float  # of its width at the picture's centre
    y_frac: float
    turn_deg: float
    mirrored: bool
    weight: float  # among the patterns of a photo


class Laid(NamedTuple):
    """A photo of moire worked out for a picture."""

    wave: Linear  # modulation at its own size, mean 0, RMS at most 1
    into: NDArray[np.float64]  # 2x3: from the picture's px to its own


class Light(NamedTuple):
    """What decides how patterns and picture mix."""

    contrast: float  # RMS modulation
    multiplied: float  # u
    noise_gain: float  # variance of the shot noise per linear light
    noise_seed: int


def blended(picture: Linear, patterns: Sequence[gratings.Grating], laid: Sequence[tuple[Texture, Placement]], light: Light) -> Srgb:
    """Return the picture under patterns, HxWx3.

    Args:
        picture: HxWx3 linear light; clipped to [0, 1].
        patterns: procedural.
        laid: photos of moire and where they lie; one pattern of either kind at least.
        light: how they mix.
    """
    height, width = picture.shape[:2]
    picture = cv2.threshold(picture, 1.0, 0.0, cv2.THRESH_TRUNC)[1]
    total = math.hypot(*(pattern.weight for pattern in patterns), *(place.weight for _, place in laid))
    woven = [(gratings.pattern_of(grating, height, width), light.contrast * grating.weight / total) for grating in patterns]
    photos = [(_laid(texture, place, height, width), light.contrast * place.weight / total) for texture, place in laid]
    step = 1 << max(min(height, width) // SMALL_PX, 1).bit_length() - 1
    around = _blurred(strips.reduced(picture, step), AROUND_FRAC)
    grain = shot.words(light.noise_seed, height, width)
    shown = np.empty(picture.shape, np.uint8)
    for rows in strips.rows_of(picture.shape, max(step, geometry.STEP)):
        wave = np.zeros(picture[rows].shape, np.float32)
        for pattern, weight in woven:
            gratings.add(wave, pattern, rows, weight)
        for photo, weight in photos:
            _add_laid(wave, photo, rows, weight)
        mixed = _mixed(picture[rows], strips.enlarged(around, step, rows, width), wave, light.multiplied)
        shot.add(mixed, grain[rows], light.noise_gain)
        shown[rows] = camera.to_srgb(mixed)
    return shown


def _mixed(picture: Linear, around: Linear, wave: Linear, multiplied: float) -> Linear:
    """Return the picture under a modulation; both are written over."""
    fourth = cv2.multiply(picture, picture)
    np.multiply(fourth, fourth, out=fourth)
    wave -= np.float32(BURNT) * fourth * wave
    carrier = cv2.addWeighted(picture, multiplied, around, 1 - multiplied, 0.0)
    cv2.accumulateProduct(wave, carrier, picture)
    return cv2.threshold(picture, 0.0, 0.0, cv2.THRESH_TOZERO, picture)[1]


def _blurred(small: Linear, frac: float) -> Linear:
    return cv2.GaussianBlur(small, (0, 0), max(frac * min(small.shape[:2]), 0.5), borderType=cv2.BORDER_REFLECT)


def _laid(texture: Texture, place: Placement, height: int, width: int) -> Laid:
    """Return the bands of a photo of moire without its lighting, no finer than the picture can show."""
    scale = place.span_frac * min(height, width) / min(texture.shape[:2])  # px of the picture per px of the texture
    if scale < 1:
        size = (max(round(texture.shape[1] * scale), 2), max(round(texture.shape[0] * scale), 2))
        texture, scale = cv2.resize(texture, size, interpolation=cv2.INTER_AREA), 1.0
    light = camera.to_linear(np.ascontiguousarray(texture[..., :3]))
    small = cv2.resize(light, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
    even = cv2.resize(_blurred(small, EVEN_FRAC), texture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    wave = light / (even + np.float32(1e-3)) - 1
    wave *= texture[..., 3:] * np.float32(1 / 255)
    wave -= wave.mean((0, 1), dtype=np.float64).astype(np.float32)
    strength = float(np.sqrt(np.mean(np.square(wave), dtype=np.float64)))
    wave /= np.float32(max(strength, FAINTEST))
    turn = math.radians(place.turn_deg)
    linear = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) / scale
    if place.mirrored:
        linear[:, 0] *= -1
    centre = np.array([place.x_frac * texture.shape[1], place.y_frac * texture.shape[0]])
    return Laid(wave, np.column_stack([linear, centre - linear @ [width / 2, height / 2]]))


def _add_laid(total: Linear, photo: Laid, rows: slice, weight: float) -> None:
    into = photo.into.copy()
    into[:, 2] += into[:, 1] * rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wave = cv2.warpAffine(photo.wave, into, total.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
    cv2.scaleAdd(wave, weight, total, total)
