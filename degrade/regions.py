"""Numbers that differ from segment to segment of one photo, and the soft maps they become.

A camera's denoiser treats sky, skin and foliage differently, and a second camera differently again. So every number
is drawn twice: the photo's own mean comes from the recipe, each segment scatters about it,

    v_segment = mean * exp(spread * z - spread^2 / 2),  z ~ N(0, 1)

which keeps the mean. Params hold mean, spread and seed; the segments' values are regrown. Maps follow the photo's
edges (guided filter) and pass from one segment to the next over the feather's width.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import fields, guided
from degrade.contract import Map

EDGE = 3e-3  # variance of the guide (perceptual luminance) from which a window counts as an edge


class Scatter(NamedTuple):
    """A positive number that scatters between segments."""

    mean: float
    spread: float  # standard deviation of its logarithm


def segment_values(scatters: tuple[Scatter, ...], segments: int, seed: int) -> NDArray[np.float32]:
    """Return one row of values per scatter, one column per segment."""
    normal = fields.gaussian(seed, len(scatters), segments)
    spread = np.array([[scatter.spread] for scatter in scatters], np.float32)
    mean = np.array([[scatter.mean] for scatter in scatters], np.float32)
    return np.asarray(mean * np.exp(spread * normal - 0.5 * spread**2), np.float32)


def soft_maps(values: NDArray[np.float32], labels: NDArray[np.int32], guide: Map, feather_px: float) -> list[Map]:
    """Return one map per row of values, at the guide's size, soft over `feather_px` and along the guide's edges.

    Args:
        values: one row per map, one column per label.
        labels: small proxy that covers the same view as the guide.
        guide: HxW float32 perceptual luminance.
        feather_px: width of the passage, in px of the guide.
    """
    height, width = guide.shape
    size = (max(width // 2, 1), max(height // 2, 1))
    coarse = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
    nearest = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    found = []
    for row in values:
        soft = cv2.GaussianBlur(row[nearest], (0, 0), 0.25 * feather_px)
        slope, offset = (cv2.resize(plane, (width, height)) for plane in guided.coefficients(coarse, soft, 1, EDGE))  # type: ignore[arg-type]
        full = cv2.add(cv2.multiply(slope, guide, slope), offset, offset)
        found.append(np.clip(full, row.min(), row.max(), out=full))
    return found  # type: ignore[return-value]
