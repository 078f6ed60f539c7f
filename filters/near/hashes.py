"""63 bits that say what a photo looks like, and those that each of its crops would have.

A bit is the sign of a wave: the 8x8 lowest without the mean (Zauner 2010, "DCT hash"; there bits are counted from the
median, here from zero, which needs no order and turns fewer bits). Such a hash follows a photo through every encoder
and size, and no further: a crop of 5 % turns up to 20 of its bits, as many as another photo would. So one side of a
comparison is hashed in many frames. An axis has ten, the whole one and nine that cover all crops of up to 8 % at either
end, so a photo has 100 hashes, and the hash of its crop is within RADIUS of one of them. (With 64 frames the radius must be
11 to miss none, and the search takes seven times as long.)
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from filters.near import waves
from filters.near.thumbnails import Thumbnails

LOWEST = 8  # waves per axis
BITS = LOWEST * LOWEST - 1
RADIUS = 8  # bits
_ENDS = (1, 5, 9)  # steps of 1/128
AXIS_FRAMES = ((0, 0), *itertools.product(_ENDS, _ENDS))  # what is left out at (the low, the high end)
FRAMES = len(AXIS_FRAMES) ** 2
BLOCK = 512

Hashes = NDArray[np.uint64]


def of_crops(thumbnails: Thumbnails) -> Hashes:
    """Return the hashes of photos in all frames, NxFRAMES; the first is that of the whole photo."""
    rows = np.concatenate([waves.frames()[waves.frame(*ends)][:LOWEST] for ends in AXIS_FRAMES])
    count = len(AXIS_FRAMES)
    blocks = [np.empty((0, FRAMES), np.uint64)]
    for at in range(0, len(thumbnails), BLOCK):
        block = thumbnails[at : at + BLOCK].astype(np.float64)
        found = (rows @ block @ rows.T).reshape(-1, count, LOWEST, count, LOWEST)
        blocks.append(_packed(found.transpose(0, 1, 3, 2, 4).reshape(len(block), FRAMES, LOWEST * LOWEST)))
    return np.concatenate(blocks)


def of_whole(thumbnails: Thumbnails) -> Hashes:
    """Return the hashes of whole photos, N."""
    rows = waves.frames()[waves.frame(0, 0)][:LOWEST]
    blocks = [np.empty(0, np.uint64)]
    for at in range(0, len(thumbnails), BLOCK):
        block = thumbnails[at : at + BLOCK].astype(np.float64)
        blocks.append(_packed((rows @ block @ rows.T).reshape(len(block), LOWEST * LOWEST)))
    return np.concatenate(blocks)


def frame_of(number: int | NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the (vertical, horizontal) frames of `waves` that hash numbers stand for."""
    axis = np.array([waves.frame(*ends) for ends in AXIS_FRAMES], np.intp)
    return axis[np.asarray(number) // len(AXIS_FRAMES)], axis[np.asarray(number) % len(AXIS_FRAMES)]


def _packed(found: NDArray[np.float64]) -> Hashes:
    """Return signs as bits; the mean gives none, its place is zero."""
    signs = found > 0
    signs[..., 0] = False
    return np.packbits(signs, axis=-1).view(">u8")[..., 0].astype(np.uint64)
