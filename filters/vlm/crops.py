"""What a model is shown of a photo: the frame, reduced, and parts of it at full resolution.

Noise, moire and JPEG blocks are patterns of single pixels: in a frame reduced to what a model takes they are gone. Two
squares are cut besides, where such patterns show best: the calmest part (noise, blocks) and the busiest (moire, ringing).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason

GRID_PX = 32  # one token of Qwen3-VL: sides that are multiples of it are not resampled once more
BLACK, WHITE = 32.0, 223.0  # mean luma of a square that shows something
CELL_PX = 8  # contrast is measured between means of such squares, so that noise does not pass for structure
MOST_ASPECT = 20.0  # the model itself refuses 200 : 1; what is thinner than this shows nothing


class Box(NamedTuple):
    """A square of a photo, in px."""

    top: int
    left: int
    side: int

    def cut(self, pixels: Srgb) -> Srgb:
        """Return the square."""
        return np.ascontiguousarray(pixels[self.top : self.top + self.side, self.left : self.left + self.side])


def check(pixels: Srgb) -> None:
    """Raise BadSample for a photo that is too small or too thin to be looked at."""
    short, long = sorted(pixels.shape[:2])
    if short < GRID_PX:
        raise BadSample(Reason.TOO_SMALL, f"{short} px on the short side; a vision-language model needs {GRID_PX}")
    if long > MOST_ASPECT * short:
        raise BadSample(Reason.EXTREME_ASPECT, f"{long / short:.0f} to 1; the limit is {MOST_ASPECT:g}")


def frame(pixels: Srgb, area_px: int) -> Srgb:
    """Return the whole photo in about `area_px` pixels, sides in multiples of `GRID_PX`.

    A smaller photo keeps its pixels and loses up to 31 rows and columns at its rim: to stretch it onto the grid would blur
    just what is asked about.
    """
    height, width = pixels.shape[:2]
    if height * width <= area_px:
        tall, wide = height // GRID_PX * GRID_PX, width // GRID_PX * GRID_PX
        top, left = (height - tall) // 2, (width - wide) // 2
        return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
    scale = (area_px / (height * width)) ** 0.5
    tall, wide = (max(GRID_PX, round(side * scale / GRID_PX) * GRID_PX) for side in (height, width))
    return _resized(pixels, tall, wide, gap=3.0)


def scaled(pixels: Srgb, area_px: int) -> Srgb:
    """Return the whole photo at about `area_px` pixels, made smaller or larger: how RealIR-Bench shows it."""
    height, width = pixels.shape[:2]
    scale = (area_px / (height * width)) ** 0.5
    return _resized(pixels, max(1, int(height * scale)), max(1, int(width * scale)))


def _resized(pixels: Srgb, height: int, width: int, gap: float | None = None) -> Srgb:
    """Return a photo at a size by Lanczos; with a gap, what is far larger is averaged to that many times the size first, for speed."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=gap))


def squares(pixels: Srgb, side_px: int) -> tuple[Box, ...]:
    """Return the calmest and the busiest square of a photo, off what is clipped; one if it is too small for two, none if for one."""
    height, width = pixels.shape[:2]
    if min(height, width) < side_px:
        return ()
    tops, lefts = (_starts(length, side_px) for length in (height, width))
    boxes = [Box(top, left, side_px) for top in tops for left in lefts]
    contrast, usable = _measured(pixels, boxes)
    seen = np.flatnonzero(usable) if usable.any() else np.arange(len(boxes))
    calm, busy = seen[contrast[seen].argmin()], seen[contrast[seen].argmax()]
    return (boxes[calm], boxes[busy]) if calm != busy else (boxes[calm],)


def _starts(length: int, side: int) -> list[int]:
    """Return where squares begin along a side: half a square apart, the last at the rim; on the 8 px grid of JPEG."""
    return sorted({*range(0, length - side + 1, side // 2), (length - side) // CELL_PX * CELL_PX})


def _measured(pixels: Srgb, boxes: list[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Return the contrast within every box, in 8-bit levels, and whether its tones are neither black nor white."""
    height, width = pixels.shape[:2]
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    cells = cv2.resize(luma, (width // CELL_PX, height // CELL_PX), interpolation=cv2.INTER_AREA).astype(np.float64)
    sums, squared = cv2.integral2(cells)
    told = []
    for box in boxes:
        top, left, side = (length // CELL_PX for length in box)
        bottom, right = min(top + side, cells.shape[0]), min(left + side, cells.shape[1])
        count = (bottom - top) * (right - left)
        mean, power = ((s[bottom, right] - s[top, right] - s[bottom, left] + s[top, left]) / count for s in (sums, squared))
        told.append((max(power - mean**2, 0.0) ** 0.5, BLACK < mean < WHITE))
    return np.array([one for one, _ in told]), np.array([fit for _, fit in told])
