"""Frames: what stands at the edges of a picture and is not the picture, beside the uniform borders that `tones` knows.

- A mount: two stripes of one width on opposite sides, much smoother than what lies between them, parted from it by seams
  that run straight through: letterboxes filled with a blurred copy, gradients, mattes.
- A bar: rows of one colour, most of each row, from the edge on, which end all at once: captions, subtitles, the bars of a
  screen, with whatever is written in them.

Nature draws straight lines too, horizons above all, but neither two of them in the same distance from opposite edges, nor
a sky of exactly one colour that ends within two rows.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

LINE_PX = 1 << 19  # pixels read in either direction
NARROWEST, WIDEST = 0.01, 0.48  # of a side, that one stripe of a mount may take
UNEVEN_PX = 2  # by which the two stripes may differ
SEAM = 2.5  # times the usual step around it, that a seam must be
THROUGH, THROUGH_LEVELS = 0.5, 2  # share of a seam's pixels that must step by more than so many levels
AROUND_PX = 12  # places on either side of a seam that tell what is usual
SMOOTHER = 0.5  # of the detail of the middle, that the stripes may have
SAME = 3  # levels by which a bar may vary, through JPEG
MOST, FEW = 0.5, 0.2  # share of a row that has the bar's colour: inside, and behind its end
SHARPLY_PX = 2  # within which a bar must end
LEAST_PX = 64  # a shorter side has no frame


def framed(pixels: Srgb) -> float:
    """Return the larger of the shares of height and of width that mounts and bars take, 0 to 1.

    Args:
        pixels: HxWx3 uint8 sRGB at its own size.
    """
    if min(pixels.shape[:2]) < LEAST_PX:
        return 0.0
    step = max(1, math.ceil(pixels.shape[0] * pixels.shape[1] / LINE_PX))
    rows = cv2.cvtColor(np.ascontiguousarray(pixels[:, ::step]), cv2.COLOR_RGB2GRAY)  # every row, some of its pixels
    columns = cv2.cvtColor(np.ascontiguousarray(pixels[::step].transpose(1, 0, 2)), cv2.COLOR_RGB2GRAY)
    return max(max(_mount(plane), _bars(plane)) for plane in (rows, columns))


def _mount(plane: NDArray[np.uint8]) -> float:
    """Return the share of the rows that two smooth stripes, before the first and behind the last seam, take."""
    jumps = cv2.absdiff(plane[1:], plane[:-1])
    steps, through = jumps.mean(axis=1), (jumps > THROUGH_LEVELS).mean(axis=1)
    detail = cv2.absdiff(plane[:, 1:], plane[:, :-1]).mean(axis=1)
    usual = cv2.blur(steps[:, None], (1, 2 * AROUND_PX + 1))[:, 0]
    others = (usual * (2 * AROUND_PX + 1) - cv2.blur(steps[:, None], (1, 3))[:, 0] * 3) / (2 * AROUND_PX - 2)
    seams = np.flatnonzero((steps > SEAM * others) & (through > THROUGH)) + 1  # the first row behind it
    height = len(plane)
    first = seams[(seams >= NARROWEST * height) & (seams <= WIDEST * height)]
    last = seams[seams > height / 2]
    for top in first[::-1]:
        for bottom in last[np.abs(height - last - top) <= UNEVEN_PX]:
            if max(detail[: top - 1].mean(), detail[bottom + 1 :].mean()) < SMOOTHER * detail[top:bottom].mean():
                return float(top + height - bottom) / height
    return 0.0


def _bars(plane: NDArray[np.uint8]) -> float:
    """Return the share of the rows that bars of one colour take at both ends."""
    return min(1.0, (_bar(plane) + _bar(plane[::-1])) / len(plane))


def _bar(plane: NDArray[np.uint8]) -> int:
    """Return how many rows, from the first on, a bar takes."""
    colour = np.median(plane[0])
    same = (np.abs(plane.astype(np.int16) - np.int16(colour)) <= SAME).mean(axis=1)
    other = np.flatnonzero(same < MOST)
    if not other.size:  # a picture of one colour has other faults
        return 0
    end = int(other[0])
    return end if end > 2 and same[end : end + SHARPLY_PX].min() < FEW else 0
