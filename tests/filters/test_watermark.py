"""Facts about `filters.watermark` and `filters.marks`: the recipe of LAION, through the door that a user's weights take."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_timm import ARCHITECTURE, laion_file, timm_folder

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.scene import checkpoints
from filters.contract import Pair, Photo
from filters.marks import network
from filters.watermark import FILTER, WatermarkScorer, WatermarkSettings, corners

torch = pytest.importorskip("torch")
pytest.importorskip("timm", reason="pip install timm")
TOLERANCE = 1e-5


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine spend their time on waiting for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights in LAION's layout."""
    return laion_file(tmp_path_factory.mktemp("marks") / "tiny.pt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as timm saves it, whose second class is watermark."""
    return timm_folder(tmp_path_factory.mktemp("marks") / "saved", ["no_watermark", "watermark"])


def _opened(model: Path | str, **settings: Any) -> WatermarkScorer:
    return WatermarkScorer(WatermarkSettings(model=str(model), architecture=ARCHITECTURE, **settings), "cpu")


def _p(scorer: WatermarkScorer, *photos: Srgb) -> list[dict[str, float]]:
    return [dict(found.numbers) for found in scorer.score([scorer.prepare(Photo(str(place), photo)) for place, photo in enumerate(photos)])]


def test_a_photo_gets_the_number_that_laions_own_recipe_gives(weights: Path, rocket: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Squeezed to 256 px by torchvision, normalised as ImageNet, softmax, first class; and no socket is opened on the way."""
    transforms = pytest.importorskip("torchvision.transforms")
    from PIL import Image

    def refused(*_: Any) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refused)
    steps = [transforms.Resize((256, 256)), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    model = network.load(str(weights), architecture=ARCHITECTURE).model.eval()
    with torch.inference_mode():
        expected = model(transforms.Compose(steps)(Image.fromarray(rocket))[None]).softmax(dim=1)[0, 0].item()
    assert 0.01 < expected < 0.99
    assert _p(_opened(weights, parts=False), rocket) == [{"photo": pytest.approx(expected, abs=TOLERANCE)}]


def test_numbers_do_not_depend_on_the_batch(weights: Path, rocket: Srgb, astronaut: Srgb) -> None:
    """Alone, together and in another order, every photo has its own number to 1e-5, and photos differ by far more."""
    scorer = _opened(weights)
    small = np.ascontiguousarray(rocket[:300, :300])
    together = _p(scorer, rocket, astronaut, small)
    alone = [_p(scorer, photo)[0] for photo in (small, rocket, astronaut)]
    for one, other in zip(together, (alone[1], alone[2], alone[0]), strict=True):
        assert one == pytest.approx(other, abs=TOLERANCE)
    assert abs(together[0]["photo"] - together[1]["photo"]) > 100 * TOLERANCE


def test_of_a_pair_the_clean_side_is_asked_about(weights: Path, rocket: Srgb, astronaut: Srgb) -> None:
    """The number of a pair is that of its clean side, under another name; both names are announced."""
    scorer = _opened(weights)
    pair = Pair("1", "blur", Photo("c", astronaut), Photo("d", rocket[:512, :512]))
    found = scorer.score([scorer.prepare(pair)])[0].numbers
    assert found["clean"] == pytest.approx(_p(scorer, astronaut)[0]["photo"], abs=TOLERANCE)
    assert {*found, *_p(scorer, astronaut)[0]} == {measure.name for measure in FILTER.measures}


def test_corners_are_asked_about_where_they_have_the_pixels(weights: Path, astronaut: Srgb) -> None:
    """A mark in a corner can raise the second number, never lower it; a small photo has no corners to show."""
    large = np.ascontiguousarray(np.kron(astronaut, np.ones((2, 2, 1), np.uint8)))
    assert [view.shape for view in corners(large, (256, 256))] == [(614, 614, 3)] * 4
    assert np.array_equal(corners(large, (256, 256))[3][-1, -1], large[-1, -1])
    assert corners(astronaut[:300], (256, 256)) == []
    found = _p(_opened(weights), large, astronaut[:300])
    assert found[0]["photo_parts"] > found[0]["photo"]
    assert found[1]["photo_parts"] == found[1]["photo"]


def test_safetensors_and_pickles_open_alike(weights: Path, rocket: Srgb, tmp_path: Path) -> None:
    """The same weights in the other format give the same number; the maker names the file and its hash."""
    other = _opened(laion_file(tmp_path / "tiny.safetensors"))
    assert _p(other, rocket) == _p(_opened(weights), rocket)
    assert other.maker == f"{tmp_path / 'tiny.safetensors'}@{checkpoints.sha256(tmp_path / 'tiny.safetensors')[:16]}"


def test_a_folder_says_which_class_is_watermark(folder: Path, rocket: Srgb, tmp_path: Path) -> None:
    """By its labels; where they do not tell, the recipe must."""
    asked = _p(_opened(folder), rocket)[0]["photo"]
    assert asked == pytest.approx(1 - _p(_opened(folder, watermark_class=0), rocket)[0]["photo"], abs=TOLERANCE)
    silent = timm_folder(tmp_path / "silent", [])
    with pytest.raises(MissingModel, match="set `watermark_class`"):
        _opened(silent)
    assert _p(_opened(silent, watermark_class=1), rocket)[0]["photo"] == pytest.approx(asked, abs=TOLERANCE)
    with pytest.raises(MissingModel, match="has 2 classes: class 2 cannot be watermark"):
        _opened(folder, watermark_class=2)


def test_what_is_missing_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAION's file, a hub model, a path and a slip of the pen each get an answer that helps."""
    monkeypatch.setenv(checkpoints.FOLDER, str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    cases = {
        "laion_v1": r"curl --create-dirs -Lo .*watermark_model_v1.pt https://github.com/LAION-AI",
        "someone/marks@abc": r"hf download someone/marks config.json model.safetensors --revision abc",
        str(tmp_path / "gone.pt"): "there is no file",
        str(tmp_path): "as timm saves them",
        "laion_v": "did you mean `laion_v1`",
    }
    for name, message in cases.items():
        with pytest.raises(MissingModel, match=message):
            _opened(name)


def test_the_wrong_weights_are_refused(weights: Path, folder: Path, tmp_path: Path) -> None:
    """Other weights than the pinned, a network of another shape, an unknown one, and bytes that are no weights."""
    digest = checkpoints.sha256(weights)
    assert _opened(weights, sha256=digest).maker.endswith(digest[:16])
    with pytest.raises(MissingModel, match="not the file that was pinned"):
        _opened(weights, sha256="0" * 64)
    with pytest.raises(MissingModel, match="holds no test_resnet"):
        network.load(str(weights), architecture="test_resnet")
    with pytest.raises(MissingModel, match="did you mean `test_efficientnet`"):
        network.load(str(weights), architecture="test_eficientnet")
    for name in ("rubbish.pt", "rubbish.safetensors"):
        (tmp_path / name).write_bytes(b"not weights")
        with pytest.raises(MissingModel, match="tells watermarks"):
            _opened(tmp_path / name)
    broken = timm_folder(tmp_path / "broken", ["watermark", "clear"])
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(MissingModel, match="holds no classifier that timm can load"):
        _opened(broken)


class _Bomb:
    """A pickle that would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("the pickle ran",))


def test_a_pickle_runs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that would call a function when unpickled is refused before it can."""
    torch.save({"classifier.weight": _Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(MissingModel):
        _opened(tmp_path / "bomb.pt")
    assert "the pickle ran" not in capsys.readouterr().out


def test_loading_leaves_chance_alone(weights: Path, folder: Path) -> None:
    """The global generator of torch stands where it stood."""
    before = torch.random.get_rng_state()
    _opened(weights)
    _opened(folder)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.slow
def test_laions_own_shape_opens(tmp_path: Path, rocket: Srgb) -> None:
    """An EfficientNet-B3 with the head 1536-625-256-2 is what the default settings build."""
    path = laion_file(tmp_path / "full.pt", network.ARCHITECTURE, (625, 256))
    scorer = WatermarkScorer(WatermarkSettings(model=str(path)), "cpu")
    assert 0 <= _p(scorer, rocket)[0]["photo"] <= 1
    assert sum(weight.numel() for weight in scorer._model.parameters()) == 10_696_232 + 1_121_395  # timm's count of the body, and the head
