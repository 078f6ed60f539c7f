"""What of a photo survives its degradation: the sign and shape of its structure, not its contrast.

    N = B / sqrt(mean of B^2 nearby + floor^2),    B = luma, its fine noise and its broad shading taken off

Haze, darkness, veils and tone curves scale B, locally, and N forgets it; noise, streaks and blocks add what is not in the
other photo and so does not correlate. This is the local normalisation of Jarrett et al. (ICCV 2009) on a band of
frequencies; the same idea in gradients is normalised gradient correlation (Tzimiropoulos et al., IEEE TPAMI 2010).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.contract import Map, Srgb

WORKING_PX = 512  # side of the square whose area the finest level has, about
MOST_REDUCED = 4  # a larger photo is worked on at a larger size, or a pixel of it would be lost
COARSEST_PX = 128  # least short side of the coarsest level
SOFTENING_PX = 1.0  # sigma of the Gaussian that takes fine noise off
SHADING_PX = 9  # side of the box, taken twice, whose mean is the shading
NEARBY = 5  # side of the box, in cells, taken twice, over which contrast is levelled
CELL_PX = 4
FLOOR = 1.0  # 8-bit levels: contrast below it is grain of the file


class Level(NamedTuple):
    """The structure of a photo at one size."""

    structure: Map  # HxW, mean square about 1 where there is structure
    contrast: Map  # (H/4)x(W/4): what it was divided by, 8-bit levels


def pyramid(pixels: Srgb) -> tuple[int, list[Level]]:
    """Return by what a photo was reduced, and its structure at that size, at half of it, and so on.

    Every level covers the same part of the photo: up to a few px are left off around it, evenly.
    """
    height, width = pixels.shape[:2]
    step = min(max(round(math.sqrt(height * width) / WORKING_PX), 1), MOST_REDUCED)
    halvings = max(int(math.log2(min(height, width) / step / COARSEST_PX)), 0) if min(height, width) > step * COARSEST_PX else 0
    unit = step << halvings
    luma = _centred(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), unit).astype(np.float32)
    luma = _reduced(luma, step)
    levels = [_level(luma)]
    for _ in range(halvings):
        luma = _reduced(luma, 2)
        levels.append(_level(luma))
    return step, levels


def _centred(plane: Map, unit: int) -> Map:
    """Return the middle of a plane, its sides cut to a multiple of a unit."""
    height, width = plane.shape
    top, left = height % unit // 2, width % unit // 2
    return plane[top : top + height - height % unit, left : left + width - width % unit]


def _reduced(luma: Map, step: int) -> Map:
    height, width = luma.shape
    return luma if step == 1 else cv2.resize(luma, (width // step, height // step), interpolation=cv2.INTER_AREA)


def _level(luma: Map) -> Level:
    height, width = luma.shape
    soft = cv2.GaussianBlur(luma, (0, 0), SOFTENING_PX)
    shading = cv2.blur(cv2.blur(soft, (SHADING_PX, SHADING_PX)), (SHADING_PX, SHADING_PX))
    band = cv2.subtract(soft, shading)
    cells = (max(width // CELL_PX, 1), max(height // CELL_PX, 1))
    power = cv2.resize(cv2.multiply(band, band), cells, interpolation=cv2.INTER_AREA)
    power = cv2.blur(cv2.blur(power, (NEARBY, NEARBY)), (NEARBY, NEARBY))
    contrast = cv2.sqrt(cv2.add(power, FLOOR * FLOOR))
    return Level(cv2.divide(band, cv2.resize(contrast, (width, height), interpolation=cv2.INTER_LINEAR)), contrast)
