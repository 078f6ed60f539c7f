"""Compression: detail is rounded away, coefficient by coefficient.

How much that costs depends on the photo, so the photo is its own scale: its middle is coded as JPEG at a ladder of qualities, and
strength is 100 - q for the quality q that costs the clean side as many squared levels as the degraded side differs by. The same
scale ranks the chains of codecs in `degrade.coding.codec_quality`. A codec keeps the means of places and whatever is coarser than its blocks.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.coding import codecs
from degrade.contract import Srgb
from filters import jpeg_history
from filters.explain import means, noise, passage
from filters.explain.sides import Finding, Sides

CROP_PX = 320  # of native pixels: reduced ones hide blocks
LADDER = (3, 6, 10, 15, 22, 30, 40, 50, 60, 70, 80, 88, 94, 98)  # qualities, libjpeg's


def explain(sides: Sides) -> Finding:
    """Return 100 less the JPEG quality that costs as much, and whether only what a codec rounds away is gone."""
    clean, degraded = (noise.cut(side, CROP_PX) for side in (sides.clean, sides.degraded))
    cost = _squared(clean, degraded)
    costs = np.maximum.accumulate([0.0, *(_squared(clean, _coded(clean, quality)) for quality in reversed(LADDER))])
    qualities = (100.0, *map(float, reversed(LADDER)))
    quality = float(np.interp(np.log(cost + 1e-2), np.log(costs + 1e-2), qualities))
    found = passage.passage(sides.coarse)
    return Finding(100.0 - quality, min(passage.explained(found), means.kept(sides.coarse)))


def sign(photo: Srgb, data: bytes = b"") -> float:
    """Return 100 less the lowest JPEG quality that a photo shows signs of: 0 where it shows none.

    Args:
        photo: HxWx3 uint8 sRGB, at its own size.
        data: the file that it was decoded from, if there is one.
    """
    return 100.0 - jpeg_history.estimate_quality(photo, data)


def _coded(photo: Srgb, quality: int) -> Srgb:
    return codecs.jpeg(photo, quality, "4:2:0", "baseline").pixels


def _squared(one: Srgb, other: Srgb) -> float:
    """Return the mean squared difference in levels."""
    return cv2.norm(one, other, cv2.NORM_L2SQR) / one.size
