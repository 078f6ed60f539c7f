"""Buckets of resolution: every pair is cropped to one of a few sizes, and a batch holds one size.

A pair goes to the bucket whose shape is nearest to its own among those that fit into it, and among equals to the largest.
Pictures are cropped, never resized: grain, blocks and blur keep the scale at which they were made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from degrade.errors import RecipeError, RunError


@dataclass(frozen=True, slots=True)
class Buckets:
    """The sizes that pairs are brought to.

    Args:
        sizes: (height, width) in px. Empty: every pair's own size, rounded down to a multiple.
        multiple: px that both sides are multiples of, where sizes follow the pairs.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    multiple: int = 64

    def __post_init__(self) -> None:
        if self.multiple < 1 or any(min(size) < 1 for size in self.sizes):
            raise RecipeError(f"buckets are whole numbers of px, at least 1: {self.sizes or self.multiple}")

    @classmethod
    def around(cls, side: int = 1024, multiple: int = 64, max_aspect: float = 2.0) -> Self:
        """Return buckets of about side * side px, from portrait to landscape.

        Args:
            side: px; its square is the area that no bucket exceeds.
            multiple: px that both sides are multiples of.
            max_aspect: of the long side to the short one.
        """
        lengths = range(multiple, int(side * max_aspect) + 1, multiple)
        found = {(height, side * side // height // multiple * multiple) for height in lengths}
        found |= {(width, height) for height, width in found}
        return cls(tuple(sorted(size for size in found if min(size) and max(size) <= max_aspect * min(size))), multiple)

    def assign(self, heights: NDArray[np.int64], widths: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """Return each pair's bucket, and the buckets' sizes (height, width) in px.

        Args:
            heights: of the pairs, in px.
            widths: of the pairs, in px.

        Raises:
            RunError: a pair is smaller than every bucket.
        """
        own, which = np.unique(np.stack([heights, widths], axis=1), axis=0, return_inverse=True)
        chosen = [self._fit(int(height), int(width)) for height, width in own]
        sizes = sorted(set(chosen))
        return np.array([sizes.index(size) for size in chosen], np.int64)[which.reshape(-1)], sizes

    def _fit(self, height: int, width: int) -> tuple[int, int]:
        if not self.sizes:
            fitting = [(height // self.multiple * self.multiple, width // self.multiple * self.multiple)]
        else:
            fitting = [size for size in self.sizes if size[0] <= height and size[1] <= width]
        if not fitting or not min(fitting[0]):
            wanted = " or ".join(f"{size[1]} x {size[0]}" for size in self.sizes[:3]) or f"{self.multiple} x {self.multiple}"
            raise RunError(
                f"a pair of {width} x {height} px is smaller than every crop ({wanted} px): choose a smaller one, "
                "or leave such pairs out with filters=[('width', '>=', PX), ('height', '>=', PX)]"
            )
        aspect = math.log(height / width)
        return min(fitting, key=lambda size: (round(abs(math.log(size[0] / size[1]) - aspect), 6), -size[0] * size[1]))
