"""Shares instead of epochs: tasks alike, synthetic and real pairs as the step of the training wants it.

RealRestorer trains on its tasks with equal sampling, at first on synthetic pairs only and then on synthetic to real
2:8. Draw number n falls on the point frac(n * phi) of [0, 1), which the tasks and origins divide among them: the most even
sequence that there is (Weyl 1916), so that shares hold in every short stretch and not only on average, and a restart
knows where it is by counting. Within its task and origin every pair comes once before any comes again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.errors import RecipeError, RunError
from degrade.keys import nearest
from manifests import epoch as epochs
from manifests.dataset import PairDataset
from manifests.draws import generator
from manifests.state import Position

ORIGINS = ("synthetic", "real")
Share = tuple[float, float]
_PHI = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's fraction, times 2^64
_CHUNK = 1 << 20


class MixSampler:
    """Batches with given shares of tasks and origins, for `DataLoader(pairs, batch_sampler=MixSampler(...))`.

    Args:
        pairs: the dataset; of one resolution (give it a crop).
        batch_size: pairs in a batch of one rank.
        mix: synthetic:real from a step on, such as `{0: (10, 0), 50_000: (2, 8)}`, or a function of the step. Default: the
            origins are not told apart.
        tasks: weights of the tasks; default all alike. Within an origin they are divided among the tasks that it has.
        steps: how many batches of each rank there are in all; default without end.
        seed: of the order within tasks.
        rank: of this process, with `world`; default what torch.distributed or RANK and WORLD_SIZE say.
        world: number of ranks; a step is a batch on each of them.

    Raises:
        RecipeError: an unknown task, or shares that cannot be meant.
        RunError: a share asks for pairs that are not there, or the pairs are of several resolutions.
    """

    def __init__(
        self,
        pairs: PairDataset,
        batch_size: int,
        *,
        mix: Mapping[int, Share] | Callable[[int], Share] | None = None,
        tasks: Mapping[str, float] | None = None,
        steps: int | None = None,
        seed: int = 0,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        if batch_size < 1:
            raise RecipeError(f"batch_size is at least 1: {batch_size}")
        if len(pairs.sizes) > 1:
            raise RunError(f"MixSampler's batches need one resolution, the pairs have {len(pairs.sizes)}: PairDataset(..., augment=Augment(crop=PX))")
        if isinstance(mix, Mapping) and 0 not in mix:
            raise RecipeError(f"mix says nothing of step 0: {dict(mix)}")
        self._mix, self._batch_size, self._steps, self._seed = mix, batch_size, steps, seed
        self._shared: tuple[Share, NDArray[np.float64]] | None = None  # the share that was asked for last, and its edges
        self._pools = _pools(pairs, apart=mix is not None)
        self._weights = _weights(self._pools, tasks)
        self._pairs = pairs.fingerprint
        self.seat = epochs.seat(rank, world)
        self.stride = self.seat.world
        self._begin = generator(seed, "mix").integers(1 << 63, dtype=np.uint64)
        self._at = Position(0, 0)
        for step in self._mix if isinstance(self._mix, Mapping) else (0,):
            self.shares(step)  # refuse now what would fail in a week

    def shares(self, step: int) -> dict[tuple[str, str], float]:
        """Return the shares of (origin, task) at a step; they sum to one. The origin is empty where origins are not told apart."""
        edges = self._edges(self._share(step))
        return dict(zip(((pool.origin, pool.task) for pool in self._pools), np.diff(edges, prepend=0.0).tolist(), strict=True))

    def __len__(self) -> int:
        if self._steps is None:
            raise TypeError("a MixSampler without `steps` has no end")
        return self._steps

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        size, first = self._batch_size * self.seat.world, self._at.batch // self.seat.world
        mine = range(self.seat.rank * self._batch_size, (self.seat.rank + 1) * self._batch_size)
        taken = self._taken(first)
        orders: dict[int, tuple[int, NDArray[np.int64]]] = {}
        for step in itertools.count(first) if self._steps is None else range(first, self._steps):
            picks = []
            for draw, pool in enumerate(self._drawn(step * size, size, self._share(step)).tolist()):
                if draw in mine:
                    picks.append(self._pick(pool, int(taken[pool]), orders))
                taken[pool] += 1
            yield picks

    def _share(self, step: int) -> Share:
        if self._mix is None:
            return (1.0, 0.0)
        synthetic, real = self._mix[max(begin for begin in self._mix if begin <= step)] if isinstance(self._mix, Mapping) else self._mix(step)
        return (float(synthetic), float(real))

    def _edges(self, share: Share) -> NDArray[np.float64]:
        """Return where the pools' parts of [0, 1) end; a share stays for thousands of steps."""
        if self._shared is None or self._shared[0] != share:
            self._shared = (share, self._divided(share))
        return self._shared[1]

    def _divided(self, share: Share) -> NDArray[np.float64]:
        wanted = {"": 1.0} if self._mix is None else dict(zip(ORIGINS, share, strict=True))
        if min(wanted.values()) < 0 or not sum(wanted.values()):
            raise RecipeError(f"mix = {share}: shares are not negative, and not both zero")
        totals = dict.fromkeys(wanted, 0.0)
        for pool, weight in zip(self._pools, self._weights, strict=True):
            totals[pool.origin] += weight
        for origin, part in wanted.items():
            if part and not totals[origin]:
                raise RunError(f"mix = {share} asks for {origin} pairs, and none is there: give runs that have them, PairDataset([RUN, RUN2])")
        parts = [wanted[pool.origin] * weight / (totals[pool.origin] or 1) for pool, weight in zip(self._pools, self._weights, strict=True)]
        edges = np.cumsum(parts)
        return edges / edges[-1]

    def _drawn(self, first: int, count: int, share: Share) -> NDArray[np.int64]:
        """Return the pools of some draws."""
        points = np.arange(first, first + count, dtype=np.uint64) * _PHI + self._begin
        return np.searchsorted(self._edges(share)[:-1], (points >> np.uint64(11)) * 2.0**-53, side="right")

    def _taken(self, steps: int) -> NDArray[np.int64]:
        """Return how often each pool was drawn from in the first steps: 60 million draws take some seconds."""
        taken = np.zeros(len(self._pools), np.int64)
        size = self._batch_size * self.seat.world
        for share, group in itertools.groupby(range(steps), self._share):
            held = list(group)
            for begin in range(held[0] * size, (held[-1] + 1) * size, _CHUNK):
                count = min(_CHUNK, (held[-1] + 1) * size - begin)
                taken += np.bincount(self._drawn(begin, count, share), minlength=len(taken))
        return taken

    def _pick(self, pool: int, number: int, orders: dict[int, tuple[int, NDArray[np.int64]]]) -> tuple[int, int]:
        """Return (pair, pass) for a draw from a pool: every pass goes through all its pairs in an order of its own."""
        rows = self._pools[pool].rows
        turn, at = divmod(number, len(rows))
        if orders.get(pool, (-1,))[0] != turn:
            rng = generator(self._seed, "pool", self._pools[pool].origin, self._pools[pool].task, turn)
            orders[pool] = (turn, rng.permutation(rows))
        return int(orders[pool][1][at]), turn

    def begin(self, at: Position) -> None:
        """Let the next pass begin there."""
        self._at = at

    @staticmethod
    def after(at: Position) -> Position:
        """Stay: there are no epochs."""
        return at

    def identity(self) -> dict[str, Any]:
        """Return what the order depends on."""
        mix = [[step, *share] for step, share in sorted(self._mix.items())] if isinstance(self._mix, Mapping) else self._mix and "function"
        told = {"batch_size": self._batch_size, "world": self.seat.world, "seed": self._seed, "mix": mix}
        return {"pairs": self._pairs, "tasks": {f"{pool.origin} {pool.task}": w for pool, w in zip(self._pools, self._weights, strict=True)}, **told}


class _Pool(NamedTuple):
    """The pairs of a task and an origin."""

    origin: str
    task: str
    rows: NDArray[np.int64]


def _pools(pairs: PairDataset, *, apart: bool) -> list[_Pool]:
    tasks, origins = pairs.column("task").astype(str), pairs.column("origin").astype(str)
    if not apart:
        origins = np.full_like(origins, "")
    kinds = sorted(set(zip(origins.tolist(), tasks.tolist(), strict=True)))
    return [_Pool(origin, task, np.flatnonzero((tasks == task) & (origins == origin))) for origin, task in kinds]


def _weights(pools: list[_Pool], tasks: Mapping[str, float] | None) -> list[float]:
    """Return each pool's weight within its origin."""
    known = {pool.task for pool in pools}
    for task, weight in (tasks or {}).items():
        if task not in known:
            raise RecipeError(f"no pair has the task `{task}`; {nearest(task, known)}")
        if weight < 0:
            raise RecipeError(f"the weight of `{task}` is negative: {weight}")
    return [float((tasks or {}).get(pool.task, 0.0 if tasks else 1.0)) for pool in pools]
