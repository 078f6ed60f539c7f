"""By what factor one photo of a scene is brighter than another: in linear light, robustly, colour by colour.

    g = weighted median over blocks of log(y_i / y_0)

over blocks that neither photo clips, more weight to those with more light. The response is taken to be sRGB's: where a
camera's own tone curve lies over it, the factor bends with brightness, and the photo should be refused (Debevec and Malik, SIGGRAPH
1997, would recover the curve, from many more exposures).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Srgb
from filters.registration.similarity import Similarity

WORKING_PX = 256  # blocks on a side, about
LEAST_BLOCK_PX = 4
BLACK, WHITE = 1, 253  # codes at and beyond which a sensor or a file has clipped
CLIPPED = 0.05  # share of a block that may be: a mean of normal noise, cut at so much of it, is off by 1.3 %
LEAST_LIGHT = 0.002  # of a block: below it black levels decide
FEWEST = 40  # blocks
SMOOTH = 1.5  # blocks, sigma: what interpolation does to one photo is done to both
METERED = 0.18  # mean light of a well exposed photo
PARTS = 4  # by brightness


class Gain(NamedTuple):
    """How two exposures compare."""

    channels: NDArray[np.float32]  # 3: light of the other per light of the photo
    bend: float  # by how much the ratio's logarithm differs between parts of the picture of unlike brightness

    @property
    def ev(self) -> float:
        """The difference in stops; above 0 the other is the brighter one."""
        return float(np.log2(self.channels).mean())


class Blocks(NamedTuple):
    """A photo, reduced."""

    light: NDArray[np.float32]  # RxCx3 linear
    clipped: NDArray[np.float32]  # RxCx3, share
    side_px: int


def blocks(photo: Srgb) -> Blocks:
    """Return the mean light of a photo's blocks."""
    height, width = photo.shape[:2]
    side = max(round(math.sqrt(height * width) / WORKING_PX), LEAST_BLOCK_PX)
    rows, columns = height // side, width // side
    top, left = (height - rows * side) // 2, (width - columns * side) // 2
    inner = np.ascontiguousarray(photo[top : top + rows * side, left : left + columns * side])
    out = cv2.bitwise_or(cv2.compare(inner, (BLACK,) * 3 + (0,), cv2.CMP_LE), cv2.compare(inner, (WHITE,) * 3 + (0,), cv2.CMP_GE))
    reduced = (cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA) for part in (camera.to_linear(inner), out.astype(np.float32) / 255))
    light, clipped = (cv2.GaussianBlur(part, (0, 0), SMOOTH) for part in reduced)
    return Blocks(light, clipped, side)


def compared(photo: Blocks, other: Blocks, similarity: Similarity) -> Gain | None:
    """Return how another exposure compares with a photo, or None if too little is well exposed in both.

    Args:
        photo: from `blocks`.
        other: of the same size.
        similarity: where what the photo shows at x stands in the other, px of the photos.
    """
    rows, columns = photo.light.shape[:2]
    matrix = similarity.resized(1 / photo.side_px).matrix(columns, rows)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    light = cv2.warpAffine(other.light, matrix, (columns, rows), flags=flags)
    clipped = cv2.warpAffine(other.clipped, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(1, 1, 1))
    usable = (np.maximum(clipped, photo.clipped) <= CLIPPED) & (np.minimum(light, photo.light) >= LEAST_LIGHT)
    gains, bends = [], []
    for channel in range(3):
        own = usable[:, :, channel]
        if own.sum() < FEWEST:
            return None
        here, there = photo.light[:, :, channel][own], light[:, :, channel][own]
        ratio, weight = np.log(there / here), np.sqrt(here * there)
        parts = [_median(ratio[part], weight[part]) for part in np.array_split(np.argsort(weight, kind="stable"), PARTS)]
        gains.append(math.exp(_median(ratio, weight)))
        bends.append(max(parts) - min(parts))
    return Gain(np.array(gains, np.float32), float(np.median(bends)))


def _median(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order].astype(np.float64))
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def off_ev(photo: Blocks) -> float:
    """Return by how many stops a photo's mean light is off the grey that cameras meter for; 0 is best."""
    return abs(math.log2(max(float(photo.light.mean()), 1e-6) / METERED))
