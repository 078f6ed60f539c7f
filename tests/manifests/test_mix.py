"""Shares of tasks and origins hold in every short stretch, change with the step, and survive a restart."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import coded_run
import pytest

from degrade.errors import RecipeError, RunError
from manifests import Augment, Buckets, MixSampler, PairDataset, Resumable
from manifests.state import Position

torch = pytest.importorskip("torch", reason="pip install 'patina[train]'")
SCHEDULE = {0: (10, 0), 30: (2, 8)}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Forty synthetic pairs and ten real ones."""
    folder = tmp_path_factory.mktemp("mix")
    runs = [coded_run.write(folder / "synthetic", [25, 15]), coded_run.write(folder / "real", [10], origin="real")]
    return PairDataset(runs, augment=Augment(crop=16, flip=True))


def counted(pairs, picks, column) -> Counter:
    """Count the words of a column among the draws."""
    words = pairs.column(column)
    return Counter(words[row] for batch in picks for row, _ in batch)


def test_tasks_come_alike_in_every_stretch(pairs):
    """Over any thirty batches of eight, three tasks share 240 draws to within two."""
    picks = list(MixSampler(pairs, 8, steps=100, seed=2))
    assert len(picks) == 100
    for begin in range(0, 70, 7):
        assert all(abs(count - 80) <= 2 for count in counted(pairs, picks[begin : begin + 30], "task").values())


def test_the_share_of_real_pairs_changes_with_the_step(pairs):
    """10:0 for thirty steps, then 2:8, tasks alike in both; and a function of the step does as well."""
    picks = list(MixSampler(pairs, 10, mix=SCHEDULE, steps=60, seed=2))
    assert counted(pairs, picks[:30], "origin") == {"synthetic": 300}
    assert abs(counted(pairs, picks[30:], "origin")["real"] - 240) <= 2
    assert all(abs(count - 100) <= 3 for count in counted(pairs, picks[30:], "task").values())
    by_function = MixSampler(pairs, 10, mix=lambda step: SCHEDULE[30 * (step >= 30)], steps=60, seed=2)
    assert list(by_function) == picks


def test_every_pair_of_a_task_comes_before_any_comes_again(pairs):
    """The n-th pass over a pool holds each of its pairs once, and the pass is the epoch of the augmentation."""
    draws = [pick for batch in MixSampler(pairs, 8, mix={0: (1, 1)}, steps=60) for pick in batch]
    assert len(draws) == len(set(draws))
    seen = Counter(turn for row, turn in draws if pairs.column("origin")[row] == "real")
    assert seen[0] == seen[1] == 10


def test_ranks_share_the_draws(pairs):
    """Two ranks with batches of four draw together what one draws with batches of eight."""
    whole = list(MixSampler(pairs, 8, mix=SCHEDULE, steps=40, seed=5))
    halves = [list(MixSampler(pairs, 4, mix=SCHEDULE, steps=40, seed=5, rank=rank, world=2)) for rank in range(2)]
    assert [first + second for first, second in zip(*halves, strict=True)] == whole


@pytest.mark.parametrize("world", [1, 2])
def test_a_restart_goes_on_across_a_change_of_share(pairs, world):
    """From any step on the draws are those of an undisturbed run, without replaying a picture."""
    options = {"mix": SCHEDULE, "seed": 5, "rank": world - 1, "world": world}
    whole = list(islice(MixSampler(pairs, 6, **options), 50))
    for step in (1, 29, 30, 44):
        sampler = MixSampler(pairs, 6, **options)
        sampler.begin(Position(0, step * world))
        assert list(islice(sampler, 50 - step)) == whole[step:]


def test_weights_of_tasks(pairs):
    """Three to one, and none of the third."""
    found = counted(pairs, MixSampler(pairs, 8, tasks={"noise": 3, "haze": 1}, steps=50), "task")
    assert found.keys() == {"noise", "haze"}
    assert abs(found["noise"] - 300) <= 2
    assert MixSampler(pairs, 8, mix={0: (2, 8)}).shares(0)["real", "blur"] == pytest.approx(0.8 / 3)


def test_a_loader_that_is_stopped_goes_on(pairs):
    """With two workers ahead, the state after three steps is where another loader goes on, to the last step and no further."""

    def loader(workers):
        sampler = MixSampler(pairs, 8, mix=SCHEDULE, steps=7, seed=3)
        return Resumable(torch.utils.data.DataLoader(pairs, batch_sampler=sampler, num_workers=workers))

    wanted, begun, rest = list(loader(0)), loader(2), loader(0)
    first = list(islice(begun, 3))
    rest.load_state_dict(begun.state_dict())
    found = first + list(rest)
    assert [batch["pair_id"] for batch in found] == [batch["pair_id"] for batch in wanted]
    assert all(torch.equal(one["clean"], two["clean"]) for one, two in zip(found, wanted, strict=True))
    assert list(rest) == []


def test_what_cannot_be_drawn_is_refused_at_once(pairs, tmp_path):
    """Real pairs that are not there, a share of nothing, an unknown task, several resolutions: before the first step."""
    synthetic = coded_run.write(tmp_path / "run", [4], sizes=[(40, 48), (64, 36)])
    with pytest.raises(RunError, match="asks for real pairs"):
        MixSampler(PairDataset(synthetic, augment=Augment(crop=16)), 2, mix=SCHEDULE)
    with pytest.raises(RunError, match="one resolution"):
        MixSampler(PairDataset(synthetic, augment=Augment(crop=Buckets(multiple=4))), 2)
    for said, options in (
        ("not both zero", {"mix": {0: (0, 0)}}),
        ("step 0", {"mix": {5: (1, 0)}}),
        ("did you mean `noise`", {"tasks": {"nois": 1}}),
        ("negative", {"tasks": {"noise": -1}}),
    ):
        with pytest.raises(RecipeError, match=said):
            MixSampler(pairs, 2, **options)
    with pytest.raises(TypeError, match="no end"):
        len(MixSampler(pairs, 2))
