"""A trainer reads a run: one pread per picture, torch tensors, and the shards as they are."""

from __future__ import annotations

import json
import pickle

import coded_run
import numpy as np
import pytest

from degrade.errors import CorruptRun, RecipeError, RunError
from manifests import Augment, Buckets, EpochSampler, PairDataset, open_shards, shards
from manifests.commit import read_table

torch = pytest.importorskip("torch", reason="pip install 'patina[train]'")
torch.set_num_threads(1)  # threads that wait for each other cost more than they bring, beside other tests


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    """Eleven pairs in three uneven shards, of two sizes."""
    return coded_run.write(tmp_path_factory.mktemp("coded") / "run", [6, 1, 4], sizes=[(40, 48), (64, 36)])


def test_an_item_is_a_pair_with_its_story(finished):
    """Two uint8 tensors of one size, the prompt, the task, the severity, the scores."""
    item = PairDataset(finished.folder)[0]
    assert item["clean"].shape == item["degraded"].shape == (3, 128, 128)
    assert item["clean"].dtype == item["degraded"].dtype == torch.uint8
    assert item["prompt"].endswith(".")
    assert item["task"] in {"compression", "haze", "noise"}
    assert item["stratum"] in range(1, 6)
    assert item["scores"]["psnr_db"] > 10
    assert not torch.equal(item["clean"], item["degraded"])


def test_every_kept_pair_is_read_and_no_other(finished):
    """The dataset holds the manifest's kept pairs, and its pixels are those that OpenCV decodes."""
    import cv2

    rows = [row for row in read_table(finished.manifest).to_pylist() if row["verdict"] == "keep"]
    pairs = PairDataset(finished.folder)
    assert [pairs[at]["pair_id"] for at in range(len(pairs))] == [row["pair_id"] for row in rows]
    for at, side in ((0, "clean"), (len(rows) - 1, "clean"), (3, "degraded")):
        data = shards.tar_path(finished.folder, rows[at]["shard"]).read_bytes()
        member = data[rows[at][f"{side}_offset"] :][: rows[at][f"{side}_length"]]
        assert np.array_equal(pairs[at][side].numpy().transpose(1, 2, 0), cv2.imdecode(np.frombuffer(member, np.uint8), cv2.IMREAD_COLOR_RGB))


def test_splits_tasks_and_language_are_choices(finished):
    """Filters leave what they name; prompts come in two languages."""
    whole = len(PairDataset(finished.folder))
    assert whole == sum(len(PairDataset(finished.folder, split=split)) for split in ("train", "test"))
    noise = PairDataset(finished.folder, tasks=["noise"], language="zh", filters=[("stratum", "<", 4)])
    assert {(noise[at]["task"], noise[at]["stratum"] < 4) for at in range(len(noise))} == {("noise", True)}
    assert not noise[0]["prompt"].isascii()


def test_both_sides_and_layers_are_cut_mirrored_and_turned_alike(coded):
    """Of every pair in five epochs degraded is the negative of clean, and the layer holds clean's own coordinates."""
    pairs = PairDataset(coded, augment=Augment(crop=(20, 24), flip=True, rotate=True), layers=["depth"], filters=[("layers", "has", "depth")])
    seen = set()
    for epoch in range(5):
        for number in range(len(pairs)):
            item = pairs[number, epoch]
            y, x, pair = item["clean"].int()
            assert item["clean"].shape == (3, 20, 24)
            assert torch.equal(item["degraded"], 255 - item["clean"])
            assert torch.equal(item["layers"]["depth"][0], (256 * y + x).float())
            assert pair.unique().tolist() == [int(item["severity"])]
            seen.add((number, int(y[0, 0]), int(x[0, 0]), int(y[1, 1]) - int(y[0, 0]), int(x[1, 1]) - int(x[0, 0])))
    assert len(seen) > 4 * len(pairs)


def test_draws_belong_to_seed_epoch_and_pair(coded):
    """The same pair is cut alike in another selection, and otherwise in another epoch or with another seed."""
    augment = Augment(crop=16, flip=True)
    pairs, few = PairDataset(coded, augment=augment, seed=4), PairDataset(coded, augment=augment, seed=4, tasks=["noise"])
    at = pairs.column("pair_id").tolist().index(few[1]["pair_id"])
    assert torch.equal(few[1, 7]["clean"], pairs[at, 7]["clean"])
    few.set_epoch(7)
    assert torch.equal(few[1]["clean"], pairs[at, 7]["clean"])
    assert not torch.equal(few[1, 8]["clean"], few[1, 7]["clean"])
    assert not torch.equal(PairDataset(coded, augment=augment, seed=5)[at, 7]["clean"], pairs[at, 7]["clean"])


def test_fractions_are_the_bytes_over_255(coded):
    """float32 tensors lie in 0..1, and hold the same picture."""
    whole, fractions = PairDataset(coded)[2], PairDataset(coded, dtype="float32")[2]
    assert fractions["clean"].dtype == torch.float32
    assert torch.equal((fractions["clean"] * 255).round().to(torch.uint8), whole["clean"])
    assert fractions["clean"].max() <= 1


