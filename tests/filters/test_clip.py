"""The CLIP filter through a real checkpoint's loading path, without a network connection."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("open_clip", reason="pip install 'patina[clip]'")

import tiny_clip

from filters.clip import FILTER, ClipSettings
from filters.contract import Pair, Photo
from filters.language.prompts import ANTONYMS, TAGS, TASKS


def refuse(*_args: object) -> None:
    """Stand where a connection would be made."""
    raise AssertionError("the scorer reached for the network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny checkpoint."""
    return tiny_clip.save(tmp_path_factory.mktemp("clip") / "tiny")


@pytest.fixture(scope="module")
def scorer(folder):
    """The filter, opened on it with sockets blocked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        return FILTER.open(ClipSettings(model=str(folder)), "cpu")


@pytest.fixture(scope="module")
def items(astronaut, rocket):
    """Photos and pairs of several sizes and tasks."""
    night = (rocket * 0.3).astype(np.uint8)
    grain = np.clip(astronaut + np.random.default_rng(0).normal(0, 40, astronaut.shape), 0, 255).astype(np.uint8)
    return [
        Photo("astronaut", astronaut),
        Pair("night", "low_light", Photo("a", rocket), Photo("b", night)),
        Photo("small", rocket[:30, :50]),
        Pair("grain", "noise", Photo("a", astronaut), Photo("b", grain)),
        Photo("gathered", grain, task="noise"),
        Pair("upload", "web", Photo("a", astronaut), Photo("b", grain)),
    ]


@pytest.fixture(scope="module")
def scores(scorer, items):
    """All of them, scored at once."""
    return dict(zip([item.key + item.task for item in items], scorer.score([scorer.prepare(item) for item in items]), strict=True))


def distance(one, other) -> float:
    """The largest difference of two items' numbers and vectors."""
    assert one.numbers.keys() == other.numbers.keys()
    assert one.vectors.keys() == other.vectors.keys()
    numbers = max(abs(one.numbers[name] - other.numbers[name]) for name in one.numbers)
    return max(numbers, *(np.abs(one.vectors[name] - other.vectors[name]).max() for name in one.vectors))


def test_a_photo_is_asked_about_everything(scores):
    """A photo gets p and margin of all nine tasks, its tags, and the plainest task in words."""
    numbers, texts = scores["astronaut"].numbers, scores["astronaut"].texts
    assert {f"{name}.{task}" for name in ("p", "margin", "frame", "tiles", "tiles_max") for task in TASKS} <= set(numbers)
    assert {f"tag.{tag}" for tag in TAGS} <= set(numbers)
    assert texts["task"] == max(TASKS, key=lambda task: numbers[f"margin.{task}"])
    assert texts["tags"] == ",".join(tag for tag in TAGS if numbers[f"tag.{tag}"] >= 0.6)
    assert all(numbers[f"p.{told.partition('=')[0]}"] >= 0.5 for told in texts["others"].split(",") if told)


def test_a_task_is_told_from_the_views_that_show_it(scores):
    """Haze is read off the frame, noise off the tiles, moire off the worst tile; blur lies between frame and tiles."""
    numbers = scores["astronaut"].numbers
    assert numbers["p.haze"] == numbers["frame.haze"]
    assert numbers["p.noise"] == numbers["tiles.noise"] != numbers["frame.noise"]
    assert numbers["p.moire"] == numbers["tiles_max.moire"] >= numbers["tiles.moire"]
    low, high = sorted((numbers["frame.blur"], numbers["tiles.blur"]))
    assert low < numbers["p.blur"] < high


def test_a_pair_answers_for_its_claim(scores):
    """A pair's gain is its claim less the clean side's, and its sides are those of the photos alone."""
    pair, photo = scores["grainnoise"], scores["astronaut"]
    assert pair.numbers["gain"] == pair.numbers["claim"] - pair.numbers["clean_claim"]
    assert pair.numbers["clean_claim"] == pytest.approx(photo.numbers["p.noise"], abs=1e-5)
    assert pair.numbers["clean_worst"] == pytest.approx(max(photo.numbers[f"p.{task}"] for task in TASKS), abs=1e-5)
    assert pair.vectors["image"] == pytest.approx(photo.vectors["image"], abs=1e-5)
    assert pair.numbers["likeness"] == pytest.approx(float(pair.vectors["image"] @ pair.vectors["degraded"]), abs=1e-6)


def test_the_numbers_are_those_of_open_clips_own_pipeline(folder, scorer, rocket):
    """A photo of the checkpoint's size, put through open_clip's transform, encoders and softmax, gets the same p."""
    import open_clip
    import torch
    from PIL import Image

    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    read = open_clip.get_tokenizer(f"local-dir:{folder}")
    photo = np.ascontiguousarray(rocket[: tiny_clip.SIDE, : tiny_clip.SIDE])
    numbers = scorer.score([scorer.prepare(Photo("small", photo))])[0].numbers
    with torch.inference_mode():
        image = model.encode_image(transform(Image.fromarray(photo))[None], normalize=True)
        for task, sayings in ANTONYMS.items():
            sides = torch.stack([model.encode_text(read(list(side)), normalize=True).mean(0) for side in sayings])
            similar = model.logit_scale.exp() * image @ torch.nn.functional.normalize(sides, dim=-1).T
            assert numbers[f"frame.{task}"] == pytest.approx(similar.softmax(-1)[0, 0].item(), abs=1e-5)


