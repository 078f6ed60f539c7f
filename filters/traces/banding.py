"""Posterised tones: gradients that climb in steps, and levels that no pixel has.

A camera's gradient passes through every level on its way. Where somebody cut the depth of a picture, or stretched a dark
corner of it, the tone stands still and then jumps. In tiles that are smooth and yet hold several levels, look at the
pixels that are as their neighbours: a tile is banded if many of the levels between its darkest and its brightest have
next to no such pixel.

    banding = banded tiles / (smooth tiles + DOUBT),     gaps = missing levels / levels in use, over the whole photo

`banding` is what an eye sees, and outlives a JPEG; `gaps` is what a histogram shows, under any grain, until the picture is
saved as JPEG. CAMBI (Tandon et al., PCS 2021) weighs the contrast of every pair of flats, steps of one level too: that
suits video, which has no noise, and would call the quiet skies of good cameras banded.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

TILE_PX = 48
TILES = 512  # read of a photo, in whole rows of tiles
STILL = 2  # levels by which a pixel's 3x3 neighbourhood may differ, through a decoder's rounding or the slope itself
SMOOTH = 0.25  # share of still pixels that makes a tile smooth
LEAST_SPAN, MOST_SPAN = 4, 56  # levels: with fewer there is no gradient to tell, with more there is an edge
TAIL = 0.03  # share of a tile's still pixels that is left out at either end
RARE = 0.1  # of an even share, below which a level counts as missing from a tile
MISSING, LEAST_MISSING = 0.4, 3  # share and number of missing levels that make a tile banded; contrast pulled up by 1.4 leaves 0.3
DOUBT = 8  # tiles: a handful of them says little about a photo
WINGS = 0.005  # share of the pixels at either end of the histogram that is left out
SELDOM = 0.02  # of the count around a level, below which it counts as missing from a photo
WIDTH = 17  # levels around it
FEWEST_LEVELS = 16  # that a channel must span for its gaps to mean something


class Still(NamedTuple):
    """The levels of the still pixels of smooth tiles."""

    counts: NDArray[np.int64]  # tiles x 256
    total: NDArray[np.int64]  # of each tile


def banding(pixels: Srgb) -> float:
    """Return how much of the smooth gradients climbs in steps, 0 to 1.

    Args:
        pixels: HxWx3 uint8 sRGB at its own size; green speaks for all.
    """
    counts, total = _still(_rows_of_tiles(pixels))
    below = counts.cumsum(axis=1)
    low = (below <= TAIL * total[:, None]).sum(axis=1)
    high = (below < (1 - TAIL) * total[:, None]).sum(axis=1)
    span = high - low
    level = np.arange(256)
    inside = (level > low[:, None]) & (level < high[:, None])
    missing = ((counts < (RARE * total / (span + 1))[:, None]) & inside).sum(axis=1)
    sloping = (span >= LEAST_SPAN) & (span <= MOST_SPAN)
    banded = sloping & (missing >= LEAST_MISSING) & (missing > MISSING * inside.sum(axis=1))
    return float(np.count_nonzero(banded) / (np.count_nonzero(sloping) + DOUBT))


def gaps(sampled: Srgb) -> float:
    """Return the share of levels, of those between the darkest and the brightest in use, that are missing: 0 to 1.

    Args:
        sampled: HxWx3 uint8 sRGB, unmixed pixels of the photo, from `tones.sample`. Of the three channels the fullest counts.
    """
    return min(_missing(np.bincount(channel.ravel(), minlength=256)) for channel in cv2.split(sampled))


def _rows_of_tiles(pixels: Srgb) -> NDArray[np.uint8]:
    """Return evenly spread rows of tiles of the green channel, one below the other."""
    rows, columns = (side // TILE_PX for side in pixels.shape[:2])
    step = max(1, math.ceil(rows * columns / TILES))
    strips = [pixels[row * TILE_PX : (row + 1) * TILE_PX, : columns * TILE_PX, 1] for row in range(0, rows, step)]
    return np.concatenate(strips) if strips else np.zeros((0, 0), np.uint8)


def _still(green: NDArray[np.uint8]) -> Still:
    """Count the levels of the still pixels in every smooth tile."""
    rows, columns = green.shape[0] // TILE_PX, green.shape[1] // TILE_PX
    if not rows * columns:
        return Still(np.zeros((0, 256), np.int64), np.zeros(0, np.int64))
    around = np.ones((3, 3), np.uint8)
    still = cv2.subtract(cv2.dilate(green, around), cv2.erode(green, around)) <= STILL
    tile = (np.arange(green.shape[0]) // TILE_PX * columns)[:, None] + np.arange(green.shape[1]) // TILE_PX
    counts = np.bincount((tile * 256 + green)[still], minlength=rows * columns * 256).reshape(-1, 256)
    total = counts.sum(axis=1)
    smooth = total > SMOOTH * TILE_PX**2
    return Still(counts[smooth], total[smooth])


def _missing(counts: NDArray[np.int64]) -> float:
    """Return the share of the levels in use whose count is next to nothing beside that of their neighbours."""
    below = np.cumsum(counts) / max(int(counts.sum()), 1)
    low, high = (int(place) for place in np.searchsorted(below, (WINGS, 1 - WINGS)))
    if high - low < FEWEST_LEVELS:
        return 0.0
    usual = cv2.blur(counts[:, None].astype(np.float32), (1, WIDTH))[:, 0]
    return float(np.mean(counts[low : high + 1] < SELDOM * usual[low : high + 1]))
