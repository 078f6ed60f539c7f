"""What the network is fed: crops of pairs, each a function of (seed, step) and of nothing else.

A crop is cut from both sides at one place, turned and mirrored as one; threads decode ahead, in any number, and cannot
change what comes.
"""

from __future__ import annotations

import collections
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from degrade.errors import RunError
from degrade.stream import stream

AHEAD = 4  # batches that are made while the network works


class Pairs(Protocol):
    """What `manifests.PairDataset` is, as far as it matters here."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> dict[str, Any]: ...


class Crops:
    """Batches of aligned crops.

    Args:
        pairs: items with `degraded` and `clean`, uint8 3xHxW.
        side: px of a crop.
        batch: crops in a batch.
        seed: of every choice.
        memory_bytes: decoded pairs are kept until they fill so much; the others are decoded each time.
    """

    def __init__(self, pairs: Pairs, side: int, batch: int, seed: int, memory_bytes: int = 2 << 30) -> None:
        self._pairs, self._side, self._batch, self._seed = pairs, side, batch, seed
        self._free = memory_bytes
        self._kept: dict[int, Tensor] = {}
        self._lock = threading.Lock()

    def at(self, step: int) -> Tensor:
        """Return the batch of a step: 2xBx3xSxS uint8, degraded and clean.

        Raises:
            RunError: a pair is smaller than the crop.
        """
        rng = stream(self._seed, "train crops", str(step))
        return torch.stack([self._crop(rng) for _ in range(self._batch)], dim=1)

    def _crop(self, rng: np.random.Generator) -> Tensor:
        both = self._both(int(rng.integers(len(self._pairs))))
        height, width = both.shape[2:]
        if min(height, width) < self._side:
            raise RunError(f"a pair is {width} x {height} px, smaller than the crop of {self._side}: give a smaller --crop")
        top, left = int(rng.integers(height - self._side + 1)), int(rng.integers(width - self._side + 1))
        crop = both[:, :, top : top + self._side, left : left + self._side]
        crop = torch.rot90(crop, int(rng.integers(4)), (2, 3))
        return crop.flip(3) if rng.integers(2) else crop

    def _both(self, index: int) -> Tensor:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        item = self._pairs[index]
        both = torch.stack([item["degraded"], item["clean"]])
        with self._lock:
            if index not in self._kept and both.nbytes <= self._free:
                self._kept[index] = both
                self._free -= both.nbytes
        return both

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the batches of steps 0, 1, 2, ... without end."""
        coming: collections.deque[Future[Tensor]] = collections.deque()
        with ThreadPoolExecutor(AHEAD) as threads:
            try:
                for step in itertools.count():
                    coming.append(threads.submit(self.at, step))
                    if len(coming) > AHEAD:
                        yield coming.popleft().result()
            finally:
                for future in coming:
                    future.cancel()
