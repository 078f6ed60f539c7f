"""The plan of an epoch deals every pair once, whatever the shards, buckets, ranks and workers."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade.errors import RecipeError
from manifests import epoch
from manifests.draws import generator
from manifests.epoch import Seat

UNEVEN = np.repeat(np.arange(7), [1, 40, 3, 17, 8, 1, 30])  # a hundred pairs in seven shards
BUCKETS = np.arange(100) % 3 // 2


@given(
    seed=st.integers(0, 99),
    size=st.integers(1, 23),
    world=st.integers(1, 9),
    workers=st.integers(1, 5),
    window=st.sampled_from([None, 1, 2, 50]),
    data=st.data(),
)
def test_every_pair_once_over_ranks_and_workers_and_a_restart(seed, size, world, workers, window, data):
    """Ranks and workers share a hundred pairs without overlap or loss, also when the epoch goes on with other numbers of both."""
    plan = epoch.batches(epoch.order(UNEVEN, generator(seed, "order", 0), window), BUCKETS, size)
    assert all(len(set(BUCKETS[plan.at(number)])) == 1 for number in range(len(plan)))
    rounds = data.draw(st.integers(0, len(plan) // world))
    other = data.draw(st.integers(1, 9))
    first = [number for rank in range(world) for number in islice(epoch.dealt(len(plan), 0, Seat(rank, world), "keep"), rounds)]
    rest = [
        number
        for rank in range(other)
        for worker in range(workers)
        for number in islice(epoch.dealt(len(plan), rounds * world, Seat(rank, other), "keep"), worker, None, workers)
    ]
    assert sorted(row for number in first + rest for row in plan.at(number)) == list(range(100))


@given(total=st.integers(1, 60), start=st.integers(0, 60), world=st.integers(1, 9))
def test_tails_make_ranks_even_or_lose_nothing(total, start, world):
    """`keep` differs by at most one batch between ranks, `repeat` and `drop` by none; lengths are foretold."""
    for tail in ("keep", "repeat", "drop"):
        dealt = [list(epoch.dealt(total, start, Seat(rank, world), tail)) for rank in range(world)]
        lengths = [len(numbers) for numbers in dealt]
        assert lengths == [epoch.share(total, start, Seat(rank, world), tail) for rank in range(world)]
        assert max(lengths) - min(lengths) <= (tail == "keep")
        left = set(range(min(start, total), total))
        given_out = {number for numbers in dealt for number in numbers}
        assert (given_out <= left and len(left) - len(given_out) < world) if tail == "drop" else left <= given_out


def test_a_window_keeps_reading_in_a_few_shards():
    """With a window of two, any stretch of the order stays within two shards, and shards come in another order each epoch."""
    seen = []
    for number in range(20):
        through = epoch.order(UNEVEN, generator(1, "order", number), 2)
        shards = UNEVEN[through]
        firsts = list(dict.fromkeys(shards.tolist()))
        for at in range(0, 7, 2):
            where = np.flatnonzero(np.isin(shards, firsts[at : at + 2]))
            assert np.ptp(where) == len(where) - 1
        seen.append(tuple(firsts))
    assert len(set(seen)) > 10
    assert epoch.order(UNEVEN, None, 2).tolist() == list(range(100))


def test_whole_batches_only():
    """Leaving out the incomplete batches leaves batches of one size."""
    plan = epoch.batches(np.arange(100), BUCKETS, 16, whole=True)
    assert {len(plan.at(number)) for number in range(len(plan))} == {16}
    assert len(plan) == 66 // 16 + 34 // 16


def test_the_rank_comes_from_the_environment(monkeypatch):
    """RANK and WORLD_SIZE, as torchrun sets them, are read where nothing is given; nonsense is refused."""
    assert epoch.seat() == Seat(0, 1)
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert epoch.seat() == Seat(2, 4)
    assert epoch.seat(1, 3) == Seat(1, 3)
    with pytest.raises(RecipeError, match="ranks count from 0 to 1"):
        epoch.seat(2, 2)
    with pytest.raises(RecipeError, match="both"):
        epoch.seat(rank=1)
