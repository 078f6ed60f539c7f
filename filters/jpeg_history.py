"""How much JPEG a photo has already suffered: a clean side must not teach a model that blocks are clean.

Two witnesses. The file's own quantisation tables, when it is a JPEG: the libjpeg quality whose scaled table (ITU-T T.81,
Annex K) comes nearest. And the pixels, for JPEGs that were saved again as something else: on the right one of the 64
block grids, DCT coefficients of a decoded JPEG sit on multiples of its quantisation steps (Fan and de Queiroz, "Identification
of bitmap compression history", IEEE TIP 2003). For a frequency with coefficients c and a step s the comb

    score(s) = mean of cos(2 pi c / s) over |c| > s / 4

is near 1 if s divides the true step and at most 0 if c was never quantised (for small steps the bound is s / 2, above
the rounding of the decoder). We read few tiles, low frequencies only, and try
two grids: the one that starts in the corner, and the one whose seams show most. A photo that was resized after its JPEG
keeps no grid: what is left of the damage is then not ours to see.
"""

from __future__ import annotations

import functools
import struct
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

START_OF_IMAGE: Final = b"\xff\xd8"
MARKER, START_OF_SCAN, QUANTISATION = 0xFF, 0xDA, 0xDB  # of a JPEG file
BLOCK: Final = 8
SMALLEST_PX: Final = 32  # smaller pictures do not tell
TILE_PX: Final = 256
MOST_TILES: Final = 5
STRIDE: Final = 7  # prime to 1-5: tiles step down the photo and jump across it, so that they spread
EDGE_LEVELS: Final = 24  # steps above it belong to the picture, not to the grid
LUMA: Final = (  # Annex K, table K.1, row by row: the steps of quality 50
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
FREQUENCIES: Final = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0))  # (down, across)
LARGEST_STEP: Final = 255
BINS_PER_LEVEL: Final = 4
LARGEST_LEVEL: Final = 400  # coefficients beyond it are rare
FEWEST_COEFFICIENTS: Final = 40  # for a frequency to have a say
FEWEST_FREQUENCIES: Final = 3
CLEAR_COMB: Final = 0.35
ROUNDING_LEVELS: Final = 1.5
NEIGHBOURS: Final = 6  # qualities with steps so alike that the best of them is meant
NEVER: Final = 100.0


class Seams(NamedTuple):
    """The grid of 8x8 blocks that shows most."""

    strength: float  # steps across its seams over steps elsewhere: 1 where there is no grid
    across: int  # column at which a block starts, 0-7
    down: int


def estimate_quality(pixels: Srgb, data: bytes | None) -> float:
    """Return the lowest JPEG quality (libjpeg's, 1-100) that a photo shows signs of; 100 where it shows none.

    Args:
        pixels: HxWx3 uint8 RGB.
        data: the file as it was found, of any format; None if there is none.
    """
    in_file = None if data is None else file_quality(data)
    return min(NEVER if in_file is None else in_file, pixel_quality(pixels))


def blockiness(pixels: Srgb) -> float:
    """Return how much larger steps are across the seams of the best 8x8 grid than elsewhere: 1 where there is none."""
    return 1.0 if min(pixels.shape[:2]) < SMALLEST_PX else _seams(_tiles(pixels)).strength


def file_quality(data: bytes) -> float | None:
    """Return the libjpeg quality nearest to the luma table of a JPEG file; None if there is no such table."""
    table = _luma_table(data)
    if table is None:
        return None
    distance = np.abs(np.log(_tables()) - np.log(np.maximum(table, 1))).sum(axis=1)
    return float(np.argmin(distance) + 1)


def pixel_quality(pixels: Srgb) -> float:
    """Return the lowest JPEG quality whose comb shows in the pixels; 100 where none does."""
    if min(pixels.shape[:2]) < SMALLEST_PX:
        return NEVER
    tiles = _tiles(pixels)
    seams = _seams(tiles)
    grids = {(0, 0), (seams.down, seams.across)}
    return min(_comb_quality(tiles[:, down:, across:]) for down, across in grids)


def _luma_table(data: bytes) -> NDArray[np.float64] | None:
    """Return the first quantisation table of a JPEG in zigzag order, 64 values."""
    if data[:2] != START_OF_IMAGE:
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == MARKER:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker == START_OF_SCAN or length < len(START_OF_IMAGE):  # tables stand before the scan
            return None
        segment = data[at + 4 : at + 2 + length]
        if marker == QUANTISATION and segment and segment[0] & 15 == 0:
            kind = np.dtype(">u2" if segment[0] >> 4 else "u1")
            whole = len(segment) > BLOCK * BLOCK * kind.itemsize
            return np.frombuffer(segment, kind, BLOCK * BLOCK, offset=1).astype(np.float64) if whole else None
        at += 2 + length
    return None


@functools.cache
def _zigzag() -> NDArray[np.intp]:
    """Return the row-major index of each zigzag position."""
    order = sorted(np.ndindex(BLOCK, BLOCK), key=lambda place: (sum(place), place[sum(place) % 2 == 0]))
    return np.array([down * BLOCK + across for down, across in order])