def test_the_batch_does_not_matter(scorer, items, scores):
    """Alone, in pairs, and in reverse, every item scores the same to 1e-5."""
    for batches in ([[item] for item in items], [items[:2], items[2:5], items[5:]], [items[::-1]]):
        for batch in batches:
            for item, found in zip(batch, scorer.score([scorer.prepare(item) for item in batch]), strict=True):
                assert distance(found, scores[item.key + item.task]) < 1e-5


def test_views_are_prepared_by_many_threads(scorer, items):
    """Threads that prepare at once make the same views as one."""
    with ThreadPoolExecutor(8) as threads:
        for seen, item in zip(threads.map(scorer.prepare, items * 3), items * 3, strict=True):
            for side, expected in zip(seen.sides, scorer.prepare(item).sides, strict=True):
                assert (side == expected).all()


def test_the_tiles_of_a_pair_stand_at_the_same_places(scorer, folder, rocket):
    """Both sides are cut alike, at places chosen on the clean one."""
    detailed = FILTER.open(ClipSettings(model=str(folder), pick="detailed", tiles=3), "cpu")
    plain = np.zeros_like(rocket)
    alone = detailed.prepare(Photo("a", rocket)).sides[0]
    clean, degraded = detailed.prepare(Pair("dark", "low_light", Photo("a", rocket), Photo("b", rocket // 4))).sides
    assert (clean == alone).all()
    assert (clean[1:] // 4 == degraded[1:]).all()
    assert (detailed.prepare(Pair("lost", "haze", Photo("a", rocket), Photo("b", plain))).sides[0] == alone).all()


def test_views_do_not_keep_their_photo(scorer, rocket):
    """What waits for its turn holds its own pixels, not a large photo."""
    photo = rocket.copy()
    seen = scorer.prepare(Photo("large", photo))
    assert not np.shares_memory(seen.sides[0], photo)
    assert seen.sides[0].base is None


def test_a_task_without_a_saying_makes_no_claim(scores):
    """The web tail is a mixture: its pairs have no claim, and are still looked at."""
    assert "claim" not in scores["uploadweb"].numbers
    assert "clean_worst" in scores["uploadweb"].numbers


def test_a_gathered_photo_answers_for_its_task(scores):
    """A photo that was gathered for noise says how much of it shows."""
    numbers = scores["gatherednoise"].numbers
    assert (numbers["claim"], numbers["claim_margin"]) == (numbers["p.noise"], numbers["margin.noise"])
    assert numbers["claim"] != pytest.approx(scores["grainnoise"].numbers["clean_claim"], abs=1e-3)


def test_vectors_have_length_one(scores):
    """Embeddings are float32 of length 1, of either side."""
    for found in scores.values():
        for vector in found.vectors.values():
            assert vector.dtype == np.float32
            assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert set(scores["nightlow_light"].vectors) == {"image", "degraded"}


def test_every_number_is_declared(scores):
    """The measures of the table are those that come out, inside their ranges."""
    known = {measure.name.format(task=task): measure for measure in FILTER.measures for task in TASKS}
    for found in scores.values():
        for name, value in found.numbers.items():
            assert known[name].range[0] - 1e-6 <= value <= known[name].range[1] + 1e-6
    assert {name for found in scores.values() for name in found.numbers} == set(known)


def test_realrestorers_prompts_are_a_preset(folder, items):
    """With the paper's six sayings, the frame alone and no tags, six tasks are told and noise makes no claim."""
    six = FILTER.open(ClipSettings(model=str(folder), preset="realrestorer", tiles=0, tags=False), "cpu")
    photo, _, _, noise = six.score([six.prepare(item) for item in items[:4]])
    assert {name for name in photo.numbers if name.startswith("p.")} == {f"p.{task}" for task in ("flare", "haze", "rain", "low_light", "blur", "reflection")}
    assert not [name for name in photo.numbers if name.startswith(("tiles", "tag"))]
    assert "claim" not in noise.numbers
    assert "tags" not in photo.texts


@pytest.mark.gpu
def test_a_gpu_says_the_same(folder, items, scores):
    """In bfloat16 the vectors stay those of the CPU, and the batch still does not matter."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gpu = FILTER.open(ClipSettings(model=str(folder)), "cuda")
    together = gpu.score([gpu.prepare(item) for item in items])
    for item, found in zip(items, together, strict=True):
        for name, vector in scores[item.key + item.task].vectors.items():
            assert float(vector @ found.vectors[name]) > 0.999
        assert distance(gpu.score([gpu.prepare(item)])[0], found) < 1e-3
