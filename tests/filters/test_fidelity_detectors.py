"""Faces and lettering: detectors written by hand, which find what is painted red, run by OpenCV as the real ones are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tiny_onnx import FACE_RGB, tiny_text, tiny_yunet

from degrade.contract import Srgb
from degrade.errors import MissingModel
from filters.contract import Pair, Photo
from filters.fidelity import Fidelity, FidelitySettings
from filters.perceptual import faces, lettering
from filters.perceptual.faces import Faces
from filters.perceptual.lettering import Lettering


@pytest.fixture(scope="module")
def yunet(tmp_path_factory):
    """A face detector's file."""
    return tiny_yunet(tmp_path_factory.mktemp("yunet") / "faces.onnx")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A text detector's file."""
    return tiny_text(tmp_path_factory.mktemp("text") / "text.onnx")


def painted(*places: tuple[int, int], size: tuple[int, int] = (32, 32)) -> Srgb:
    """Return a grey picture of 640x480 with red boxes at (left, top)."""
    picture = np.full((480, 640, 3), 110, np.uint8)
    for left, top in places:
        picture[top : top + size[1], left : left + size[0]] = FACE_RGB
    return picture


def test_faces_that_stay_vanish_and_appear(yunet):
    """Of two faces one stays and one vanishes: half is kept; a new face on the clean side is counted and not held against it."""
    found = Faces(str(yunet))
    before, after = painted((128, 96), (384, 320)), painted((128, 96), (512, 64))
    assert found.numbers(found.prepare(after, before)) == {"faces_degraded": 2, "faces_clean": 2, "faces_kept": 0.5}
    assert found.numbers(found.prepare(before, painted())) == {"faces_degraded": 0, "faces_clean": 2}


def test_faces_are_found_in_red_green_blue_at_any_size(yunet):
    """A box of a photo twice as large is the same box at the detector's size."""
    found = Faces(str(yunet))
    large = cv2.resize(painted((128, 96)), (1280, 960), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(found.boxes(found.prepare(large, large)[0]), found.boxes(painted((128, 96))))


def test_detectors_are_given_blue_green_red(yunet, text):
    """What is red is found by both detectors; what is blue, red to whom the channels are given the other way round, by neither."""
    red, blue = painted((128, 96), size=(64, 64)), painted((128, 96), size=(64, 64))[..., ::-1].copy()
    assert [len(Faces(str(yunet)).boxes(picture)) > 0 for picture in (red, blue)] == [True, False]
    found = Lettering(str(text))
    numbers = found.numbers(found.prepare(blue, red))
    assert numbers["text_degraded_frac"] == pytest.approx(64 * 64 / (480 * 640), rel=0.05)
    assert numbers["text_clean_frac"] == 0


def test_each_face_answers_once():
    """Two faces cannot both be kept by one; a face that moved by half its width is not in the same place."""
    one, moved = np.array([[0, 0, 20, 20]], np.float32), np.array([[10, 0, 20, 20]], np.float32)
    assert faces.kept(np.concatenate([one, one]), one) == 0.5
    assert faces.kept(one, moved) == 0
    assert faces.kept(one, np.zeros((0, 4), np.float32)) == 0
    assert faces.kept(one, one + 1) == 1


def test_writing_that_stays_and_vanishes(text):
    """Of two lines of equal length one is gone: half of the writing is kept; a picture without any has no such number."""
    found = Lettering(str(text))
    before, after = painted((60, 100), (60, 300), size=(300, 40)), painted((60, 100), size=(300, 40))
    numbers = found.numbers(found.prepare(after, before))
    assert numbers["text_kept"] == pytest.approx(0.5, abs=0.02)
    assert numbers["text_degraded_frac"] == pytest.approx(2 * numbers["text_clean_frac"], rel=0.02)
    assert "text_kept" not in found.numbers(found.prepare(before, painted()))


def test_writing_may_grow_a_little():
    """A line that is detected two pixels aside is kept whole; one that moved by its height is lost."""
    line = np.zeros((60, 200), np.uint8)
    line[20:30, 20:180] = 1
    assert lettering.kept(line, np.roll(line, 2, axis=0)) == 1
    assert lettering.kept(line, np.roll(line, 20, axis=0)) == 0


def test_the_scorer_opens_detectors_by_its_settings(yunet, text):
    """Named detectors give their numbers in any batch and their files' names to the maker; unnamed ones neither."""
    scorer = Fidelity(FidelitySettings(lpips="none", dino="none", faces=str(yunet), text=str(text)), "cpu")
    picture, plain = painted((128, 96)), painted()
    pairs = [Pair(str(key), "haze", Photo("", one), Photo("", other)) for key, (one, other) in enumerate(((picture, picture), (plain, picture)))]
    found = [scores.numbers for scores in scorer.score([scorer.prepare(one) for one in pairs])]
    assert [(one["faces_kept"], one["text_kept"]) for one in found] == [(1, 1), (0, 0)]
    assert [scorer.score([scorer.prepare(one)])[0].numbers for one in pairs] == found
    assert scorer.maker.startswith("faces.onnx@")


def test_missing_and_damaged_detectors_are_named(tmp_path, monkeypatch, yunet, text):
    """An absent, a foreign, a damaged and an unknown detector: the error says which file, and what to run or which name is meant."""
    monkeypatch.setenv("PATINA_MODELS", str(tmp_path))
    for opened, name, file in ((Faces, "yunet", "face_detection_yunet_2023mar.onnx"), (Lettering, "ppocr", "text_detection_cn_ppocrv3_2023may.onnx")):
        with pytest.raises(MissingModel, match=rf"not on this machine: curl .*{file} https://"):
            opened(name)
        (tmp_path / file).write_bytes(yunet.read_bytes())
        with pytest.raises(MissingModel, match=f"not the published {name}"):
            opened(name)
        (tmp_path / "cut.onnx").write_bytes(text.read_bytes()[:100])
        with pytest.raises(MissingModel, match=r"cut.onnx holds no"):
            opened(str(tmp_path / "cut.onnx"))
        with pytest.raises(MissingModel, match=f"did you mean `{name}`"):
            opened(f"{name}2")
    with pytest.raises(MissingModel, match="no face detector"):
        Faces(str(text))
    with pytest.raises(MissingModel, match="no text detector"):
        Lettering(str(yunet))
