"""An epoch is planned before a picture is read: which pairs make which batch, in which order, for whom.

The plan is a function of (seed, epoch) alone. Batches are numbered through the whole epoch and dealt in turn to ranks,
and within a rank in turn to DataLoader workers, so that

    - every pair stands in exactly one batch, however uneven the shards are;
    - what a trainer sees does not depend on how many workers it has;
    - "the first n batches are done" says all that a restart needs to know, even on another number of ranks.

For the sake of disks, shards are shuffled first and pairs only within a window of a few shards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.errors import RecipeError

Tail = Literal["keep", "repeat", "drop"]


class Seat(NamedTuple):
    """Which of the trainer's processes this is."""

    rank: int
    world: int


def seat(rank: int | None = None, world: int | None = None) -> Seat:
    """Return this process's place among the ranks: as given, or as torch.distributed or the variables RANK and WORLD_SIZE say.

    Raises:
        RecipeError: only one of the two is given, or the rank is not below the world.
    """
    if (rank is None) != (world is None):
        raise RecipeError("give both `rank` and `world`, or neither")
    if rank is None or world is None:
        rank, world = _joined() or (int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if not 0 <= rank < world:
        raise RecipeError(f"rank {rank} of {world}: ranks count from 0 to {world - 1}")
    return Seat(rank, world)


def _joined() -> tuple[int, int] | None:
    """Return (rank, world) of the process group that this process has joined."""
    if "torch" not in sys.modules:  # nobody can have joined
        return None
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return None
    return distributed.get_rank(), distributed.get_world_size()


class Batches(NamedTuple):
    """The batches of an epoch, in order."""

    rows: NDArray[np.int64]  # all batches, one after another
    bounds: NDArray[np.int64]  # batch n is rows[bounds[n] : bounds[n + 1]]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def at(self, number: int) -> list[int]:
        """Return the pairs of a batch."""
        return self.rows[self.bounds[number] : self.bounds[number + 1]].tolist()


def order(shards: NDArray[np.int64], rng: np.random.Generator | None, window: int | None) -> NDArray[np.int64]:
    """Return the order in which an epoch goes through the pairs.

    Args:
        shards: each pair's shard, as numbers from 0.
        rng: of this epoch; None leaves the pairs in the order of the manifest.
        window: how many shards are shuffled together; None for all.
    """
    if rng is None:
        return np.arange(len(shards))
    turn = rng.permutation(int(shards.max()) + 1)[shards] // (window or len(shards) + 1)
    return np.lexsort((rng.permutation(len(shards)), turn))


def batches(through: NDArray[np.int64], buckets: NDArray[np.int64], size: int, *, whole: bool = False) -> Batches:
    """Cut an order into batches of one bucket each; a batch stands where its last pair stood.

    Args:
        through: pairs in order.
        buckets: each pair's bucket.
        size: pairs in a batch; the last one of a bucket may be smaller.
        whole: leave the smaller ones out.
    """
    bucket = buckets[through]
    grouped = np.argsort(bucket, kind="stable")  # positions in `through`, bucket by bucket
    counts = np.bincount(bucket)
    ends: list[NDArray[np.int64]] = []
    starts: list[NDArray[np.int64]] = []
    for begin, count in zip(np.cumsum(counts) - counts, counts, strict=True):
        first = np.arange(0, count - size + 1 if whole else count, size)
        starts.append(begin + first)
        ends.append(begin + np.minimum(first + size, count))
    start, end = np.concatenate(starts), np.concatenate(ends)
    turn = np.argsort(grouped[end - 1], kind="stable")
    pieces = [grouped[a:b] for a, b in zip(start[turn], end[turn], strict=True)]
    rows = through[np.concatenate(pieces)] if pieces else through[:0]
    return Batches(rows, np.concatenate([[0], np.cumsum(end[turn] - start[turn])]))


def dealt(total: int, start: int, place: Seat, tail: Tail) -> Iterator[int]:
    """Yield the numbers of the batches that a rank gets.

    Args:
        total: batches in the epoch.
        start: how many are done already.
        place: of this rank.
        tail: what to do where the ranks do not come out even: `keep` every batch once (some ranks get one more), `repeat`
            the first ones, or `drop` the last ones.
    """
    for number in range(start + place.rank, start + share(total, start, Seat(0, place.world), tail) * place.world, place.world):
        if number < total:
            yield number
        elif tail == "repeat":
            yield number % total


def share(total: int, start: int, place: Seat, tail: Tail) -> int:
    """Return how many batches a rank gets; arguments as of `dealt`."""
    left = max(total - start, 0)
    if tail == "drop":
        return left // place.world
    rounds = -(-left // place.world)
    return rounds if tail == "repeat" or place.rank <= (left - 1) % place.world else rounds - 1
