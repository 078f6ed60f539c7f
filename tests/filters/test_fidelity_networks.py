"""LPIPS and DINOv2 as doors to files: what is opened, what is refused, and that LPIPS is the library's own number."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_dino import backbone, tiny_dino

from degrade.errors import MissingModel
from filters.perceptual import lpips as room
from filters.perceptual.dino import Dino
from filters.perceptual.lpips import BACKBONES, Lpips

torch = pytest.importorskip("torch")
library = pytest.importorskip("lpips")
pytest.importorskip("timm")


@pytest.fixture(scope="module")
def alex(tmp_path_factory):
    """A backbone file of AlexNet's shape."""
    return backbone(tmp_path_factory.mktemp("alex") / "alex.pth")


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A machine without any weights: its folder of models."""
    monkeypatch.setenv("PATINA_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.mark.parametrize("net", ["alex", "squeeze", pytest.param("vgg", marks=pytest.mark.slow)])
def test_the_mean_is_the_librarys_own(tmp_path, astronaut, net):
    """On the same weights our layer-by-layer mean equals the library's forward pass, to 1e-6."""
    path = backbone(tmp_path / "net.pth", net)
    clean = cv2.resize(astronaut, (150, 96))
    degraded = cv2.GaussianBlur(clean, (0, 0), 2)
    ours = Lpips(net, str(path), "cpu").distances([np.stack([clean, degraded])])[0].mean
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        theirs = library.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
    features = {name.removeprefix("features."): value for name, value in torch.load(path).items()}
    theirs.net.load_state_dict({name: features[name.partition(".")[2]] for name in theirs.net.state_dict()}, assign=True)
    layers = torch.load(Path(library.__file__).parent / "weights" / "v0.1" / f"{net}.pth", map_location="cpu")
    theirs.load_state_dict(layers, strict=False, assign=True)
    sides = [torch.from_numpy(side).permute(2, 0, 1)[None] / 127.5 - 1 for side in (clean, degraded)]
    with torch.no_grad():
        assert ours == pytest.approx(float(theirs(*sides)), abs=1e-6)
    assert ours > 1e-4


def test_a_missing_backbone_names_the_command(empty):
    """Without torchvision's file the error holds a line of Python that fetches and checks it."""
    with pytest.raises(MissingModel, match=r"AlexNet_Weights as W; W.IMAGENET1K_V1.get_state_dict\(check_hash=True\)"):
        Lpips(device="cpu")


def test_the_command_fetches_the_file_that_is_looked_for():
    """Torchvision's own table has our file names at the end of its addresses."""
    import torchvision

    for wanted in BACKBONES.values():
        assert getattr(torchvision.models, wanted.weights).IMAGENET1K_V1.url.endswith(f"/{wanted.file}")


def test_another_file_under_the_published_name_is_refused(empty, alex):
    """A file whose SHA-256 does not begin as its name says is not opened, in either folder."""
    shutil.copy(alex, empty / BACKBONES["alex"].file)
    with pytest.raises(MissingModel, match=r"not the file that torchvision published .* delete it and python"):
        Lpips(device="cpu")


def test_the_published_file_is_found_in_torchs_own_cache(empty, alex, monkeypatch):
    """Where its SHA-256 is right, the file is opened from torch's cache and the maker carries its digest."""
    digest = room.checkpoints.sha256(alex)
    published = BACKBONES["alex"]._replace(file=f"alexnet-{digest[:8]}.pth")
    monkeypatch.setitem(BACKBONES, "alex", published)
    cache = empty.parent / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    shutil.copy(alex, cache / published.file)
    assert Lpips(device="cpu").maker == f"lpips 0.1 alex@{digest[:16]}"


@pytest.mark.parametrize("damage", ["cut", "text", "pickle", "other"])
def test_a_file_that_holds_something_else_is_refused(tmp_path, alex, damage):
    """A cut file, a text, a pickle of code and weights of another network: one error each, and no code is run."""
    path = tmp_path / "weights.pth"
    if damage == "pickle":
        torch.save({"features.0.weight": print}, path)
    elif damage == "other":
        backbone(path, "squeeze")
    else:
        path.write_bytes(alex.read_bytes()[:5000] if damage == "cut" else b"<html>404</html>")
    with pytest.raises(MissingModel, match=r"weights\.pth does not hold torchvision's alex weights"):
        Lpips("alex", str(path), "cpu")


def test_unknown_names_get_the_nearest(tmp_path):
    """A backbone, a file or a model that nothing is called by is refused with what there is."""
    with pytest.raises(MissingModel, match="did you mean `alex`"):
        Lpips("alexnet", device="cpu")
    with pytest.raises(MissingModel, match="there is no file"):
        Lpips("alex", str(tmp_path / "none.pth"), "cpu")
    with pytest.raises(MissingModel, match="did you mean `dinov2_small`"):
        Dino("dino2_small", "cpu")


def test_registers_are_no_places(tmp_path, astronaut):
    """With four registers and a class token before the patches, the mean is that of the 5 x 8 patches alone, in whole patches of any aspect."""
    dino = Dino(str(tiny_dino(tmp_path / "registers", registers=4)), "cpu")
    seen = dino.prepare(astronaut[:300], 255 - astronaut[:300], 112)
    assert seen.shape == (2, 70, 112, 3)
    mean, std = (torch.tensor(dino._network.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        tokens = dino._network.forward_features((torch.from_numpy(seen).permute(0, 3, 1, 2) / 255 - mean) / std)
    assert tokens.shape[1] == 1 + 4 + 5 * 8
    alike = torch.nn.functional.cosine_similarity(*tokens, dim=-1)
    assert dino.similarities([seen])[0].mean == pytest.approx(float(alike[5:].mean()), abs=1e-5)
    assert abs(float(alike[5:].mean() - alike.mean())) > 1e-3


def test_a_snapshot_in_the_cache_is_named_by_its_commit(tmp_path, monkeypatch):
    """A hub id opens from Hugging Face's cache, and the maker carries the commit that was loaded."""
    import huggingface_hub.constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--timm--vit_small_patch14_dinov2.lvd142m"
    tiny_dino(place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    assert Dino("dinov2_small", "cpu").maker == f"timm/vit_small_patch14_dinov2.lvd142m@{commit}"
    (place / "snapshots" / commit / "model.safetensors").unlink()
    with pytest.raises(MissingModel, match="hf download"):
        Dino("dinov2_small", "cpu")


def test_folders_that_hold_no_network_are_refused(tmp_path):
    """An empty folder, cut weights and a network without patches are named as what they are."""
    import timm

    with pytest.raises(MissingModel, match="save_for_hf"):
        Dino(str(tmp_path), "cpu")
    cut = tiny_dino(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:3000])
    with pytest.raises(MissingModel, match="no vision transformer that timm can load"):
        Dino(str(cut), "cpu")
    timm.models.save_for_hf(timm.create_model("test_resnet"), tmp_path / "resnet", safe_serialization=True)
    with pytest.raises(MissingModel, match="vision transformer"):
        Dino(str(tmp_path / "resnet"), "cpu")
