"""Segments: which pixels of a photo belong together.

Two makers, one result: integer labels 0..n-1 over a small proxy. `superpixels` needs no weights: a watershed flooded
from one marker per grid cell, set where the gradient is least (waterpixels, Machairas et al., IEEE TIP 2015), here
over colour differences instead of a gradient picture. `labels_from_masks` takes what segment-anything finds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

Labels = NDArray[np.int32]
MAKER = "superpixels"


def _markers(grey: NDArray[np.uint8], count: int) -> Labels:
    """Return one marker pixel per cell of a grid of about `count` cells, numbered from 1, at the calmest place of its middle."""
    height, width = grey.shape
    rows = min(max(round(math.sqrt(count * height / width)), 1), height)
    columns = min(max(round(count / rows), 1), width)
    gradient = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    markers = np.zeros((height, width), np.int32)
    for row in range(rows):
        for column in range(columns):
            top, bottom = height * row // rows, height * (row + 1) // rows
            left, right = width * column // columns, width * (column + 1) // columns
            trim_y, trim_x = (bottom - top) // 4, (right - left) // 4
            cell = gradient[top + trim_y : bottom - trim_y, left + trim_x : right - trim_x]
            y, x = divmod(int(cell.argmin()), cell.shape[1])
            markers[top + trim_y + y, left + trim_x + x] = 1 + row * columns + column
    return markers


def superpixels(proxy: Srgb, count: int = 64) -> Labels:
    """Return about `count` connected segments that follow the photo's edges.

    Args:
        proxy: HxWx3 uint8 sRGB, 256-512 px on its long side.
        count: how many segments to aim at, >= 1.

    Returns:
        HxW int32 labels 0..n-1, none of them empty.
    """
    if count < 1:
        raise ValueError(f"count = {count}: a photo has at least one segment")
    calm = cv2.copyMakeBorder(cv2.bilateralFilter(proxy, 5, 30.0, 3.0), 1, 1, 1, 1, cv2.BORDER_REPLICATE)  # watershed skips the rim
    markers = np.pad(_markers(cv2.cvtColor(proxy, cv2.COLOR_RGB2GRAY), count), 1)
    flooded = cv2.watershed(calm, markers)[1:-1, 1:-1]
    return _compact(_close_seams(flooded.astype(np.float32)))


def _close_seams(flooded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the pixels between segments (below 1) to the neighbour with the greater number."""
    while (open_seams := flooded < 1).any():
        flooded = np.where(open_seams, cv2.dilate(flooded, np.ones((3, 3), np.uint8)), flooded)
    return flooded


def _compact(labels: NDArray[np.generic]) -> Labels:
    """Number the labels that occur 0..n-1."""
    _, numbers = np.unique(labels, return_inverse=True)
    return np.asarray(numbers.reshape(labels.shape), np.int32)


def labels_from_masks(masks: Sequence[NDArray[np.bool_]], proxy: Srgb, count: int = 64) -> Labels:
    """Return segments from overlapping masks: the smallest mask wins a pixel, superpixels fill what no mask covers.

    Args:
        masks: HxW booleans of the proxy's size, any number of them, none included.
        proxy: HxWx3 uint8 sRGB.
        count: of the superpixels.

    Returns:
        HxW int32 labels 0..n-1, none of them empty.
    """
    labels = superpixels(proxy, count)
    first = int(labels.max()) + 1
    for index, mask in enumerate(sorted(masks, key=np.count_nonzero, reverse=True)):
        if mask.shape != labels.shape:
            raise ValueError(f"a mask is {mask.shape}, the proxy {labels.shape}: masks belong to the proxy")
        labels[mask] = first + index
    return _compact(labels)
