"""Moire: bands that a display and a sensor make between them multiply the light.

    D = (1 + m) C,    strength = RMS of m in per cent

m is read where the clean side is even, for there it stands alone: m = (D - C) / (C + 0.01), all three colours, less what is wider than any band
(the display's own tone). Bands are coloured and periodic, so the sign of moire in a single photo is colour whose spectrum has
peaks, beyond the low frequencies where scenes have theirs. It is the weakest of the signs: mild bands have the contrast of a fabric.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map, Srgb
from filters.explain import means, noise, passage
from filters.explain.sides import Finding, Sides, fine_part, light_of, luminance

CROP_PX = 512  # of native pixels; halved once, which leaves bands and averages noise
BAND_PX = 24.0  # one sigma, after halving: what is wider is no band
EVEN_PX = 3.0  # one sigma: what is finer counts as texture
DARK = 0.03  # light below which a ratio tells nothing
ROUNDING = 0.01  # light added to a ratio's denominator
BRIGHT = 0.8
EVENEST = 0.5  # share of the fair pixels that is looked at
FEWEST = 0.02  # share of fair pixels, or all that are not clipped count
TILE_PX = 128  # of the sign
LOWEST = 5  # waves per tile below which colour belongs to the scene
HIGHEST = 0.45  # cycles per px above which it belongs to the demosaicing
PEAK = 15.0  # energy over that of its ring; white noise passes it once in some thousand waves
FAINTEST = 1e-12


def explain(sides: Sides) -> Finding:
    """Return the RMS modulation of light in per cent, and whether the scene stands behind it unchanged."""
    clean, degraded = (light_of(noise.cut(side, CROP_PX), CROP_PX // 2) for side in (sides.clean, sides.degraded))
    wave = (degraded - clean) / (clean + np.float32(ROUNDING))
    wave -= cv2.GaussianBlur(wave, (0, 0), BAND_PX, borderType=cv2.BORDER_REFLECT)
    strength = 100 * float(np.sqrt((wave[_even(clean)] ** 2).mean()))
    found = passage.passage(sides.coarse)
    return Finding(strength, min(passage.explained(found), means.kept(sides.coarse)))


def _even(clean: Linear) -> NDArray[np.bool_]:
    """Return where the clean side is neither dark nor bright nor textured, boolean HxW."""
    light = luminance(clean)
    texture = cv2.GaussianBlur(np.abs(fine_part(light, EVEN_PX)), (0, 0), EVEN_PX) / (light + np.float32(DARK))
    fair = (clean.max(axis=2) < BRIGHT) & (clean.min(axis=2) > DARK)
    if fair.mean() < FEWEST:
        brightest = clean.max(axis=2)
        fair = brightest <= max(BRIGHT, float(np.quantile(brightest, 0.5)))
    return fair & (texture <= np.quantile(texture[fair], EVENEST))


def sign(photo: Srgb) -> float:
    """Return the RMS of colour in periodic waves, in per cent of white in square roots of light, of the median tile.

    A wave is periodic if it has `PEAK` times the energy of its surroundings: of the geometric mean over its own ring of frequencies.

    Args:
        photo: HxWx3 uint8 sRGB, at its own size.
    """
    light = cv2.sqrt(light_of(noise.cut(photo, CROP_PX), CROP_PX))
    tile = min(TILE_PX, *light.shape[:2])
    energy = sum(_energy(plane, tile) for plane in cv2.split(cv2.transform(light, means.OPPONENT[1:])))
    rings = _rings(tile)
    usual = np.exp((np.log(energy + FAINTEST) @ rings) / np.maximum(rings.sum(axis=0), 1)) @ rings.T
    periodic = np.maximum(energy - PEAK * usual, 0) * rings.any(axis=1)
    return 100 * float(np.median(np.sqrt(2 * periodic.sum(axis=1))))


def _energy(plane: Map, tile: int) -> NDArray[np.float32]:
    """Return the energy of each wave of each tile, tiles x waves of the half spectrum."""
    window = np.outer(np.hanning(tile), np.hanning(tile)).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(plane, (tile, tile))[:: tile // 2, :: tile // 2].reshape(-1, tile, tile)
    waves = np.fft.rfft2((cut - cut.mean(axis=(1, 2), keepdims=True)) * (window / np.sqrt((window**2).mean())))
    return np.asarray(np.abs(waves).reshape(len(cut), -1) ** 2 / tile**4, np.float32)


@functools.cache
def _rings(tile: int) -> NDArray[np.float32]:
    """Return which wave lies in which ring, waves x rings; waves outside the range of bands lie in none."""
    radius = np.hypot(np.fft.fftfreq(tile)[:, None], np.fft.rfftfreq(tile)[None]).ravel() * tile
    fair = (radius >= LOWEST) & (radius < HIGHEST * tile)
    return ((radius.astype(int)[:, None] == np.arange(LOWEST, tile // 2)) & fair[:, None]).astype(np.float32)
