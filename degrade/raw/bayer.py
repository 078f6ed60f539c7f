"""The colour filter array: one colour per pixel, and the guess of the other two.

A picture is cut into the four planes of a Bayer mosaic, so that a sensor draws its noise for one value per pixel
instead of three, and each plane has one gain. Demosaicing is OpenCV's edge-aware 16-bit one (Hamilton and Adams'
directional green, bilinear red and blue), which correlates noise over 2-3 px as every camera does. Its directions are
judged by green alone, so a factor per colour may be put on the planes before as well as after.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays.bands import bands
from degrade.contract import Map

Mosaic = NDArray[np.uint16]  # HxW, of even sizes

REACH_PX = 2  # of demosaicing, and of what it does at borders
PHASES = 4  # the site of red; blue lies diagonally opposite, green on the other two
MIDDLE = 32768.0  # code of no noise
GREY = (0.299, 0.587, 0.114)  # what OpenCV's grey takes of red, green and blue
_DECODERS = (cv2.COLOR_BayerRGGB2RGB_EA, cv2.COLOR_BayerGRBG2RGB_EA, cv2.COLOR_BayerGBRG2RGB_EA, cv2.COLOR_BayerBGGR2RGB_EA)


def colours(phase: int) -> tuple[int, int, int, int]:
    """Return the channel (0 red, 1 green, 2 blue) behind each of the four sites."""
    first, second, third, fourth = (0 if site == phase else 2 if site == 3 - phase else 1 for site in range(4))
    return first, second, third, fourth


def interleave(planes: Sequence[Map], scales: Sequence[float], to: Mosaic) -> None:
    """Write the mosaic of four planes as 16-bit codes: value * scale + MIDDLE.

    Args:
        planes: HxW values of the sites (0, 0), (0, 1), (1, 0), (1, 1) of every 2x2 cell.
        scales: codes per unit, of each site.
        to: 2H x 2W.
    """
    codes = [cv2.addWeighted(plane, scale, plane, 0.0, MIDDLE, dtype=cv2.CV_16U) for plane, scale in zip(planes, scales, strict=True)]
    for row in range(2):
        cv2.merge(codes[2 * row : 2 * row + 2], to[row::2].reshape(*planes[0].shape, 2))


def demosaic(mosaic: Mosaic, phase: int) -> NDArray[np.uint16]:
    """Return all three colours at every pixel, HxWx3 codes.

    Args:
        mosaic: codes.
        phase: the site of red.
    """
    return cv2.cvtColor(mosaic, _DECODERS[phase])


def grey(mosaic: Mosaic, phase: int) -> NDArray[np.uint16]:
    """Return the weighted mean (`GREY`) of the demosaiced colours, HxW codes."""
    codes = np.empty_like(mosaic)
    for band in bands(len(mosaic), REACH_PX):
        codes[band.made] = cv2.cvtColor(demosaic(mosaic[band.seen], phase), cv2.COLOR_RGB2GRAY)[band.kept]
    return codes


def values(codes: NDArray[np.uint16], scale: float) -> Map:
    """Return the values of codes that stand for `scale` codes per unit."""
    return cv2.addWeighted(codes, 1.0 / scale, codes, 0.0, -MIDDLE / scale, dtype=cv2.CV_32F)
