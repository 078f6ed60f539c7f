"""The noise of a frame, measured, and given back to an average that lost it.

The mean of N frames has 1/N of the noise of one, and interpolation takes more; a model that learns from such pairs learns
that blur is clean. Noise is what a second difference sees in the flattest blocks (Immerkaer, CVIU 1996), as a curve over brightness; the
same blocks of the average tell how much is missing. What the channels share and what each has for itself are kept apart.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import shot
from degrade.arrays import fields, strips
from degrade.contract import Linear, Map

SECOND = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6)  # white noise keeps its variance
GREY = np.full((1, 3), 1 / 3)
BLOCK_PX = 16
LEVELS = 12  # of brightness, by its root
BLACK = -1  # the level of blocks without any light: they have no noise, and tell nothing of that of others
FLATTEST = 0.15  # share of blocks at a level that tell noise from texture
FEWEST = 4  # blocks that make a level
TEXTURE = 3.0  # times the quieter levels' variance per light: what is beyond it was not noise


class Measure(NamedTuple):
    """Blocks of a picture."""

    light: Map  # mean
    shared: Map  # variance of the channels' mean
    each: Map  # mean of the channels' variances
    rough: Map  # texture, seen at half the size: choosing blocks by their noise would choose the quieter draws of it


class Missing(NamedTuple):
    """Variance to add, by brightness."""

    light: NDArray[np.float64]
    shared: NDArray[np.float64]  # by all channels alike
    own: NDArray[np.float64]  # by each channel


def measured(light: Linear) -> Measure:
    """Return what a second difference sees, by block; light beyond white counts as white."""
    height, width = light.shape[:2]
    block = min(BLOCK_PX, height, width)
    parts = [_measured(light[rows], block) for rows in strips.rows_of(light.shape, block) if rows.stop - rows.start >= block]
    return Measure(*(np.concatenate(maps) for maps in zip(*parts, strict=True)))


def _measured(light: Linear, block: int) -> Measure:
    """Measure the whole blocks of some rows."""
    size = (light.shape[1] // block, light.shape[0] // block)
    shown = cv2.threshold(light[: size[1] * block, : size[0] * block], 1.0, 0.0, cv2.THRESH_TRUNC)[1]
    second = cv2.filter2D(shown, -1, SECOND, borderType=cv2.BORDER_REFLECT_101)
    shared = cv2.resize(cv2.transform(second, GREY) ** 2, size, interpolation=cv2.INTER_AREA)
    each = cv2.resize(cv2.transform(cv2.multiply(second, second, second), GREY), size, interpolation=cv2.INTER_AREA)
    grey: Map = cv2.transform(shown, GREY)
    half = cv2.resize(grey, (max(grey.shape[1] // 2, 1), max(grey.shape[0] // 2, 1)), interpolation=cv2.INTER_AREA)
    rough = cv2.resize(cv2.Laplacian(half, cv2.CV_32F) ** 2, size, interpolation=cv2.INTER_AREA)
    return Measure(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), shared, each, rough)


def missing(one: Linear, average: Linear) -> Missing:
    """Return the noise that a frame has and an average of frames no longer has.

    Args:
        one: HxWx3 linear light, the frame.
        average: the same view, of the same size.
    """
    before, after = measured(one), measured(average)
    root = np.sqrt(before.light).ravel()
    level = np.where(root > 0, np.minimum((root * LEVELS).astype(int), LEVELS - 1), BLACK)
    lights, shared, own = [], [], []
    for at in (BLACK, *range(LEVELS)):
        here = np.flatnonzero((level == at) & (root < 0.97))
        if len(here) < FEWEST:
            continue
        few = here[np.argsort(before.rough.ravel()[here], kind="stable")[: max(int(len(here) * FLATTEST), FEWEST)]]
        lost_shared = float(before.shared.ravel()[few].mean() - after.shared.ravel()[few].mean())
        lost_each = float(before.each.ravel()[few].mean() - after.each.ravel()[few].mean())
        alone = max(1.5 * (lost_each - lost_shared), 0.0)
        lights.append(float((root[few] ** 2).mean()))
        shared.append(max(lost_each - alone, 0.0))
        own.append(alone)
    light, most = np.array(lights), np.array(shared) + np.array(own)
    lit = light > 0
    if not lit.any():
        return Missing(np.zeros(1), np.zeros(1), np.zeros(1))
    cap = TEXTURE * float(np.quantile(most[lit] / light[lit], 0.25)) * light
    fair = np.minimum(cap / np.maximum(most, 1e-12), 1.0)
    return Missing(light, np.array(shared) * fair, np.array(own) * fair)


def give_back(average: Linear, lost: Missing, seed: int) -> None:
    """Add the missing noise, in place.

    Args:
        average: HxWx3 linear light.
        lost: of `missing`.
        seed: of the field.
    """
    height, width = average.shape[:2]
    grid = np.arange(65536) / camera.TOP
    for variance, channels, at in ((lost.shared, 1, 0), (lost.own, 3, 1)):
        if float(variance.max()) <= 1e-9:
            continue
        sigma = np.sqrt(np.interp(grid, lost.light, variance)).astype(np.float32).reshape(1, -1)
        words = fields.random_words(seed + at, (height, width * channels // 2 + 1)).view(np.uint8)[:, : width * channels]
        for rows in strips.rows_of(average.shape):
            part = average[rows]
            field = cv2.LUT(words[rows], shot.quantiles())
            field = field.reshape(part.shape) if channels == 3 else cv2.cvtColor(field, cv2.COLOR_GRAY2RGB)
            cv2.accumulateProduct(cv2.LUT(camera.to_16_bit(part), sigma), field, part)
    np.maximum(average, 0, out=average)
