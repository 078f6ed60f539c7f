"""Surfaces without life: the plastic that smoothing leaves between edges, and the dead flats of drawings and screens.

In a photo the ground beside an edge is rough too: grain, texture, the softness of the edge itself. Denoisers, beauty
filters and restorers that wipe it keep the edge. Over the tiles that hold an edge,

    texture = 0.9 quantile of (median gradient / 0.95 quantile of the gradient)

so that the liveliest tiles speak, and a photo is not blamed for its sky: 0.3 to 0.47 for photos as they come, 0.1 to 0.3
after bilateral, median and edge-preserving filters. It is a ratio, so contrast does not matter; blur raises it, which
`sharpness` sees. `flat` is the share of pixels that are exactly as their eight neighbours, and neither black nor white.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from degrade.contract import Srgb
from filters.detail import Lines

TILE_PX = 16
TILES = 4096  # read of a photo, in whole rows of tiles
EDGE = 16  # levels: a tile with steps of this height, in a twentieth of its pixels, holds an edge
LIVELIEST = 0.9  # quantile of the tiles that speaks
FEWEST = 32  # tiles with an edge that can speak for a photo
DARK, BRIGHT = 2, 253  # beyond them flats are clipped, which is counted elsewhere
UNKNOWN = 0.5  # the ratio where too few tiles can tell: nothing is held against the photo


def texture(pixels: Srgb) -> float:
    """Return how rough the ground beside edges is, 0 wiped to 1; 0.5 where there are too few edges to tell.

    Args:
        pixels: HxWx3 uint8 sRGB at its own size.
    """
    rows, columns = ((side - 1) // TILE_PX for side in pixels.shape[:2])
    step = max(1, math.ceil(rows * columns / TILES))
    edged = []
    for top in range(0, rows * TILE_PX, step * TILE_PX):
        luma = cv2.cvtColor(pixels[top : top + TILE_PX + 1, : columns * TILE_PX + 1], cv2.COLOR_RGB2GRAY)
        gradient = cv2.max(cv2.absdiff(luma[:-1, 1:], luma[:-1, :-1]), cv2.absdiff(luma[1:, :-1], luma[:-1, :-1]))
        tiles = np.sort(gradient.reshape(TILE_PX, columns, TILE_PX).swapaxes(0, 1).reshape(columns, -1), axis=1)
        edge = tiles[:, tiles.shape[1] * 19 // 20]
        middle = tiles[:, tiles.shape[1] // 2]
        edged.append(middle[edge >= EDGE] / edge[edge >= EDGE])
    ratios = np.concatenate(edged) if edged else np.zeros(0)
    return float(np.quantile(ratios, LIVELIEST)) if len(ratios) >= FEWEST else UNKNOWN


def flat(groups: Lines) -> float:
    """Return the share of pixels whose 3x3 neighbourhood has one tone, neither black nor white: 0 to 1.

    Args:
        groups: from `detail.lines`.
    """
    first, second, third = groups
    along = np.ones((1, 3), np.uint8)
    highest = cv2.dilate(cv2.max(cv2.max(first, second), third), along)
    lowest = cv2.erode(cv2.min(cv2.min(first, second), third), along)
    return float(np.mean((highest == lowest) & (lowest > DARK) & (highest < BRIGHT)))
