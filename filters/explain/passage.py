"""Whether the clean side's own detail arrives, place by place: the law that every degradation in the air, on glass or in the dark obeys.

    D = a C + b,    a and b smooth

with a what passes and b what is added: Koschmieder's law, a pane's mixture, flare, rain's veil and a short exposure all have this
form within a small tile. Detail finer than b varies tells a alone, by least squares in each tile,

    a = sum C' D' / sum C' C',    X' = X - gaussian(X),

and whatever else the degraded side shows (drops, bands, noise, a second scene) is independent of C and drops out on average. A place where
the clean side has detail, its neighbourhood lets detail pass, and the degraded side does not have it, was not degraded but redrawn,
or lies elsewhere. So

    explained = the 5 % quantile over tiles of a / (a around it), within 0..1:

a patch of a twentieth of the photo that was painted anew decides it, however little of the whole difference that patch is. The share of
the squared difference that a fit explains, the more usual measure, cannot: haze alone makes most of the difference, repainted or not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map
from filters.explain.sides import Both, fine_part, luminance

TILE_PX = 16  # of a copy 256 px short
DETAIL_PX = 1.5  # one sigma: what is finer is detail
PLAIN = 0.02  # a tile with less than this share of the mean detail tells nothing
EDGE = 0.8  # quantile of detail beyond which a tile's say does not grow: one strong edge does not speak for its neighbours
AROUND = 5  # tiles: side of a tile's neighbourhood
WORST = 0.05  # quantile that speaks for the pair
LEAST = 0.3  # of the best passage: what is expected at least of a place, unless the operator knows better
FLAT = 1e-8  # mean square of detail that no 8 bits can show
FEWEST = 6  # tiles that are looked at, however plain
LEAST_PASSAGE = 1e-3
OPAQUE = 0.02  # passage below which a place hides all


class Passage(NamedTuple):
    """What passes in each tile; all maps are rows x columns of tiles."""

    share: Map  # a, about 0 where nothing arrives
    detail: Map  # mean square of the clean side's detail
    telling: NDArray[np.bool_]  # where the clean side has enough of it


def passage(both: Both) -> Passage:
    """Return what passes, tile by tile.

    Args:
        both: linear light of both sides, at least 64 px short; see `sides.Sides.coarse`.
    """
    clean, degraded = (fine_part(luminance(side), DETAIL_PX) for side in both)
    detail = tiles(clean * clean)
    floor = PLAIN * float(detail.mean()) + FLAT
    share = tiles(clean * degraded) / np.maximum(detail, np.float32(FLAT))
    telling = detail > floor
    if int(telling.sum()) < FEWEST:
        telling = detail >= max(float(np.partition(detail.ravel(), -FEWEST)[-FEWEST]), FLAT)
    return Passage(np.clip(share, -1, 3), detail, telling)


def tiles(values: Map) -> Map:
    """Return the mean of every tile; what is left over at the right and below is left out."""
    rows, columns = (side // TILE_PX for side in values.shape)
    return cv2.resize(values[: rows * TILE_PX, : columns * TILE_PX], (columns, rows), interpolation=cv2.INTER_AREA)


def explained(found: Passage, expected: Map | None = None, least: float = LEAST) -> float:
    """Return how much of what should pass does, where that is least, 0..1; 1 for a clean side without any detail to ask after.

    Args:
        found: from `passage`.
        expected: what should pass in each tile; default what passes around it.
        least: what is expected of any tile, as a share of the best; of those below it, where `expected` is given, nothing is said.
    """
    if not found.telling.any():
        return 1.0
    around = neighbours(found) if expected is None else expected
    best = max(float(np.quantile(around[found.telling], 0.9)), LEAST_PASSAGE)
    telling = found.telling
    if expected is not None and bool((telling & (around > least * best)).any()):
        telling = telling & (around > least * best)
    share = found.share[telling] / np.maximum(around[telling], least * best)
    return float(np.quantile(np.clip(share, 0, 1), WORST))


def neighbours(found: Passage) -> Map:
    """Return the passage around each tile, those with detail counting more."""
    say = np.minimum(found.detail, np.quantile(found.detail, EDGE)) + np.float32(1e-12)
    side = (AROUND, AROUND)
    return np.maximum(cv2.blur(found.share * say, side) / cv2.blur(say, side), 0)


def lost(found: Passage) -> float:
    """Return the optical depth of what takes detail away, -ln of its passage over the whole photo: 0 where all of it arrives."""
    if not found.telling.any():
        return 0.0
    share = float((found.share * found.detail).sum() / max(float(found.detail.sum()), 1e-12))
    return -math.log(min(max(share, LEAST_PASSAGE), 1.0))


def depth(found: Passage) -> float:
    """Return the mean optical depth of the places with detail: each counts alike, however strong its edges."""
    if not found.telling.any():
        return 0.0
    return float(-np.log(np.clip(found.share[found.telling], OPAQUE, 1)).mean())
