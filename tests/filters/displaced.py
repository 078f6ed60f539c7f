"""Pairs with a known displacement: the middle of a photo, and the middle of the same photo moved."""

from __future__ import annotations

import cv2
import numpy as np

from degrade.contract import Srgb
from filters.registration.similarity import Similarity

MARGIN_PX = 24


def still(photo: Srgb) -> Srgb:
    """Return the middle of a photo."""
    return displaced(photo, Similarity())


def displaced(photo: Srgb, found: Similarity) -> Srgb:
    """Return the middle of a photo, such that what `still` shows at x stands at found(x)."""
    height, width = (side - 2 * MARGIN_PX for side in photo.shape[:2])
    matrix = found.inverse().matrix(width, height)
    matrix[:, 2] += MARGIN_PX
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(photo, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101), np.uint8)
