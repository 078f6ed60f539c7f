"""Photos whose vectors point the same way: one scene from two viewpoints, a moment later, in another crop.

All pairs are compared, by products of blocks of the matrix of vectors: exact, without an index to tune. 100,000 vectors of
512 numbers take a minute or two of one core.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048


def pairs(vectors: NDArray[np.float32], least: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j), i < j, whose cosine is `least` or more; a vector without length resembles nothing.

    Args:
        vectors: NxD, of any length each.
        least: -1 to 1.

    Raises:
        ValueError: a vector holds what is no number.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("a vector holds a NaN or an infinity")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    there = np.flatnonzero(lengths[:, 0] > 0)
    unit = (vectors[there] / lengths[there]).astype(np.float32)
    for row in range(0, len(unit), BLOCK):
        for column in range(row, len(unit), BLOCK):
            cosines = unit[row : row + BLOCK] @ unit[column : column + BLOCK].T
            for one, other in zip(*np.nonzero(cosines >= least), strict=True):
                if row + one < column + other:
                    yield int(there[row + one]), int(there[column + other])
