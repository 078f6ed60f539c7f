"""The colour filter array: one colour per pixel, and the guess of the other two.

A picture is cut into the four planes of a Bayer mosaic, so that a sensor draws its noise for one value per pixel
instead of three, and each plane has one gain. Demosaicing is OpenCV's edge-aware 16-bit one (Hamilton and Adams'
directional green, bilinear red and blue), which correlates noise over 2-3 px as every camera does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear

Planes = NDArray[np.float32]  # 4 x H/2 x W/2: sites (0, 0), (0, 1), (1, 0), (1, 1) of every 2x2 cell

PHASES = 4  # the site of red; blue lies diagonally opposite, green on the other two
SCALE = 30000.0  # 16-bit codes per unit of noise
MIDDLE = 32768.0  # code of no noise
_DECODERS = (cv2.COLOR_BayerRGGB2RGB_EA, cv2.COLOR_BayerGRBG2RGB_EA, cv2.COLOR_BayerGBRG2RGB_EA, cv2.COLOR_BayerBGGR2RGB_EA)


def colours(phase: int) -> tuple[int, int, int, int]:
    """Return the channel (0 red, 1 green, 2 blue) behind each of the four sites."""
    first, second, third, fourth = (0 if site == phase else 2 if site == 3 - phase else 1 for site in range(4))
    return first, second, third, fourth


def mosaic(picture: Linear, phase: int) -> Planes:
    """Return the four planes that a sensor behind a Bayer mosaic sees of an HxWx3 picture of even sizes."""
    planes = np.empty((4, picture.shape[0] // 2, picture.shape[1] // 2), np.float32)
    for site, channel in enumerate(colours(phase)):
        planes[site] = picture[site // 2 :: 2, site % 2 :: 2, channel]
    return planes


def demosaic(planes: Planes, phase: int) -> NDArray[np.uint16]:
    """Return all three colours at every pixel, 2H x 2W x 3, as 16-bit codes: value * SCALE + MIDDLE.

    Args:
        planes: 4xHxW white-balanced values of the four sites, -1..1; edges are judged across colours, so balance comes first.
        phase: the site of red.
    """
    sites, rows, columns = planes.shape
    sheet = planes.reshape(-1, columns)
    codes = cv2.addWeighted(sheet, SCALE, sheet, 0.0, MIDDLE, dtype=cv2.CV_16U)
    raw = np.empty((2 * rows, 2 * columns), np.uint16)
    for site, plane in enumerate(codes.reshape(sites, rows, columns)):
        raw[site // 2 :: 2, site % 2 :: 2] = plane
    return cv2.cvtColor(raw, _DECODERS[phase])  # type: ignore[return-value]


def binned(planes: Planes, phase: int) -> Linear:
    """Return one RGB pixel per 2x2 cell, HxWx3: no guess is needed at half the size."""
    red, blue = planes[phase], planes[3 - phase]
    first, second = (site for site in range(4) if site not in (phase, 3 - phase))
    green = cv2.addWeighted(planes[first], 0.5, planes[second], 0.5, 0.0)
    return np.asarray(cv2.merge([red, green, blue]), np.float32)
