"""How far a trainer has come: saved and restored in the middle of an epoch, whatever workers have read ahead.

A DataLoader's workers are several batches ahead of the trainer, so neither the dataset nor the sampler knows what was
used. Whoever hands the batches out does: `Resumable` counts them, and a restart begins at that number in the same plan.

    loader = Resumable(DataLoader(PairStream(pairs, batch_size=8), batch_size=None, num_workers=4))
    for batch in loader:              # the rest of this epoch; the next loop is the next epoch
        ...
        torch.save({"data": loader.state_dict(), ...}, path)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from degrade.errors import MissingModel, RunError


def need_torch() -> Any:
    """Return the module torch; raises MissingModel where it is not installed."""
    try:
        import torch
        import torch.utils.data
    except ModuleNotFoundError as error:
        raise MissingModel("the trainer's side gives torch tensors: pip install 'patina[train]'") from error
    return torch


class Position(NamedTuple):
    """Where a pass begins."""

    epoch: int
    batch: int  # how many batches of the epoch are done, over all ranks


class Cursor:
    """A position that every DataLoader worker sees, persistent ones too: two integers in shared memory."""

    def __init__(self) -> None:
        self._cell = need_torch().zeros(2, dtype=need_torch().int64).share_memory_()

    def set(self, position: Position) -> None:
        """Let the next pass begin there."""
        self._cell[0], self._cell[1] = position

    def get(self) -> Position:
        """Return where the next pass begins."""
        return Position(*self._cell.tolist())


@runtime_checkable
class Course(Protocol):
    """Whatever decides which batch comes when: PairStream, EpochSampler, MixSampler."""

    stride: int  # batches of the plan that one batch of this rank stands for: the number of ranks

    def begin(self, at: Position) -> None:
        """Let the next pass begin there."""

    def after(self, at: Position) -> Position:
        """Return where to go on when a pass has come to its end."""

    def identity(self) -> dict[str, Any]:
        """Return what the order depends on, as JSON."""


def restored(course: Course, state: dict[str, Any]) -> Position:
    """Return the position in a saved state.

    Raises:
        RunError: the state belongs to another order of pairs; says what differs.
    """
    now = course.identity()
    differ = [f"{name}: {state['order'].get(name)} -> {now.get(name)}" for name in {**state["order"], **now} if state["order"].get(name) != now.get(name)]
    if differ:
        raise RunError(f"this state was saved for another order of pairs; put these back, or begin a new epoch: {'; '.join(differ)}")
    return Position(state["epoch"], state["batch"])


class Resumable:
    """A DataLoader that knows how far the trainer has come.

    Args:
        loader: a torch DataLoader over a PairStream (`batch_size=None`), or with `batch_sampler=` EpochSampler or MixSampler.

    Every `for` loop goes to the end of the epoch, and the next one begins the next; a loop that was left goes on where it
    was. The state of rank 0 is good for every rank.

    Raises:
        RunError: the loader goes through its data in an order that is not ours.
    """

    def __init__(self, loader: Any) -> None:
        found = [course for course in (loader.batch_sampler, loader.dataset) if isinstance(course, Course)]
        if not found:
            raise RunError("Resumable needs a DataLoader over a PairStream, or one with batch_sampler=EpochSampler(...) or MixSampler(...)")
        if found[0] is loader.dataset and loader.batch_size is not None:
            raise RunError("a PairStream makes its own batches: DataLoader(stream, batch_size=None)")
        self._loader, self._course = loader, found[0]
        self._at = Position(0, 0)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        self._course.begin(self._at)
        for batch in self._loader:
            self._at = Position(self._at.epoch, self._at.batch + self._course.stride)
            yield batch
        self._at = self._course.after(self._at)

    def state_dict(self) -> dict[str, Any]:
        """Return, as JSON, which batches were handed out: the one in the trainer's hands counts as done."""
        return {**self._at._asdict(), "order": self._course.identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a state was saved; raises RunError if it was saved for another order of pairs."""
        self._at = restored(self._course, state)