@functools.cache
def _tables() -> NDArray[np.float64]:
    """Return libjpeg's luma tables for qualities 1 to 100, in zigzag order: 100x64."""
    quality = np.arange(1, 101)[:, None]
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    luma = np.array(LUMA).ravel()[_zigzag()]
    steps: NDArray[np.float64] = np.clip((luma * percent + 50) // 100, 1, LARGEST_STEP).astype(np.float64)
    return steps


def _tiles(pixels: Srgb) -> NDArray[np.uint8]:
    """Return the luma of a few tiles, spread over the photo, each starting at a multiple of 8: NxHxW."""
    height, width = (side // BLOCK * BLOCK for side in pixels.shape[:2])
    tall, wide = min(height, TILE_PX), min(width, TILE_PX)
    count = min(MOST_TILES, (height // tall) * (width // wide))
    luma = []
    for index in range(count):
        top = int((height - tall) * (index + 0.5) / count) // BLOCK * BLOCK
        left = int((width - wide) * (index * STRIDE % count + 0.5) / count) // BLOCK * BLOCK
        luma.append(cv2.cvtColor(pixels[top : top + tall, left : left + wide], cv2.COLOR_RGB2GRAY))
    return np.stack(luma)


def _seams(tiles: NDArray[np.uint8]) -> Seams:
    across = np.sum([_steps(tile, 1) for tile in tiles], axis=0)
    down = np.sum([_steps(tile, 0) for tile in tiles], axis=0)
    (right, left), (bottom, top) = _strongest(across), _strongest(down)
    return Seams((right + bottom) / 2, left, top)


def _steps(tile: NDArray[np.uint8], axis: int) -> NDArray[np.float64]:
    """Return the mean step between neighbours for the eight places in a grid where the later one may stand."""
    one, other = (tile[:, 1:], tile[:, :-1]) if axis else (tile[1:], tile[:-1])
    _, steps = cv2.threshold(cv2.absdiff(one, other), EDGE_LEVELS, EDGE_LEVELS, cv2.THRESH_TRUNC)
    sums = cv2.reduce(steps, 1 - axis, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel()
    place = np.arange(1, len(sums) + 1) % BLOCK
    return np.bincount(place, sums, BLOCK) / np.bincount(place, minlength=BLOCK)


def _strongest(profile: NDArray[np.float64]) -> tuple[float, int]:
    place = int(np.argmax(profile))
    return (float(profile[place]) + 0.01) / (float(np.delete(profile, place).mean()) + 0.01), place


@functools.cache
def _basis() -> NDArray[np.float32]:
    """Return the 64x10 matrix that takes a block, row by row, to its low DCT coefficients."""
    place = np.arange(BLOCK)
    wave = np.array([np.cos((2 * place + 1) * k * np.pi / 16) * (0.5 if k else 0.125**0.5) for k in range(BLOCK)])
    return np.stack([np.outer(wave[down], wave[across]).ravel() for down, across in FREQUENCIES], axis=1).astype(np.float32)


@functools.cache
def _combs() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return, for each histogram bin and step, cos(2 pi c / s) where it counts, and whether it does."""
    level = np.arange(LARGEST_LEVEL * BINS_PER_LEVEL)[:, None] / BINS_PER_LEVEL
    step = np.arange(1, LARGEST_STEP + 1)
    counts = level > np.maximum(step / 4, np.minimum(step / 2, ROUNDING_LEVELS))
    return (np.cos(2 * np.pi * level / step) * counts).astype(np.float32), counts.astype(np.float32)


def _comb_quality(tiles: NDArray[np.uint8]) -> float:
    """Return the quality whose steps the low coefficients of these blocks sit on; the lowest if there are several."""
    score = _comb_scores(_histogram(tiles))
    clear = np.flatnonzero(score > CLEAR_COMB)
    if not len(clear):
        return NEVER
    return float(clear[0] + 1 + np.argmax(score[clear[0] : clear[0] + NEIGHBOURS]))


def _histogram(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how often each magnitude of each low frequency occurs: frequencies x bins."""
    count, tall, wide = tiles.shape
    rows, columns = tall // BLOCK, wide // BLOCK
    blocks = tiles[:, : rows * BLOCK, : columns * BLOCK].reshape(count, rows, BLOCK, columns, BLOCK).swapaxes(2, 3)
    low = _product(blocks.reshape(-1, BLOCK * BLOCK).astype(np.float32), _basis())
    size = LARGEST_LEVEL * BINS_PER_LEVEL
    bins = np.minimum(np.rint(np.abs(low) * BINS_PER_LEVEL), size - 1).astype(np.intp)
    return np.stack([np.bincount(column, minlength=size) for column in bins.T]).astype(np.float32)


def _comb_scores(histogram: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean comb of the frequencies that have a say, for the steps of each quality from 1 to 100."""
    waves, counts = _combs()
    hits, seen = _product(histogram, waves), _product(histogram, counts)
    steps = _tables()[:, _frequency_places()].astype(np.intp) - 1  # 100 qualities x 10 frequencies, from step 1
    index = np.arange(len(FREQUENCIES))
    heard = (seen[index, steps] >= FEWEST_COEFFICIENTS) & (steps > 0)
    combs = np.where(heard, hits[index, steps] / np.maximum(seen[index, steps], 1), 0.0)
    voices = heard.sum(axis=1)
    return np.asarray(combs.sum(axis=1) / np.maximum(voices, 1) * (voices >= FEWEST_FREQUENCIES), np.float64)


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply matrices on this thread: numpy's BLAS starts its own, which costs more here than the product."""
    return cv2.gemm(left, right, 1.0, None, 0.0)


@functools.cache
def _frequency_places() -> NDArray[np.intp]:
    """Return where the low frequencies stand in zigzag order."""
    place = np.empty(BLOCK * BLOCK, np.intp)
    place[_zigzag()] = np.arange(BLOCK * BLOCK)
    return place[[down * BLOCK + across for down, across in FREQUENCIES]]
