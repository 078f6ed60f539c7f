"""A run as a stream of batches: an iterable dataset whose workers plan, read and stack by themselves.

    stream = PairStream(pairs, batch_size=8, seed=7)
    for batch in DataLoader(stream, batch_size=None, num_workers=4, persistent_workers=True): ...

Shards are taken a few at a time, in an order of their own each epoch, and pairs are shuffled within those few, so that
discs and page caches see neighbours. Worker k of w takes every w-th batch of its rank: DataLoader hands them out in turn,
so the batches and their order are the same for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from manifests.dataset import PairDataset
from manifests.epoch import Tail
from manifests.sampler import EpochSampler
from manifests.state import Cursor, Position, need_torch, restored


class PairStream:
    """The pairs of a dataset as batches, each pair once per epoch over all ranks and workers.

    Args:
        pairs: which pairs, how augmented; see `PairDataset`.
        batch_size: pairs in a batch, all of one resolution; the last one of a bucket may be smaller.
        seed: of the order.
        shuffle: False goes through the manifest as it stands.
        window: how many shards are shuffled together; None for all.
        tail: `keep`, `repeat` or `drop`, see `EpochSampler`.
        rank: of this process, with `world`; default what torch.distributed or RANK and WORLD_SIZE say.
        world: number of ranks.

    Batches are dicts as of `PairDataset`, stacked: `degraded` and `clean` Nx3xHxW, words as lists, numbers as tensors.
    The stream goes through the epoch of `set_epoch` (0 at first) whenever it is iterated. With DataLoader workers take
    `manifests.Resumable` to save the state; the methods here serve a stream that is iterated directly, and torchdata's
    StatefulDataLoader, which calls them in the workers.
    """

    def __init__(
        self,
        pairs: PairDataset,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        window: int | None = 16,
        tail: Tail = "keep",
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        need_torch().utils.data.IterableDataset.register(PairStream)  # what DataLoader asks; a subclass would need torch to be imported
        self._pairs = pairs
        self._plan = EpochSampler(pairs, batch_size, seed=seed, shuffle=shuffle, window=window, tail=tail, rank=rank, world=world)
        self.stride = self._plan.stride
        self._cursor = Cursor()
        self._given, self._skip, self._alone = 0, 0, True

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        data = need_torch().utils.data
        told = data.get_worker_info()
        worker, workers = (told.id, told.num_workers) if told else (0, 1)
        at, self._alone = self._cursor.get(), workers == 1
        self._given, self._skip = self._skip, 0
        plan = self._plan.plan(at.epoch)
        for number in islice(self._plan.numbers(at), worker + self._given * workers, None, workers):
            batch = data.default_collate([self._pairs[row, at.epoch] for row in plan.at(number)])
            self._given += 1
            yield batch

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be this epoch's, from its beginning; reaches persistent workers too."""
        self.begin(Position(epoch, 0))

    def begin(self, at: Position) -> None:
        """Let the next pass begin there, in every worker."""
        self._cursor.set(at)
        self._given = 0

    def after(self, at: Position) -> Position:
        """Return the beginning of the next epoch."""
        return self._plan.after(at)

    def identity(self) -> dict[str, Any]:
        """Return what the order depends on."""
        return self._plan.identity()

    def state_dict(self) -> dict[str, Any]:
        """Return, as JSON, what this copy of the stream has given."""
        at = self._cursor.get()
        told = {"batch": at.batch + self._given * self.stride, "given": 0} if self._alone else {"batch": at.batch, "given": self._given}
        return {"epoch": at.epoch, **told, "order": self.identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a state was saved; raises RunError if it was saved for another order of pairs."""
        self.begin(restored(self._plan, state))
        self._skip = int(state.get("given", 0))
