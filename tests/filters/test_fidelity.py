"""Fidelity as a scorer: what it sees, that batches and order do not matter, and what it says of what is missing."""

from __future__ import annotations

import socket

import cv2
import numpy as np
import pytest
from pydantic import ValidationError
from tiny_dino import backbone, tiny_dino

from degrade.contract import Srgb
from degrade.errors import BadSample, MissingModel, Reason
from filters.contract import Pair, Photo
from filters.fidelity import FILTER, Fidelity, FidelitySettings

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lpips")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> FidelitySettings:
    """Settings that name tiny checkpoints."""
    folder = tmp_path_factory.mktemp("tiny")
    return FidelitySettings(lpips_weights=str(backbone(folder / "alex.pth")), lpips_px=160, dino=str(tiny_dino(folder / "dino")), dino_px=112)


@pytest.fixture(scope="module")
def scorer(settings) -> Fidelity:
    """The scorer on tiny checkpoints, on the CPU."""
    return FILTER.open(settings, "cpu")


def pair(clean: Srgb, degraded: Srgb) -> Pair:
    return Pair("key", "blur", Photo("clean", clean), Photo("degraded", degraded))


def repainted(photo: Srgb, side_px: int) -> Srgb:
    """Return a photo whose middle is painted over with its upper left corner."""
    out, start = photo.copy(), (photo.shape[0] - side_px) // 2
    out[start : start + side_px, start : start + side_px] = photo[:side_px, :side_px]
    return out


def numbers(scorer: Fidelity, *pairs: Pair) -> list[dict[str, float]]:
    return [dict(scores.numbers) for scores in scorer.score([scorer.prepare(one) for one in pairs])]


def test_equal_sides_are_at_no_distance(scorer, astronaut):
    """A pair of one photo has LPIPS 0 and cosines of 1."""
    (found,) = numbers(scorer, pair(astronaut, astronaut))
    assert found == pytest.approx({"lpips": 0, "lpips_worst": 0, "dino": 1, "dino_worst": 1, "dino_cls": 1}, abs=1e-5)


def test_every_number_is_announced(scorer, astronaut):
    """Each number has a measure that states its unit and range, and lies within it."""
    measures = {measure.name: measure for measure in FILTER.measures}
    (found,) = numbers(scorer, pair(astronaut, 255 - astronaut))
    assert all(measures[name].range[0] <= number <= measures[name].range[1] for name, number in found.items())
    assert FILTER.on == ("pairs",)


def test_a_repainted_patch_shows_in_the_worst_tile(settings, astronaut):
    """A patch of 1.6 % of the photo that shows another place moves LPIPS' worst tile more than twice as far as its mean."""
    scorer = Fidelity(settings.model_copy(update={"dino": "none", "lpips_px": None}), "cpu")
    (found,) = numbers(scorer, pair(astronaut, repainted(astronaut, 64)))
    assert found["lpips_worst"] > 2 * found["lpips"] > 0


def test_a_rewritten_region_shows_in_the_worst_patches(scorer, astronaut):
    """A region of 14 % of the photo that shows another place moves the 5th percentile of the patches more than twice as far as their mean."""
    (found,) = numbers(scorer, pair(astronaut, repainted(astronaut, 192)))
    assert 1 - found["dino_worst"] > 2 * (1 - found["dino"]) > 0


def test_blur_moves_the_distance_with_its_radius(scorer, astronaut):
    """The more one side is blurred, the farther the sides are apart, by LPIPS and by patches."""
    found = numbers(scorer, *(pair(astronaut, cv2.GaussianBlur(astronaut, (0, 0), sigma)) for sigma in (2, 6, 14)))
    distances, alike = [one["lpips"] for one in found], [one["dino"] for one in found]
    assert distances == sorted(distances)
    assert alike == sorted(alike, reverse=True)


def test_batch_and_order_do_not_matter(scorer, astronaut, rocket):
    """A mixed batch, its reverse and single calls give the same numbers within 1e-5, and single calls the same bits."""
    pairs = [pair(photo, cv2.GaussianBlur(photo, (0, 0), sigma)) for photo, sigma in ((astronaut, 2), (rocket, 3), (astronaut, 5), (rocket[:, :400], 1))]
    alone = [numbers(scorer, one)[0] for one in pairs]
    assert alone == [numbers(scorer, one)[0] for one in pairs]
    for found in (numbers(scorer, *pairs), numbers(scorer, *pairs[::-1])[::-1]):
        assert all(one == pytest.approx(other, abs=1e-5) for one, other in zip(found, alone, strict=True))


def test_inputs_and_global_chance_are_left_alone(settings, astronaut):
    """Opening and scoring draw nothing from torch's global generator and write into no photo."""
    import torch

    before, photo = torch.random.get_rng_state(), astronaut.copy()
    numbers(Fidelity(settings, "cpu"), pair(photo, 255 - astronaut))
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(photo, astronaut)


def test_nothing_is_downloaded(settings, astronaut, monkeypatch):
    """Opening and scoring work with sockets blocked; what is not here is refused without a try to fetch it."""

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    numbers(Fidelity(settings, "cpu"), pair(astronaut, astronaut))
    with pytest.raises(MissingModel, match=r"hf download timm/vit_small_patch14_dinov2.lvd142m config.json model.safetensors --revision abc"):
        Fidelity(settings.model_copy(update={"dino": "dinov2_small@abc"}), "cpu")


def test_a_voice_may_be_left_out(settings, astronaut):
    """Without DINO only LPIPS is opened and named, and the other way round."""
    for gone, name in (("dino", "lpips"), ("lpips", "dino")):
        weights = None if gone == "lpips" else settings.lpips_weights
        scorer = Fidelity(FidelitySettings(**{**settings.model_dump(), "lpips_weights": weights, gone: "none"}), "cpu")
        assert {found.partition("_")[0] for found in numbers(scorer, pair(astronaut, astronaut))[0]} == {name}


def test_settings_that_mean_nothing_are_refused():
    """No voice at all, weights for a voice that is silent and unknown keys are errors that name the key."""
    for page, said in (
        ({"lpips": "none", "dino": "none"}, "all none"),
        ({"lpips": "none", "lpips_weights": "x.pth"}, "lpips_weights"),
        ({"lpisp": "alex"}, "did you mean `lpips`"),
    ):
        with pytest.raises(ValidationError, match=said):
            FidelitySettings(**page)


def test_small_pairs_and_photos_are_refused(scorer, astronaut):
    """A pair that LPIPS cannot take is a bad sample with its reason; a photo is a mistake of the caller."""
    with pytest.raises(BadSample) as refusal:
        scorer.prepare(pair(astronaut[:20], astronaut[:20]))
    assert refusal.value.reason is Reason.TOO_SMALL
    with pytest.raises(TypeError, match="two sides"):
        scorer.prepare(Photo("key", astronaut))


def test_detectors_cost_no_gpu():
    """Detectors alone ask for no GPU; networks share one."""
    assert FILTER.wants(FidelitySettings(lpips="none", dino="none", faces="yunet")).gpus == 0
    assert 0 < FILTER.wants(FidelitySettings()).gpus < 1
