"""Pictures at a whole fraction of their size, and back in strips of rows.

Work on a few rows at a time stays in the processor's cache and asks the system for no fresh memory: on a megapixel in
float32 that is worth more than any arithmetic. Both ways keep exact registration: a pixel of the small picture covers
`step` x `step` pixels of the large one, and edges that do not divide are filled by repeating the last.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

STRIP_PIXELS = 1 << 16  # px of a strip: three float channels of it fill a typical level-two cache

Picture = NDArray[np.float32]


def reduced(picture: Picture, step: int) -> Picture:
    """Return the mean of each step x step block, ceil(height / step) x ceil(width / step).

    Args:
        picture: HxW or HxWxC float32, at least `step` px on each side.
        step: px, >= 1.
    """
    height, width = picture.shape[:2]
    if step == 1:
        return picture
    down, across = height // step, width // step
    # rows first, as plain sums: half the time of a resize by area both ways
    folded = np.add.reduce(picture[: down * step].reshape(down, step, -1), 1).reshape(down, width, *picture.shape[2:])
    small: Picture = cv2.resize(folded[:, : across * step], (across, down), interpolation=cv2.INTER_AREA) * np.float32(1 / step)
    below, right = int(height % step > 0), int(width % step > 0)
    if below or right:
        return cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return small


def rows_of(shape: tuple[int, ...], multiple: int = 1) -> Iterator[slice]:
    """Yield the row ranges of the strips of a picture; every start is a multiple of the given number."""
    height, width = shape[:2]
    rows = max(STRIP_PIXELS // max(width, 1) // multiple, 1) * multiple
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def enlarged(small: Picture, step: int, rows: slice, width: int) -> Picture:
    """Return rows of a reduced picture at full size, interpolated linearly, the same as if all were enlarged at once.

    Args:
        small: of `reduced`.
        step: as given to `reduced`.
        rows: of the large picture; starts at a multiple of `step`.
        width: of the large picture.
    """
    if step == 1:
        return small[rows, :width]
    first = max(rows.start // step - 1, 0)  # a neighbour on each side, for the interpolation
    last = min(-(-rows.stop // step) + 1, small.shape[0])
    part = small[first:last]
    large = cv2.resize(part, (small.shape[1] * step, (last - first) * step), interpolation=cv2.INTER_LINEAR)
    offset = rows.start - first * step
    return large[offset : offset + rows.stop - rows.start, :width]
