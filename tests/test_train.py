"""The training script: aligned crops, honest scores, nothing trained on that is judged by, one table out."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs 'patina[train]'")
from safetensors.torch import load_file

from benchmarks.train import __main__ as script
from benchmarks.train import contest, network, scores, unseen
from benchmarks.train.crops import DARKEST, Crops
from benchmarks.train.learn import Budget, learn
from benchmarks.train.restore import MARGIN, TILE, restore
from benchmarks.train.table import IDENTITY, Judged, lines, markdown, verdict
from degrade.errors import RunError
from manifests.commit import read_table

torch.set_num_threads(1)  # as everywhere in the tests: two workers on two cores only wait for each other's threads


class Ramps:
    """Pairs whose degraded side is the clean one plus a constant: a fake dataset in which misalignment shows at once."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        clean = (torch.arange(40 * 48).reshape(1, 40, 48) * 7 + index * 13).remainder(200).expand(3, -1, -1).to(torch.uint8)
        return {"clean": clean, "degraded": clean + 31}


class Sorted(Ramps):
    """Pairs whose task can be read from the clean side: even ones are brighter."""

    def __getitem__(self, index: int) -> dict[str, object]:
        bright = index % 2 == 0
        side = torch.full((3, 40, 48), 200 if bright else 10, dtype=torch.uint8)
        return {"clean": side, "degraded": side, "task": "haze" if bright else "rain"}


def test_crops_of_both_sides_show_one_place():
    """Wherever a crop is cut and however it is turned, the sides differ by what the degradation did and nothing else."""
    degraded, clean = Crops(Ramps(), 16, 8, seed=1).at(3).sides
    assert torch.all(degraded.int() - clean.int() == 31)


def test_a_batch_is_a_function_of_seed_and_step():
    """Batches read in any order, from memory or not, are the same; another seed gives others."""
    one, other = Crops(Ramps(), 16, 4, seed=1), Crops(Ramps(), 16, 4, seed=1, memory_bytes=0)
    ahead = iter(one)
    assert torch.equal(next(ahead).sides, other.at(0).sides)
    assert torch.equal(next(ahead).sides, other.at(1).sides)
    assert torch.equal(other.at(0).sides, one.at(0).sides)
    assert not torch.equal(Crops(Ramps(), 16, 4, seed=2).at(0).sides, one.at(0).sides)
    ahead.close()


def test_a_crop_is_told_its_own_task_or_none():
    """Most crops come with the task of their pair, one in eight with none, and never with another's."""
    batch = Crops(Sorted(), 16, 400, seed=1, tasks=("blur", "haze", "rain")).at(0)
    bright = batch.sides[1, :, 0, 0, 0] == 200
    silent = batch.told.sum(1) == 0
    assert 25 < silent.sum() < 80
    assert torch.equal(batch.told[~silent].argmax(1), torch.where(bright, 1, 2)[~silent])
    assert set(batch.told.unique().tolist()) == {0.0, 1.0}


def test_half_of_the_crops_are_dimmed():
    """Both sides of a crop share one factor; half of the factors are 1, none brightens, none leaves nothing."""
    light = Crops(Ramps(), 16, 400, seed=1).at(0).light
    assert 150 < (light == 1.0).sum() < 250
    assert light.min() >= DARKEST
    assert light.max() == 1.0
    assert light.min() < 2 * DARKEST


def test_a_crop_larger_than_the_pairs_is_refused():
    """The message says which size would do."""
    with pytest.raises(RunError, match="48 x 40 px, smaller than the crop of 64"):
        Crops(Ramps(), 64, 1, seed=1).at(0)


