"""A stream gives each pair once, in an order that workers do not change, and goes on where it was stopped."""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import islice
from pathlib import Path

import coded_run
import pytest

from degrade.errors import RunError
from manifests import Augment, EpochSampler, PairDataset, PairStream, Resumable

torch = pytest.importorskip("torch", reason="pip install 'patina[train]'")
DataLoader = torch.utils.data.DataLoader
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Forty-three pairs in uneven shards."""
    run = coded_run.write(tmp_path_factory.mktemp("stream") / "run", [9, 1, 17, 2, 14])
    return PairDataset(run, augment=Augment(crop=16, flip=True))


def seen(batches) -> list[tuple]:
    """Return what a trainer sees: which pairs, and of which pixels."""
    return [(tuple(batch["pair_id"]), batch["clean"].sum().item()) for batch in batches]


def ids(batches) -> list[str]:
    """Return the pairs in order."""
    return [pair_id for names, _ in seen(batches) for pair_id in names]


def test_workers_change_nothing(pairs):
    """With no, one and two workers the batches, their pixels and their order are the same, and hold every pair once."""
    stream = PairStream(pairs, 4, seed=1, window=2)
    alone = seen(stream)
    assert len(alone) == len(stream) == 11
    assert sorted(name for names, _ in alone for name in names) == sorted(pairs.column("pair_id"))
    for workers in (1, 2):
        assert seen(DataLoader(stream, batch_size=None, num_workers=workers)) == alone


def test_two_ranks_see_each_pair_once(pairs):
    """With two workers each or none, over uneven shards; and the next epoch is another order of the same pairs."""
    streams = [PairStream(pairs, 4, seed=1, rank=rank, world=2) for rank in range(2)]
    epochs = []
    for epoch in range(2):
        for stream in streams:
            stream.set_epoch(epoch)
        ranks = [ids(DataLoader(stream, batch_size=None, num_workers=2 * (epoch == 0))) for stream in streams]
        assert sorted(ranks[0] + ranks[1]) == sorted(pairs.column("pair_id"))
        epochs.append(ranks)
    assert epochs[0] != epochs[1]


def test_persistent_workers_hear_of_the_epoch(pairs):
    """Workers that live on take the new epoch's order and crops."""
    stream = PairStream(pairs, 4, seed=1)
    loader = DataLoader(stream, batch_size=None, num_workers=2, persistent_workers=True)
    first, again = seen(loader), seen(loader)
    stream.set_epoch(1)
    assert first == again
    assert seen(loader) == seen(stream) != first


def test_a_stop_in_mid_epoch_repeats_and_skips_nothing(pairs):
    """Saved after five batches with two workers far ahead, restored with one: the rest of the epoch, then the next."""
    undisturbed = Resumable(DataLoader(PairStream(pairs, 4, seed=1), batch_size=None))
    wanted = [seen(undisturbed), seen(undisturbed)]
    loader = Resumable(DataLoader(PairStream(pairs, 4, seed=1), batch_size=None, num_workers=2, persistent_workers=True, prefetch_factor=3))
    begun = []
    for batch in loader:
        begun += seen([batch])
        if len(begun) == 5:
            break
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    assert begun + seen(loader) == wanted[0]
    restored = Resumable(DataLoader(PairStream(pairs, 4, seed=1), batch_size=None, num_workers=1))
    restored.load_state_dict(state)
    assert begun + seen(restored) == wanted[0]
    assert seen(restored) == wanted[1]


def test_a_state_serves_another_number_of_ranks(pairs):
    """Two ranks stop after three batches each; three ranks go on, and every pair was seen once."""
    def loaders(world):
        return [Resumable(DataLoader(PairStream(pairs, 4, seed=1, rank=rank, world=world), batch_size=None)) for rank in range(world)]

    begun = loaders(2)
    first = [batch for loader in begun for batch in islice(loader, 3)]
    going_on = loaders(3)
    for loader in going_on:
        loader.load_state_dict(begun[0].state_dict())
    rest = [batch for loader in going_on for batch in loader]
    assert sorted(ids(first + rest)) == sorted(pairs.column("pair_id"))


def test_a_stream_that_is_iterated_directly_knows_its_state(pairs):
    """Its own state_dict, taken between two batches, is where another copy goes on."""
    stream, other = PairStream(pairs, 4, seed=1), PairStream(pairs, 4, seed=1)
    begun = seen(islice(stream, 4))
    other.load_state_dict(stream.state_dict())
    assert begun + seen(other) == seen(PairStream(pairs, 4, seed=1))


def test_a_state_of_another_order_is_refused(pairs):
    """Another seed, batch size or selection is named; a loader whose order is not ours cannot be resumed."""
    state = Resumable(DataLoader(PairStream(pairs, 4, seed=1), batch_size=None)).state_dict()
    with pytest.raises(RunError, match="seed: 1 -> 2"):
        Resumable(DataLoader(PairStream(pairs, 4, seed=2), batch_size=None)).load_state_dict(state)
    with pytest.raises(RunError, match="batch_size=None"):
        Resumable(DataLoader(PairStream(pairs, 4)))
    with pytest.raises(RunError, match="PairStream"):
        Resumable(DataLoader(pairs, batch_size=4))


def test_the_sampler_gives_what_the_stream_gives(pairs):
    """A map-style dataset under EpochSampler shows the same batches, also after a stop."""
    wanted = seen(PairStream(pairs, 4, seed=1, window=None))
    loader = Resumable(DataLoader(pairs, batch_sampler=EpochSampler(pairs, 4, seed=1), num_workers=2))
    begun = list(islice(loader, 5))
    again = Resumable(DataLoader(pairs, batch_sampler=EpochSampler(pairs, 4, seed=1)))
    again.load_state_dict(loader.state_dict())
    assert seen(begun) + seen(again) == wanted


def test_torchdata_saves_it_in_its_workers(pairs):
    """StatefulDataLoader stops and goes on in mid-epoch, with workers and without."""
    stateful = pytest.importorskip("torchdata.stateful_dataloader", reason="pip install torchdata")
    for workers in (0, 2):
        loader = stateful.StatefulDataLoader(PairStream(pairs, 4, seed=1), batch_size=None, num_workers=workers)
        going = iter(loader)
        begun = [next(going) for _ in range(5)]
        other = stateful.StatefulDataLoader(PairStream(pairs, 4, seed=1), batch_size=None, num_workers=workers)
        other.load_state_dict(loader.state_dict())
        assert seen(begun) + seen(other) == seen(PairStream(pairs, 4, seed=1))


@pytest.mark.slow
def test_processes_of_a_group_share_an_epoch(pairs, tmp_path):
    """Two processes that joined a gloo group, and were told nothing else, see each pair once between them."""
    (tmp_path / "pairs.pickle").write_bytes(pickle.dumps(pairs))
    code = f"""
import pickle, sys
from torch import distributed
from torch.utils.data import DataLoader
from manifests import PairStream
rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method="file://{tmp_path}/meeting", rank=rank, world_size=2)
with open("{tmp_path}/pairs.pickle", "rb") as file:
    stream = PairStream(pickle.load(file), 4, seed=1)
print(*(name for batch in DataLoader(stream, batch_size=None, num_workers=2) for name in batch["pair_id"]))
distributed.destroy_process_group()
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(rank)], stdout=subprocess.PIPE, text=True, cwd=ROOT) for rank in range(2)]
    found = [process.communicate(timeout=120)[0].split() for process in processes]
    assert abs(len(found[0]) - len(found[1])) <= 4
    assert sorted(found[0] + found[1]) == sorted(pairs.column("pair_id"))
