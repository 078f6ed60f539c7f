"""A trainer reads a run: one pread per picture, torch tensors, and the shards as they are."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from degrade.errors import RunError
from manifests import PairDataset, shards
from manifests.commit import read_table

torch = pytest.importorskip("torch", reason="pip install 'patina[train]'")


def test_an_item_is_a_pair_with_its_story(finished):
    """Two uint8 tensors of one size, the prompt, the task and the severity."""
    item = PairDataset(finished.folder)[0]
    assert item["clean"].shape == item["degraded"].shape == (3, 128, 128)
    assert item["clean"].dtype == item["degraded"].dtype == torch.uint8
    assert item["prompt"].endswith(".")
    assert item["task"] in {"compression", "haze", "noise"}
    assert item["stratum"] in range(1, 6)
    assert not torch.equal(item["clean"], item["degraded"])


def test_every_kept_pair_is_read_and_no_other(finished):
    """The dataset holds the manifest's kept pairs, and its pixels are those of the stored members."""
    import cv2

    rows = [row for row in read_table(finished.manifest).to_pylist() if row["verdict"] == "keep"]
    pairs = PairDataset(finished.folder)
    assert [pairs[at]["pair_id"] for at in range(len(pairs))] == [row["pair_id"] for row in rows]
    for at in (0, len(rows) - 1):
        data = shards.tar_path(finished.folder, rows[at]["shard"]).read_bytes()
        member = data[rows[at]["clean_offset"] :][: rows[at]["clean_length"]]
        assert np.array_equal(pairs[at]["clean"].numpy().transpose(1, 2, 0), cv2.imdecode(np.frombuffer(member, np.uint8), cv2.IMREAD_COLOR_RGB))


def test_splits_tasks_and_language_are_choices(finished):
    """Filters leave what they name; prompts come in two languages."""
    whole = len(PairDataset(finished.folder))
    assert whole == sum(len(PairDataset(finished.folder, split=split)) for split in ("train", "test"))
    noise = PairDataset(finished.folder, tasks=["noise"], language="zh")
    assert {noise[at]["task"] for at in range(len(noise))} == {"noise"}
    assert not noise[0]["prompt"].isascii()


def test_what_is_not_there_is_an_error(finished, tmp_path):
    """An unknown split and an unfinished run say what to do."""
    with pytest.raises(RunError, match="it holds"):
        PairDataset(finished.folder, split="nothing")
    with pytest.raises(RunError, match="patina build"):
        PairDataset(tmp_path)
    with pytest.raises(IndexError):
        PairDataset(finished.folder)[10**6]


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
    pairs = PairDataset(finished.folder, split="train", tasks=["haze", "noise"])
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