def test_buckets_give_batches_of_one_size(coded):
    """Pairs of two shapes, cropped to two sizes, are batched apart; without buckets they keep their own sizes."""
    pairs = PairDataset(coded, augment=Augment(crop=Buckets(((32, 48), (48, 32)))))
    loader = torch.utils.data.DataLoader(pairs, batch_sampler=EpochSampler(pairs, 4))
    shapes = [tuple(batch["clean"].shape) for batch in loader]
    assert {shape[1:] for shape in shapes} == {(3, 32, 48), (3, 48, 32)}
    assert sum(shape[0] for shape in shapes) == len(pairs)
    assert PairDataset(coded).sizes == [(40, 48), (64, 36)]


def test_several_runs_are_one_dataset(coded, tmp_path):
    """Synthetic and real pairs stand side by side, each read from its own run."""
    real = coded_run.write(tmp_path / "real", [3], origin="real")
    pairs = PairDataset([coded, real])
    assert len(pairs) == 14
    assert [pairs[at]["origin"] for at in (10, 11)] == ["synthetic", "real"]
    assert pairs[12]["clean"][2, 0, 0] == 1


def test_what_is_not_there_is_an_error(finished, coded, tmp_path):
    """An unknown split, task, language or layer, a crop too large and an unfinished run say what to do."""
    for error, said, options in (
        (RunError, "it holds", {"split": "nothing"}),
        (RunError, "5 of 11 pairs have no layer", {"layers": ["depth"]}),
        (RunError, "did you mean `depth`", {"layers": ["dept"]}),
        (RunError, "smaller than every crop", {"augment": Augment(crop=50)}),
        (RecipeError, "did you mean `noise`", {"tasks": ["nois"]}),
        (RecipeError, "known: en, zh", {"language": "fr"}),
        (RecipeError, "float32", {"dtype": "float"}),
    ):
        with pytest.raises(error, match=said):
            PairDataset(coded, **options)
    with pytest.raises(RunError, match="layers: true"):
        PairDataset(finished.folder, layers=["depth"])
    with pytest.raises(RunError, match="patina build"):
        PairDataset(tmp_path)
    with pytest.raises(IndexError):
        PairDataset(coded)[10**6]


def test_a_damaged_shard_is_an_error(tmp_path):
    """A tar that was cut short, and one that is gone."""
    run = coded_run.write(tmp_path / "run", [2])
    tar = shards.tar_path(run, "train-00000")
    tar.write_bytes(tar.read_bytes()[:600])
    with pytest.raises(CorruptRun, match="cut short"):
        PairDataset(run)[1]
    tar.unlink()
    with pytest.raises(CorruptRun, match="is missing"):
        PairDataset(run)[0]


def test_only_so_many_shards_stay_open(coded, monkeypatch):
    """With room for one file, every pair of three shards is still read, and one file is open."""
    monkeypatch.setattr(open_shards, "OPEN_FILES", 1)
    pairs = PairDataset(coded)
    assert [int(pairs[at]["clean"][2, 0, 0]) for at in (10, 0, 6, 1)] == [10, 0, 6, 1]
    assert len(pairs._shards._files) == 1


def test_it_travels_to_workers(finished):
    """A pickled copy and DataLoader workers give the same pairs."""
    pairs = PairDataset(finished.folder, split="train")
    assert torch.equal(pickle.loads(pickle.dumps(pairs))[3]["degraded"], pairs[3]["degraded"])
    loader = torch.utils.data.DataLoader(pairs, batch_size=4, num_workers=2)
    loaded = [pair_id for batch in loader for pair_id in batch["pair_id"]]
    assert loaded == [pairs[at]["pair_id"] for at in range(len(pairs))]


def test_webdataset_opens_the_shards_as_they_are(finished):
    """The webdataset library finds both sides, the description and the prompt under one key."""
    webdataset = pytest.importorskip("webdataset", reason="pip install 'patina[train]'")
    shard = shards.committed(finished.folder)[0]
    samples = list(webdataset.WebDataset(str(shards.tar_path(finished.folder, shard)), shardshuffle=False))
    rows = [row for row in read_table(shards.rows_path(finished.folder, shard)).to_pylist() if row["verdict"] == "keep"]
    assert [sample["__key__"] for sample in samples] == [row["pair_id"] for row in rows]
    assert all(json.loads(sample["json"])["pair_id"] == sample["__key__"] for sample in samples)
    assert all({"clean.png", "txt"} < sample.keys() for sample in samples)


def test_a_tiny_network_learns_from_it(finished):
    """A few hundred weights, a few dozen steps on train pairs: the loss on them falls."""
    torch.manual_seed(0)
    pairs = PairDataset(finished.folder, split="train", tasks=["haze", "noise"], augment=Augment(crop=64))
    batch = torch.utils.data.default_collate([pairs[at] for at in range(min(12, len(pairs)))])
    degraded, clean = batch["degraded"].float() / 255, batch["clean"].float() / 255
    layers = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 3, 3, padding=1)]
    network = torch.nn.Sequential(*layers)
    torch.nn.init.zeros_(layers[-1].weight)
    torch.nn.init.zeros_(layers[-1].bias)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.mse_loss(degraded + network(degraded), clean)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
