"""Proxies: the small copy of a photo that priors are made from, and the part of a prior that belongs to a crop.

Depth, sky and segments are computed once per photo at low resolution, kept, and cut to each clean side. A pixel of a
proxy is the mean of the photo under it, so positions map by plain scaling of pixel edges: no half-pixel drift.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

LONG_SIDE_PX = 512
LEAST_PX = 16  # a cut map is at least this high and wide, so that whoever filters it has neighbours

Box = tuple[float, float, float, float]  # x, y, width, height in px of the upright photo


def proxy(photo: Srgb, long_side: int = LONG_SIDE_PX) -> Srgb:
    """Return the photo reduced to a long side, by area, never enlarged.

    Args:
        photo: HxWx3 uint8.
        long_side: px of the longer side of the result.
    """
    height, width = photo.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1.0:
        return photo
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def cut(whole: NDArray[np.generic], box: Box, photo_size: tuple[int, int]) -> NDArray[np.generic]:
    """Return the part of a whole-photo map that covers a crop box.

    The result has about the map's own resolution, at least 16x16. Float maps are interpolated, integer maps (labels)
    take the nearest value.

    Args:
        whole: hxw map of the whole photo, any size.
        box: x, y, width, height of the crop in px of the photo; fractions are honoured.
        photo_size: width, height of the upright photo in px.

    Raises:
        ValueError: the box is empty or leaves the photo by more than a pixel.
    """
    x, y, width, height = box
    photo_width, photo_height = photo_size
    if width <= 0 or height <= 0 or x < -1 or y < -1 or x + width > photo_width + 1 or y + height > photo_height + 1:
        raise ValueError(f"box {box} does not lie in a photo of {photo_width}x{photo_height} px")
    if (x, y, width, height) == (0, 0, photo_width, photo_height) and min(whole.shape) >= LEAST_PX:
        return np.ascontiguousarray(whole)
    rows = _centres(y / photo_height, height / photo_height, whole.shape[0])
    columns = _centres(x / photo_width, width / photo_width, whole.shape[1])
    if np.issubdtype(whole.dtype, np.floating):
        return _linear(_linear(whole, rows, 0), columns, 1)
    nearest = np.ix_(_nearest(rows, whole.shape[0]), _nearest(columns, whole.shape[1]))
    return np.ascontiguousarray(whole[nearest])


def _centres(start_frac: float, length_frac: float, cells: int) -> NDArray[np.float64]:
    """Return where the pixel centres of the cut lie, in index units of the map."""
    count = max(round(length_frac * cells), LEAST_PX)
    centres: NDArray[np.float64] = (start_frac + length_frac * (np.arange(count) + 0.5) / count) * cells - 0.5
    return centres


def _nearest(centres: NDArray[np.float64], cells: int) -> NDArray[np.intp]:
    return np.clip(np.floor(centres + 0.5), 0, cells - 1).astype(np.intp)


def _linear(values: NDArray[np.generic], centres: NDArray[np.float64], axis: int) -> NDArray[np.generic]:
    """Interpolate along one axis; numpy, because warps differ between versions of OpenCV and priors are kept for long."""
    inside = np.clip(centres, 0, values.shape[axis] - 1)
    low = np.minimum(inside.astype(np.intp), max(values.shape[axis] - 2, 0))
    high = np.minimum(low + 1, values.shape[axis] - 1)
    weight = (inside - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
    first: NDArray[np.floating] = np.take(values, low, axis, mode="clip")  # all are inside; this mode asks no questions
    second: NDArray[np.floating] = np.take(values, high, axis, mode="clip")
    second -= first
    second *= weight
    second += first
    return second
