"""Blur: the clean side, spread by a kernel that differs from place to place.

In each tile the transfer of a round Gaussian of variance s^2 is fitted to the spectra C and D of both sides in linear light,

    min over s of  sum |D(f) - K(f) C(f)|^2,    K(f) = exp(-2 pi^2 s^2 |f|^2),

over all directions together: near f = 0 every kernel looks like that, with s^2 half its spread over both axes, so streaks, discs and
loops are measured by one number. Strength is the length of the even streak of that spread, sqrt(24) s, in px of a picture whose short side
is 1024, as `degrade.blur` counts it, of the most blurred twentieth of the tiles. A tile is explained as far as its own blur predicts it.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Srgb
from filters import detail
from filters.explain import means
from filters.explain.sides import Finding, Sides, luminance

TILE_PX, STRIDE_PX = 64, 32  # of a copy 512 px short
RINGS = 24  # of frequencies
SPREADS = np.concatenate([[0.0], np.geomspace(0.02, 150.0, 40)]).astype(np.float32)  # s^2, px^2
BLURRED = 0.95  # quantile of the tiles that speaks for the photo
WORST = 0.05  # quantile that speaks for what is explained
FLAT = 1.0  # energy of a tile that no 8 bits can show: neither side has any there, and nothing is left to explain
PLAIN = 0.05  # a tile with less than this share of the mean energy tells nothing
SHORT_SIDE_PX = 1024


class Spectra(NamedTuple):
    """Energies by tile and ring of frequency."""

    clean: NDArray[np.float32]  # |C|^2
    both: NDArray[np.float32]  # real part of D C*
    degraded: NDArray[np.float32]  # |D|^2


def explain(sides: Sides) -> Finding:
    """Return the blur length in px of 1024, and whether each place is the clean side's, blurred."""
    clean, degraded = (luminance(side) for side in sides.fine)
    spectra = _spectra(clean, degraded)
    spread, share = fit(spectra)
    energy = spectra.clean.sum(axis=1)
    telling = energy >= PLAIN * energy.mean()
    px = SHORT_SIDE_PX / min(clean.shape)
    length = math.sqrt(24.0 * float(np.quantile(spread[telling], BLURRED))) * px
    return Finding(length, min(float(np.quantile(share[telling], WORST)), means.kept(sides.coarse)))


def sign(photo: Srgb) -> float:
    """Return how soft the sharpest places of a photo are, 0..1: 0.5 for ideal edges, 1 for none.

    Args:
        photo: HxWx3 uint8 sRGB, at its own size.
    """
    groups = detail.lines(photo)
    return 1.0 - detail.sharpness(groups, detail.noise_sigma(groups))


def fit(spectra: Spectra) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the spread s^2 of each tile in px^2, and the share 0..1 of its energy that this blur predicts."""
    transfer = np.exp(-2 * np.pi**2 * SPREADS[:, None] * _rings()[1] ** 2)  # spreads x rings
    predicted = 2 * spectra.both @ transfer.T - spectra.clean @ (transfer**2).T  # of |D|^2
    best = predicted.argmax(axis=1)
    whole = spectra.degraded.sum(axis=1)
    share = (predicted[np.arange(len(best)), best] + FLAT) / (whole + FLAT)
    return SPREADS[best], np.clip(share, 0, 1)


def _spectra(clean: Map, degraded: Map) -> Spectra:
    tile, step = min(TILE_PX, *clean.shape), min(STRIDE_PX, *(side // 2 for side in clean.shape))
    window = np.outer(np.hanning(tile), np.hanning(tile)).astype(np.float32)
    waves = []
    for side in (clean, degraded):
        cut = np.lib.stride_tricks.sliding_window_view(side, (tile, tile))[::step, ::step].reshape(-1, tile, tile)
        waves.append(np.fft.rfft2((cut - cut.mean(axis=(1, 2), keepdims=True)) * window).reshape(len(cut), -1))
    one, other = waves
    energies = (np.abs(one) ** 2, (other * one.conj()).real, np.abs(other) ** 2)
    return Spectra(*(np.asarray(energy @ _rings(tile)[0], np.float32) for energy in energies))


@functools.cache
def _rings(tile: int = TILE_PX) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the matrix that sums a half spectrum over rings, and each ring's frequency in cycles per px."""
    radius = np.hypot(np.fft.fftfreq(tile)[:, None], np.fft.rfftfreq(tile)[None]).ravel()
    edges = np.linspace(0, 0.71, RINGS + 1)
    ring = np.digitize(radius, edges[1:-1])
    matrix = (ring[:, None] == np.arange(RINGS)) & (radius > 0)[:, None]
    return matrix.astype(np.float32), ((edges[:-1] + edges[1:]) / 2).astype(np.float32)
