"""Every pair once per epoch, in batches of one resolution: a batch sampler for a torch DataLoader.

    loader = DataLoader(pairs, batch_sampler=EpochSampler(pairs, batch_size=8, seed=7), num_workers=4)

The order is a plan (`manifests.epoch`), the same for any number of workers, and dealt to the ranks in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from degrade.errors import RecipeError, RunError
from manifests import epoch as epochs
from manifests.dataset import PairDataset
from manifests.draws import generator
from manifests.epoch import Batches, Seat, Tail
from manifests.state import Position


class EpochSampler:
    """Goes through a dataset, epoch by epoch.

    Args:
        pairs: the dataset.
        batch_size: pairs in a batch; the last one of a bucket may be smaller.
        seed: of the order.
        shuffle: False goes through the manifest as it stands.
        window: how many shards are shuffled together, which keeps reading near in place; None for all.
        tail: where ranks do not come out even, `keep` every pair exactly once (some ranks have a batch more: use torch's
            `Join`, or one of the others), `repeat` the first batches, or `drop` the last and incomplete ones.
        rank: of this process, with `world`; default what torch.distributed or RANK and WORLD_SIZE say.
        world: number of ranks.

    Raises:
        RecipeError: an impossible batch size, window, tail or rank.
        RunError: `drop` leaves nothing.
    """

    def __init__(
        self,
        pairs: PairDataset,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        window: int | None = None,
        tail: Tail = "keep",
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        if batch_size < 1 or (window is not None and window < 1):
            raise RecipeError(f"batch_size and window are at least 1: {batch_size}, {window}")
        if tail not in {"keep", "repeat", "drop"}:
            raise RecipeError(f"unknown tail `{tail}`; known: drop, keep, repeat")
        self._buckets, self._shards, self._pairs = pairs.buckets, _numbered(pairs), pairs.fingerprint
        self._batch_size, self._seed, self._shuffle, self._window, self._tail = batch_size, seed, shuffle, window, tail
        self.seat: Seat = epochs.seat(rank, world)
        self.stride = self.seat.world
        self._at = Position(0, 0)
        self._total = len(self.plan(0))
        if not len(self):
            raise RunError(f"{len(self._shards)} pairs make no batch of {batch_size} for each of {self.seat.world} ranks: make batches smaller, or tail='keep'")

    def plan(self, epoch: int) -> Batches:
        """Return all batches of an epoch, of all ranks."""
        rng = generator(self._seed, "order", epoch) if self._shuffle else None
        through = epochs.order(self._shards, rng, self._window)
        return epochs.batches(through, self._buckets, self._batch_size, whole=self._tail == "drop")

    def numbers(self, at: Position) -> Iterator[int]:
        """Yield which batches of the plan this rank gets, from a position on."""
        return epochs.dealt(self._total, at.batch, self.seat, self._tail)

    def __len__(self) -> int:
        return epochs.share(self._total, 0, self.seat, self._tail)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        plan = self.plan(self._at.epoch)
        for number in self.numbers(self._at):
            yield [(row, self._at.epoch) for row in plan.at(number)]

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be this epoch's, from its beginning."""
        self.begin(Position(epoch, 0))

    def begin(self, at: Position) -> None:
        """Let the next pass begin there."""
        self._at = at

    @staticmethod
    def after(at: Position) -> Position:
        """Return the beginning of the next epoch."""
        return Position(at.epoch + 1, 0)

    def identity(self) -> dict[str, Any]:
        """Return what the plan depends on: not the number of ranks, nor of workers."""
        told = {"batch_size": self._batch_size, "seed": self._seed, "shuffle": self._shuffle, "window": self._window, "tail": self._tail}
        return {"pairs": self._pairs, **told}


def _numbered(pairs: PairDataset) -> Any:
    """Return each pair's shard as a number from 0; the shards of several runs are told apart."""
    _, shard = np.unique(pairs.column("shard").astype(str), return_inverse=True)
    _, number = np.unique(pairs.column("run").astype(np.int64) * (shard.max() + 1) + shard, return_inverse=True)
    return number
