"""What the network is fed: crops of pairs, each a function of (seed, step) and of nothing else.

A crop is cut from both sides at one place, turned and mirrored as one; threads decode ahead, in any number, and cannot
change what comes. A crop in eight comes without its task, so that a network told nothing has learned to go on alone; half are
dimmed on both sides, because a handful of photos need not have a dark one, and a gated network does anything to what it never saw.
"""

from __future__ import annotations

import collections
import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from benchmarks.train.network import one_hot
from degrade.errors import RunError
from degrade.stream import stream

AHEAD = 4  # batches that are made while the network works
UNTOLD = 1 / 8  # share of crops whose task is not told
DIMMED, DARKEST = 1 / 2, 0.05  # share of crops both sides of which are dimmed, and the most


class Pairs(Protocol):
    """What `manifests.PairDataset` is, as far as it matters here."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> dict[str, Any]: ...


class Batch(NamedTuple):
    """Crops, and what is told of them."""

    sides: Tensor  # 2xBx3xSxS uint8: degraded and clean
    told: Tensor  # BxT float: 1 at the task; zeros where it is not told
    light: Tensor  # B float: what both sides are to be multiplied with


class Crops:
    """Batches of aligned crops.

    Args:
        pairs: items with `degraded` and `clean`, uint8 3xHxW.
        side: px of a crop.
        batch: crops in a batch.
        seed: of every choice.
        tasks: that are told; pairs then have a `task`.
        memory_bytes: decoded pairs are kept until they fill so much; the others are decoded each time.
    """

    def __init__(self, pairs: Pairs, side: int, batch: int, seed: int, tasks: Sequence[str] = (), memory_bytes: int = 2 << 30) -> None:
        self._pairs, self._side, self._batch, self._seed = pairs, side, batch, seed
        self._tasks, self._free = tasks, memory_bytes
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        self._lock = threading.Lock()

    def at(self, step: int) -> Batch:
        """Return the batch of a step.

        Raises:
            RunError: a pair is smaller than the crop.
        """
        rng = stream(self._seed, "train crops", str(step))
        crops, told = zip(*(self._crop(rng) for _ in range(self._batch)), strict=True)
        light = DARKEST ** (rng.random(self._batch) * (rng.random(self._batch) < DIMMED))
        return Batch(torch.stack(crops, dim=1), torch.stack(told), torch.from_numpy(light).float())

    def _crop(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        both, told = self._pair(int(rng.integers(len(self._pairs))))
        height, width = both.shape[2:]
        if min(height, width) < self._side:
            raise RunError(f"a pair is {width} x {height} px, smaller than the crop of {self._side}: give a smaller --crop")
        top, left = int(rng.integers(height - self._side + 1)), int(rng.integers(width - self._side + 1))
        crop = both[:, :, top : top + self._side, left : left + self._side]
        crop = torch.rot90(crop, int(rng.integers(4)), (2, 3))
        crop = crop.flip(3) if rng.integers(2) else crop
        return crop, told * float(rng.random() >= UNTOLD)

    def _pair(self, index: int) -> tuple[Tensor, Tensor]:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        item = self._pairs[index]
        both = torch.stack([item["degraded"], item["clean"]])
        pair = both, one_hot(item["task"] if self._tasks else None, self._tasks)
        with self._lock:
            if index not in self._kept and both.nbytes <= self._free:
                self._kept[index] = pair
                self._free -= both.nbytes
        return pair

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of steps 0, 1, 2, ... without end."""
        coming: collections.deque[Future[Batch]] = collections.deque()
        with ThreadPoolExecutor(AHEAD) as threads:
            try:
                for step in itertools.count():
                    coming.append(threads.submit(self.at, step))
                    if len(coming) > AHEAD:
                        yield coming.popleft().result()
            finally:
                for future in coming:
                    future.cancel()
