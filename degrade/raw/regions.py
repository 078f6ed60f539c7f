"""Numbers that differ from segment to segment of one photo, and the soft maps they become.

A camera's denoiser treats sky, skin and foliage differently, and a second camera differently again. So every number
is drawn twice: the photo's own mean comes from the recipe, each segment scatters about it,

    v_segment = mean * exp(spread * z - spread^2 / 2),  z ~ N(0, 1)

which keeps the mean. Params hold mean, spread and seed; the segments' values are regrown. Maps pass from one segment
to the next over the feather's width, the one that shows most along the photo's own edges (guided filter).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields, guided
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
    """Return one map per row of values, at the guide's size, soft over `feather_px`.

    The first, whose jumps would show, is drawn back to the guide's edges; the others may cross them by a feather.

    Args:
        values: one row per map, one column per label.
        labels: small proxy that covers the same view as the guide.
        guide: HxW float32 perceptual luminance.
        feather_px: width of the passage, in px of the guide.
    """
    height, width = guide.shape
    size = (max(width // 2, 1), max(height // 2, 1))
    coarse = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
    nearest = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.intp)
    side = 2 * max(round(0.6 * feather_px), 1) + 1
    soft = cv2.GaussianBlur(np.take(np.ascontiguousarray(values.T), nearest, axis=0, mode="clip"), (side, side), 0.25 * feather_px)
    first, *others = cv2.split(soft)
    slope, offset = (cv2.resize(plane, (width, height)) for plane in guided.coefficients(coarse, first, 1, EDGE))
    sharp = cv2.add(cv2.multiply(slope, guide, slope), offset, offset)
    np.clip(sharp, values[0].min(), values[0].max(), out=sharp)
    return [sharp, *(cv2.resize(plane, (width, height)) for plane in others)]
