"""What belongs together: the connected parts of a graph of photos, by union and find (Tarjan, JACM 1975)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Clusters:
    """Things 0 to n - 1, each alone at first; a cluster is named by its smallest member, whatever the order of links."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count)

    def link(self, one: int, other: int) -> None:
        """Put two things, and all that belongs to either, into one cluster."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low

    def link_all(self, alike: Iterable[Iterable[int]]) -> None:
        """Link the members of each group."""
        for group in alike:
            first, *rest = group
            for other in rest:
                self.link(first, other)

    def root(self, one: int) -> int:
        """Return the smallest member of a thing's cluster."""
        parent = self._parent
        while parent[one] != one:
            parent[one] = parent[parent[one]]  # halve the way for those who come after
            one = parent[one]
        return int(one)

    def roots(self) -> NDArray[np.intp]:
        """Return the smallest member of everything's cluster."""
        parent = self._parent
        while not np.array_equal(parent, parent[parent]):
            parent = parent[parent]
        self._parent = parent
        return parent.copy()
