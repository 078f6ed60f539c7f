"""A small misalignment undone: the clean side, an editor's output, is brought onto the degraded photo, and both are cut.

The degraded photo is the one that was there first, so its pixels stay as they are. Where only whole pixels are to be moved,
the clean side's stay too: a warp softens, and a restorer would learn it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters.registration.similarity import Similarity

MOST_FRAC = 0.05  # of the short side, that a corner may be moved
WHOLE_PX = 0.1  # a map that is so near to whole pixels everywhere is one


def correct(clean: Srgb, degraded: Srgb, found: Similarity, most_frac: float = MOST_FRAC) -> tuple[Srgb, Srgb]:
    """Return both sides where both are, aligned and of one size.

    Args:
        clean: HxWx3 uint8 sRGB.
        degraded: the same size.
        found: where what the degraded side shows at x stands in the clean side, px: from `match.match`.
        most_frac: of the short side, how far the corner that moves most may move.

    Raises:
        BadSample: that is more than a correction.
        ValueError: the sides differ in size: `unresize` first.
    """
    height, width = degraded.shape[:2]
    if clean.shape != degraded.shape:
        raise ValueError(f"the clean side is {clean.shape[1]}x{clean.shape[0]}, the degraded one {width}x{height}: bring them to one size with `unresize`")
    reach_px = found.reach_px(width, height)
    if reach_px > most_frac * min(width, height):
        raise BadSample(Reason.ABOVE_LIMIT, f"a corner would move by {reach_px:.1f} px, a correction moves it by {most_frac * min(width, height):.1f} at most")
    nearest = Similarity(round(found.shift_x_px), round(found.shift_y_px))
    whole = found.after(nearest.inverse()).reach_px(width, height) <= WHOLE_PX
    return _moved(clean, degraded, nearest) if whole else _warped(clean, degraded, found)


def _moved(clean: Srgb, degraded: Srgb, nearest: Similarity) -> tuple[Srgb, Srgb]:
    height, width = degraded.shape[:2]
    across, down = int(nearest.shift_x_px), int(nearest.shift_y_px)
    left, top, right, bottom = max(-across, 0), max(-down, 0), width - max(across, 0), height - max(down, 0)
    ours = clean[top + down : bottom + down, left + across : right + across]
    return np.ascontiguousarray(ours), np.ascontiguousarray(degraded[top:bottom, left:right])


def _warped(clean: Srgb, degraded: Srgb, found: Similarity) -> tuple[Srgb, Srgb]:
    height, width = degraded.shape[:2]
    matrix = found.matrix(width, height)
    warped = cv2.warpAffine(clean, matrix, (width, height), flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    left, top, right, bottom = common(found, width, height)
    return np.ascontiguousarray(warped[top:bottom, left:right], np.uint8), np.ascontiguousarray(degraded[top:bottom, left:right])


def common(found: Similarity, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the box of the degraded photo that the clean side covers: left, top, right, bottom; right and bottom not in it."""
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], np.float64)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (corners @ found.inverse().matrix(width, height).T).tolist()
    slack = 1e-6  # of the arithmetic
    left, top = math.ceil(max(x0, x2, 0.0) - slack), math.ceil(max(y0, y1, 0.0) - slack)
    right, bottom = math.floor(min(x1, x3, width - 1.0) + slack) + 1, math.floor(min(y2, y3, height - 1.0) + slack) + 1
    return left, top, right, bottom
