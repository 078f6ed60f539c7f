"""Severities by a tiny checkpoint through the real loading path."""

from __future__ import annotations

import shutil
import socket

import numpy as np
import pytest
from tiny_qwen import saved, scorer

import degrade
from degrade.errors import BadSample, MissingModel, Reason, RecipeError
from filters import batches, severity
from filters.contract import Pair, Photo
from filters.vlm import digits
from filters.vlm.backend import Question


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory)


@pytest.fixture(scope="module")
def tiny(folder):
    return scorer(folder)


def pair(photo, task, shape=None):
    """A pair whose degraded side is darker, of any size."""
    clean = photo if shape is None else np.ascontiguousarray(photo[: shape[0], : shape[1]])
    return Pair(f"{task} {clean.shape}", task, Photo("clean", clean), Photo("degraded", clean // 3))


@pytest.fixture(scope="module")
def pairs(astronaut, rocket):
    shapes = ((300, 400), (200, 300), (96, 64))
    return [pair(photo, task, shape) for photo, task in ((astronaut, "haze"), (rocket, "low_light")) for shape in shapes]


def numbers(found):
    return [dict(one.numbers) for one in found]


def test_a_pair_gets_every_measure_of_pairs(tiny, astronaut):
    """Both sides are scored by the pair's own task, and the drop is their difference."""
    [told] = numbers(tiny.score([tiny.prepare(pair(astronaut, "haze"))]))
    named = {measure.name for measure in severity.FILTER.measures if not measure.name.startswith(("photo", "{task}"))}
    assert set(told) == named
    assert told["drop"] == told["degraded"] - told["clean"] != 0
    assert told["drop_likeliest"] == told["degraded_likeliest"] - told["clean_likeliest"]
    for measure in severity.FILTER.measures:
        assert measure.range[0] <= told.get(measure.name, measure.range[0]) <= measure.range[1]


def test_a_batch_gives_what_each_gives_alone_in_any_order(tiny, pairs):
    """Pictures of other sizes beside it, and the order, move no number by more than 1e-4."""
    prepared = [tiny.prepare(one) for one in pairs]
    alone = [tiny.score([one])[0].numbers for one in prepared]
    for found in (numbers(tiny.score(prepared)), numbers(tiny.score(prepared[::-1]))[::-1]):
        for told, single in zip(found, alone, strict=True):
            assert told == pytest.approx(single, abs=1e-4)
    assert len({round(told["degraded"], 6) for told in alone}) == len(pairs)  # the pictures matter


def test_the_checkpoint_opens_without_a_network(folder, astronaut, monkeypatch):
    """Loading and scoring open no socket."""

    def refuse(*_args: object):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    opened = scorer(folder)
    assert opened.maker == f"{folder}, float32"
    assert opened.score([opened.prepare(Photo("a", astronaut, task="rain"))])


def test_digits_are_those_of_the_whole_softmax(tiny, astronaut):
    """What is read off equals the model's own logits at the last place."""
    import torch

    local = tiny._backend
    questions = tiny.prepare(Photo("a", astronaut, task="noise")).looks[0].questions
    with torch.inference_mode():
        logits = local.model(**local.inputs(questions), logits_to_keep=1).logits[:, -1]
    ids = [local.processor.tokenizer.convert_tokens_to_ids(digit) for digit in "12345"]
    assert np.allclose(local.digits(questions), logits.log_softmax(-1)[:, ids].numpy(), atol=1e-5)


def test_a_preface_is_where_the_answer_goes_on(tiny, astronaut):
    """With a preface the last tokens that the model reads are the preface, and questions without one may stand beside it."""
    local = tiny._backend
    plain = Question((astronaut[:64, :64],), "How strong is the haze?")
    begun = plain._replace(preface="Severity: ")
    assert local.processor.tokenizer.decode(local.inputs([begun])["input_ids"][0]).endswith("assistant\nSeverity: ")
    mixed, single = local.digits([begun, plain, begun]), local.digits([begun])[0]
    assert np.allclose(mixed[0], single, atol=1e-5)
    assert not np.allclose(mixed[1], single, atol=1e-3)


def test_half_precision_does_not_round_the_digits(folder, astronaut):
    """Where all logits are near 20, as in large models, bfloat16 would round them to eighths: severities keep to 0.001 of exact arithmetic."""
    import torch

    local = scorer(folder)._backend
    local.model.to(torch.bfloat16)
    questions = [Question((np.roll(astronaut, shift, 1)[:96, :96],), "How strong is the haze? One digit.") for shift in range(0, 400, 50)]
    head = local.model.get_output_embeddings()
    with torch.inference_mode():
        last = local.model.base_model(**local.inputs(questions)).last_hidden_state[:, -1]
        head.weight += 20 * last.mean(0) / last.mean(0).norm() ** 2
        exact, rough = last.double() @ head.weight.double().T, head(last).double()
    ids = [local.processor.tokenizer.convert_tokens_to_ids(digit) for digit in "12345"]
    assert 15 < exact[:, ids].mean() < 25
    answers = (local.digits(questions), *(np.asarray(logits.log_softmax(-1)[:, ids]) for logits in (exact, rough)))
    ours, true, plain = ([digits.read([row], [5]).severity for row in rows] for rows in answers)
    assert ours == pytest.approx(true, abs=1e-3)
    assert plain != pytest.approx(true, abs=1e-2)


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu(folder, tiny, pairs):
    """On a GPU the model is in bfloat16, and severities are within 0.05 of float32."""
    opened = severity.open_scorer(severity.SeveritySettings(model=str(folder)), "cuda")
    prepared = [tiny.prepare(one) for one in pairs]
    for told, exact in zip(opened.score(prepared), tiny.score(prepared), strict=True):
        assert told.numbers["degraded"] == pytest.approx(exact.numbers["degraded"], abs=0.05)


def test_own_wordings_replace_the_presets(folder, astronaut):
    """A recipe's own sentences are asked, with the task in its place, and a scale of quality is turned."""
    wording = {"text": "Rate the {task}; 5 is best.", "preface": "Score: "}
    asked = {worst: scorer(folder, wordings=[{**wording, "worst": worst}], prompt="realir_bench") for worst in (1, 5)}
    photo = Photo("a", astronaut, task="low_light")
    assert asked[1].prepare(photo).looks[0].questions[0].text == "Rate the low light; 5 is best."
    quality, badness = (dict(one.score([one.prepare(photo)])[0].numbers) for one in asked.values())
    assert quality["photo"] == pytest.approx(6 - badness["photo"])


def test_photos_are_asked_about_their_task_and_those_of_the_settings(folder, astronaut):
    """A photo's own task and each of the settings get a number; with neither, the recipe is refused."""
    asked = scorer(folder, tasks=["haze", "rain"])
    prepared = asked.prepare(Photo("a", astronaut, task="haze"))
    [told] = numbers(asked.score([prepared]))
    assert len(prepared.looks) == 2  # haze is asked about once
    assert told["photo"] == told["haze"]
    assert told["rain"] != told["haze"]
    with pytest.raises(RecipeError, match=r"severity\.tasks"):
        scorer(folder).prepare(Photo("a", astronaut))


def test_crops_of_a_pair_lie_at_the_same_place(tiny, astronaut):
    """For noise in a large photo both sides show the frame and the same two squares at full resolution."""
    large = np.tile(astronaut, (3, 3, 1))
    clean = large // 2
    sides = tiny.prepare(Pair("a", "noise", Photo("c", clean), Photo("d", large))).looks
    shown = [look.questions[0].images for look in sides]
    assert [[image.shape for image in images] for images in shown] == [[(768, 768, 3), (448, 448, 3), (448, 448, 3)]] * 2
    for degraded, other in zip(shown[0][1:], shown[1][1:], strict=True):
        assert np.array_equal(degraded // 2, other)
    assert "parts of the same photo" in sides[0].questions[0].text
    assert len(tiny.prepare(Pair("a", "haze", Photo("c", clean), Photo("d", large))).looks[0].questions[0].images) == 1


def test_random_weights_abstain(tiny, astronaut):
    """A model that would rather say something else than a digit abstains, and the limit decides."""
    prepared = tiny.prepare(pair(astronaut, "haze"))
    [told] = tiny.score([prepared])
    assert told.numbers["answered"] < 0.5
    assert told.numbers["abstain"] == 1
    lenient = severity.SeverityScorer(severity.SeveritySettings(least_answered=0, most_entropy=severity.MOST_ENTROPY), tiny._backend)
    assert lenient.score([prepared])[0].numbers["abstain"] == 0


@pytest.mark.parametrize(("shape", "reason"), [((20, 300), Reason.TOO_SMALL), ((32, 900), Reason.EXTREME_ASPECT)])
def test_what_cannot_be_looked_at_is_named(tiny, shape, reason):
    """A photo too small or too thin for the model becomes a row with a reason, the others get their numbers."""
    with pytest.raises(BadSample) as refusal:
        tiny.prepare(Photo("a", np.zeros((*shape, 3), np.uint8), task="blur"))
    assert refusal.value.reason is reason


class Full:
    """A backend whose GPU holds two questions and no more."""

    maker = "full"

    def __init__(self, inner) -> None:
        self.inner, self.sizes = inner, []

    def digits(self, questions):
        import torch

        if len(questions) > 4:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        self.sizes.append(len(questions))
        return self.inner.digits(questions)


def test_out_of_memory_is_left_to_the_engine(tiny, pairs):
    """The error passes through the scorer, and the engine's halves give the same numbers."""
    import torch

    narrow = severity.SeverityScorer(severity.SeveritySettings(), Full(tiny._backend))
    prepared = [narrow.prepare(one) for one in pairs[:4]]
    with pytest.raises(torch.cuda.OutOfMemoryError):
        narrow.score(prepared)
    halved = batches.score(narrow, prepared)
    for told, whole in zip(halved, tiny.score(prepared), strict=True):
        assert told.numbers == pytest.approx(whole.numbers, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("qwen3_vl_8c", "qwen3_vl_8b"),
        ("Qwen/Qwen3-VL-8B-Instruct", "hf download Qwen/Qwen3-VL-8B-Instruct --revision 0c351dd01ed87e9c1b53cbc748cba10e6187ff3b"),
        ("qwen3_vl_4b@0123abc", "hf download Qwen/Qwen3-VL-4B-Instruct --revision 0123abc"),
    ],
)
def test_a_missing_model_names_the_command(name, says, tmp_path, monkeypatch):
    """What is not on this machine is asked for with its pinned revision, and no network is tried."""
    pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingModel, match=says):
        severity.open_scorer(severity.SeveritySettings(model=name), "cpu")


def test_a_wrong_folder_is_named(tmp_path):
    """A folder without a checkpoint is refused with its name."""
    pytest.importorskip("transformers")
    with pytest.raises(MissingModel, match=str(tmp_path)):
        severity.open_scorer(severity.SeveritySettings(model=str(tmp_path)), "cpu")


def test_a_torn_checkpoint_is_refused(folder, tmp_path):
    """Weights that are missing are never filled with random ones."""
    import safetensors.torch

    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    weights = safetensors.torch.load_file(torn / "model.safetensors")
    dropped = weights.pop("model.language_model.layers.1.mlp.up_proj.weight")
    safetensors.torch.save_file(weights, torn / "model.safetensors", {"format": "pt"})
    assert dropped.numel()
    with pytest.raises(MissingModel, match="not whole: 1 weights are missing"):
        severity.open_scorer(severity.SeveritySettings(model=str(torn)), "cpu")


def test_tied_weights_are_whole(tmp_path_factory):
    """A checkpoint whose output layer is its embedding, as the small ones of the family, lacks nothing."""
    assert scorer(saved(tmp_path_factory, tied=True)).maker


def test_digits_must_be_single_tokens():
    """A tokenizer that splits digits is refused before anything is scored."""
    from filters.vlm.local import answer_ids

    class Splits:
        unk_token_id = None

        def encode(self, text, *, add_special_tokens):
            return [1, ord(text[-1])] if text[-1] == "3" else [ord(text[-1])] if len(text) == 1 else [2, 3]

    with pytest.raises(MissingModel, match="no single token for `3`"):
        answer_ids(Splits(), "some model")


def test_settings_refuse_unknown_tasks():
    """A task without words is refused with the nearest that has some."""
    with pytest.raises(ValueError, match="did you mean `haze`"):
        severity.SeveritySettings(tasks=("hazy",))


def test_every_task_can_be_asked_about(tiny, astronaut):
    """All names of the catalogue have words."""
    for name in degrade.NAMES:
        assert tiny.prepare(Photo("a", astronaut, task=name)).looks
