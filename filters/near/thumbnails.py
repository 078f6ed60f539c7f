"""What the index keeps of a photo so that copies are found without opening it again: 48x48 cells of mean luma.

A cell is the mean of the photo under it, so that encoders, noise and the size of a copy leave it nearly as it is. It is
squeezed to a square: a crop takes a share of each side, whatever the shape. 48 cells, for the proof in `likeness` looks
at waves of up to 8 cycles a side, and a cell must be small beside them when the frame of a crop falls between cells
(with 32 cells gravel and its own crop are as unlike as two skylines, with 48 they are not).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

SIDE = 48
SEEN_PX = 512  # lines of a large photo that are looked at, at least: a hundred pixels a cell, and a tenth of the time
Thumbnails = NDArray[np.uint8]  # NxSIDExSIDE


def thumbnail(pixels: Srgb) -> bytes:
    """Return the thumbnail of a photo: SIDE * SIDE bytes of luma, 0 to 255, row by row.

    Args:
        pixels: HxWx3 uint8 sRGB of any size.
    """
    step = max(1, min(pixels.shape[:2]) // SEEN_PX)
    near = np.ascontiguousarray(pixels[::step, ::step])
    method = cv2.INTER_AREA if min(near.shape[:2]) >= SIDE else cv2.INTER_LINEAR
    return cv2.cvtColor(cv2.resize(near, (SIDE, SIDE), interpolation=method), cv2.COLOR_RGB2GRAY).tobytes()


def stack(stored: Sequence[bytes]) -> Thumbnails:
    """Return stored thumbnails as one array, NxSIDExSIDE uint8."""
    return np.frombuffer(b"".join(stored), np.uint8).reshape(-1, SIDE, SIDE)
