"""Pictures that are too large for a network at once: tiles that overlap, and one picture of what came of them.

Neighbours overlap by so many px. Across the overlap the outer quarter of a tile, where it saw a border that is none, counts
nothing; the inner quarter counts in full; a ramp leads from one to the other. A network that looks no further than a quarter
of the overlap therefore gives what it gives for the whole picture; one with a global mean differs by what its means differ.
Tiles begin at multiples of `align`, so that whatever halves resolution inside the network meets the same px in the same phase.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Tensor = Any  # torch is there only where a network is


class Grid(NamedTuple):
    """How pictures are cut; all in px, tile and overlap multiples of align."""

    tile: int
    overlap: int
    align: int

    @classmethod
    def near(cls, tile: int, overlap: int, align: int) -> Grid:
        """Return the grid whose tile and overlap are the next multiples of `align` that leave tiles something of their own."""
        wide = -(-overlap // align) * align
        return cls(max(-(-tile // align) * align, 2 * wide + align), wide, align)


def spans(side: int, grid: Grid) -> list[tuple[int, int]]:
    """Return (begin, end) of the tiles along a side, which is a multiple of `align`; the last ends with the side."""
    if side <= grid.tile:
        return [(0, side)]
    last = side - grid.tile
    begins = [*range(0, last, grid.tile - grid.overlap), last]
    return [(begin, begin + grid.tile) for begin in begins]


def weights(span: tuple[int, int], side: int, grid: Grid) -> NDArray[np.float32]:
    """Return how much each px of a tile counts along a side: 1, but towards neighbours, where it falls to 0."""
    begin, end = span
    counts = np.ones(end - begin, np.float32)
    quarter = grid.overlap / 4
    ramp = np.clip((np.arange(grid.overlap) + 0.5 - quarter) / max(2 * quarter, 1), 0, 1).astype(np.float32)
    if begin > 0:
        counts[: grid.overlap] = ramp
    if end < side:
        counts[-grid.overlap :] = np.minimum(counts[-grid.overlap :], ramp[::-1])
    return counts


def apply(picture: Tensor, network: Callable[[Tensor], Tensor], grid: Grid) -> Tensor:
    """Return what a network makes of a picture: 1xCxHxW on the CPU in float32, whose sides are multiples of `align`.

    Args:
        picture: 1xCxHxW, float, whose sides are multiples of `align`.
        network: takes and gives tiles of it, of one size; its answer may be on another device and of another type.
        grid: how it is cut.
    """
    import torch

    height, width = picture.shape[-2:]
    rows, columns = spans(height, grid), spans(width, grid)
    if len(rows) == len(columns) == 1:
        return network(picture).float().cpu()
    total, counted = torch.zeros(picture.shape), torch.zeros(1, 1, height, width)
    for top, bottom in rows:
        for left, right in columns:
            made = network(picture[..., top:bottom, left:right]).float().cpu()
            counts = torch.from_numpy(np.outer(weights((top, bottom), height, grid), weights((left, right), width, grid)))
            total[..., top:bottom, left:right] += made * counts
            counted[..., top:bottom, left:right] += counts
    return total / counted