def test_the_network_is_small_and_begins_as_the_identity():
    """A few hundred thousand weights, which at first change nothing and depend on the seed alone."""
    state = torch.random.get_rng_state()
    made = network.make(24, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert 200_000 < network.weights_of(made) < 900_000
    x = torch.rand(1, 3, 64, 40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(made(x), x)
    again = network.make(24, seed=1).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in made.state_dict().items())


def shaken(made: network.Restorer) -> network.Restorer:
    """Return a network none of whose parts is at zero any more."""
    with torch.no_grad():
        for at, (name, parameter) in enumerate(made.named_parameters()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(at))
            parameter.add_(noise if name.endswith("told") else 0.05 + 0.01 * noise)
    return made


def test_what_a_network_is_told_is_in_the_biases_of_its_file():
    """The weights of one task, opened by a plain network, give what the network gives when it is told that task; none: told nothing."""
    made, plain = shaken(network.make(8, seed=1, tasks=("noise", "rain"))), network.make(8, seed=0)
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    by_paper = dict(zip(network.published(plain), plain.state_dict(), strict=True))
    seen = []
    for task in ("noise", "rain", None):
        plain.load_state_dict({by_paper[name]: value for name, value in network.published(made, task).items()})
        seen.append(made(x, network.one_hot(task, made.tasks).expand(2, -1)))
        assert torch.allclose(plain(x), seen[-1], rtol=1e-4, atol=1e-4)
    assert torch.equal(seen[2], made(x))
    assert (seen[0] - seen[1]).abs().mean() > 0.01
    assert (seen[0] - seen[2]).abs().mean() > 0.01


def test_every_weight_learns():
    """No part of the network is cut off from the loss, once the last layer has left zero."""
    made = shaken(network.make(8, seed=1, tasks=("noise",)))
    made(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.ones(1, 1)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in made.parameters())


@pytest.mark.parametrize("shape", [(17, 18), (64, 300), (TILE, TILE + 1)])
def test_tiles_join_without_a_seam(shape):
    """A local filter in tiles gives what it gives on the whole picture, at any size."""
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    blur = torch.nn.AvgPool2d(2 * MARGIN + 1, 1, MARGIN, count_include_pad=False)
    inside = (slice(MARGIN, -MARGIN),) * 2 if min(shape) > 2 * MARGIN else (slice(0, 0),) * 2
    whole = blur(torch.from_numpy(picture).permute(2, 0, 1)[None].float()).round()[0].permute(1, 2, 0).numpy()
    assert np.abs(restore(blur, picture, "cpu")[inside].astype(int) - whole[inside].astype(int)).max(initial=0) <= 1
    assert np.array_equal(restore(torch.nn.Identity(), picture, "cpu"), picture)


def test_ssim_is_that_of_the_paper(astronaut):
    """Our SSIM agrees with scikit-image's at the settings of the paper."""
    from skimage.metrics import structural_similarity

    noisy = np.clip(astronaut + np.random.default_rng(0).normal(0, 20, astronaut.shape), 0, 255).astype(np.uint8)
    theirs = structural_similarity(astronaut, noisy, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=2, data_range=255)
    assert scores.ssim(astronaut, noisy) == pytest.approx(theirs, abs=1e-6)
    assert scores.psnr_db(astronaut, astronaut) == scores.SAME_DB


def test_steps_and_seed_decide_the_weights():
    """Two trainings of equal length give equal weights, and take back some of what was done to the pictures."""
    ends = []
    for _ in range(2):
        made = network.make(4, seed=1)
        learned = learn(made, Crops(Ramps(), 16, 2, seed=1), Budget(steps=24), "cpu", tell=lambda _: None)
        ends.append(made.state_dict())
    assert learned.steps == 24
    assert np.mean(learned.loss[-5:]) < np.mean(learned.loss[:5]) - 0.1
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_minutes_end_when_every_pair_was_seen_often_enough():
    """A small run is not learnt by heart for as long as there is time; whoever asks for steps gets them."""
    made = network.make(4, seed=1)
    learned = learn(made, Crops(Ramps(), 16, 2, seed=1), Budget(minutes=5, most_steps=6), "cpu", tell=lambda _: None)
    assert learned.steps == 6
    assert Budget(steps=9, most_steps=6).done(6, 0.0) < 1.0
    assert Budget(minutes=1, most_steps=600).done(6, 45.0) == pytest.approx(0.75)


def test_no_training_is_no_minute_of_training():
    """A budget of nothing is used up at once; of minutes, when they have passed."""
    assert Budget(steps=0).done(0, 0.0) == Budget(minutes=0.0).done(0, 0.0) == 1.0
    assert Budget(steps=4).done(1, 999.0) == Budget(minutes=4.0).done(999, 60.0) == 0.25


@pytest.mark.parametrize("words", [["--steps", "0"], ["--steps", "-3"], ["--minutes", "0"], ["--minutes", "nan"], ["--minutes", "inf"], ["--steps", "many"]])
def test_a_training_of_no_length_is_refused(words, capsys):
    """The command line says so before anything is read."""
    with pytest.raises(SystemExit):
        script.options(["run", *words])
    assert f"argument {words[0]}: " in capsys.readouterr().err


def test_what_is_judged_by_is_never_trained_on(finished):
    """Photos that either run holds out are left out of the training of both."""
    held = unseen.held_out(finished.folder, "test")
    photos = {row["pair_id"]: row["photo_sha256"] for row in read_table(finished.manifest, ["pair_id", "photo_sha256"]).to_pylist()}
    another = next(photo for photo in photos.values() if photo not in held.photos)
    pairs = contest.for_training(finished.folder, "test", [*held.photos, another])
    trained = {photos[pairs[at]["pair_id"]] for at in range(len(pairs))}
    assert trained
    assert not trained & {*held.photos, another}


def test_one_task_alone(finished):
    """Training and judging may keep to a task; one that is not held out is refused with the nearest, and no held-out photo comes back."""
    held = unseen.held_out(finished.folder, "test", ["noise"])
    pairs = contest.for_training(finished.folder, "test", held.photos, ["noise"])
    assert {pairs[at]["task"] for at in range(len(pairs))} == {"noise"}
    assert held == (["noise"], unseen.held_out(finished.folder, "test").photos)
    with pytest.raises(RunError, match=r"no pair of `nois`.*noise"):
        unseen.held_out(finished.folder, "test", ["nois"])


def test_two_runs_in_one_table_out(finished, tmp_path, capsys):
    """The script trains on two runs, judges both and the identity on held-out pairs by task and on real pairs, and writes it all down."""
    copy = tmp_path / "other"
    shutil.copytree(finished.folder, copy)
    real = tmp_path / "real"
    for side, value in (("clean", 90), ("degraded", 100)):
        (real / side).mkdir(parents=True)
        for name in ("a.png", "b.png"):
            cv2.imwrite(str(real / side / name), np.full((30, 44, 3), value, np.uint8))
    words = [str(finished.folder), "--compare", str(copy), "--eval", str(real), "--out", str(tmp_path / "out"), "--steps", "2", "--held", "1"]
    script.main([*words, "--crop", "32", "--batch", "2", "--width", "8"])
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    assert table["length"] == "--steps 2"
    told = {(line["test"], line["group"]) for line in table["lines"]}
    tasks = set(unseen.held_out(finished.folder, "test").tasks)
    assert {("run, test", task) for task in tasks} | {("other, test", task) for task in tasks} | {("real", "real")} <= told
    assert {line["by"] for line in table["lines"]} == {IDENTITY, "run", "other"}
    assert [line["scores"]["psnr_db"] for line in table["lines"] if (line["test"], line["by"]) == ("real", IDENTITY)] == [pytest.approx(28.13, abs=0.01)]
    assert (tmp_path / "out" / "table.md").read_text() in capsys.readouterr().out
    assert sum(value.numel() for value in load_file(tmp_path / "out" / "run.safetensors").values()) == network.weights_of(network.make(8, 0))
    assert {path.name for path in (tmp_path / "out").glob("other.*.safetensors")} == {f"other.{task}.safetensors" for task in unseen.tasks_of(copy)}
    assert [line["gains"]["l1"] for line in table["lines"] if (line["test"], line["by"]) == ("real", IDENTITY)] == [{"mean": 0.0, "error": 0.0}]
    assert cv2.imread(str(tmp_path / "out" / "restored.png")) is not None


def two_pairs(photo_of_b: str) -> list[Judged]:
    """Return two pairs, of one photo or of two, with gains of 1 and 3 dB."""
    told = (("a", IDENTITY, 20.0, 9.0), ("a", "net", 21.0, 8.0), ("b", IDENTITY, 30.0, 4.0), ("b", "net", 33.0, 2.0))
    return [Judged("t", "noise", name, photo_of_b if name == "b" else "a", by, {"l1": l1, "psnr_db": psnr}) for name, by, psnr, l1 in told]


def test_the_gain_is_told_with_its_error():
    """Gains of 1 and 3 dB are 2 +- 1 on average; the best PSNR is bold; the loss before and after is told in a sentence."""
    table = lines(two_pairs("b"))
    assert "| noise | 2 | 2 | net | 5.00 | -1.50 ± 0.50 | **27.00** | +2.00 ± 1.00 |" in markdown(table)
    assert verdict(table) == "t, net: loss (L1) 6.50 -> 5.00 (-1.50 ± 0.50), PSNR +2.00 ± 1.00 dB; errors over 2 photos"


def test_pairs_of_one_photo_are_one_draw():
    """One photo alone says nothing of others, however many pairs it has; ten equal pairs of each of two photos say no more than one of each."""
    assert "| noise | 2 | 1 | net | 5.00 | -1.50 | **27.00** | +2.00 |" in markdown(lines(two_pairs("a")))
    error = lines(10 * two_pairs("b"))[1].gains["psnr_db"].error
    assert error == pytest.approx(lines(two_pairs("b"))[1].gains["psnr_db"].error)


def test_a_run_without_the_split_says_what_to_do(finished):
    """The message names the splits that there are, and how to get one."""
    with pytest.raises(RunError, match=r"`val` \(it has: test, train\).*split: \{train: 0.8, test: 0.2\}"):
        unseen.held_out(finished.folder, "val")


def test_a_real_picture_without_partner_is_named(tmp_path):
    """A folder of real pairs must be complete."""
    for name in ("clean/a.png", "clean/b.png", "degraded/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(RunError, match="b has no partner"):
        next(unseen.of_folder(tmp_path))


def test_real_pictures_of_one_name_are_told(tmp_path):
    """Pairs go by names without the endings, so two files of one side must not share theirs; those of a pair may differ."""
    for name in ("clean/a.png", "clean/b.jpg", "degraded/a.jpg", "degraded/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((20, 20, 3), ord(name[-5]), np.uint8))
    assert [pair.name for pair in unseen.of_folder(tmp_path)] == ["a", "b"]
    cv2.imwrite(str(tmp_path / "degraded" / "a.png"), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(RunError, match=r"a\.jpg and .*a\.png have one name"):
        next(unseen.of_folder(tmp_path))
