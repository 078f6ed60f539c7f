"""How CLIP checkpoints are found and opened: what is missing is named, with the command that gets it."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

pytest.importorskip("open_clip", reason="pip install 'patina[clip]'")

import tiny_clip

from degrade.errors import MissingModel
from filters import open_clip_models
from filters.open_clip_models import NAMES, OpenClip, find


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny checkpoint."""
    return tiny_clip.save(tmp_path_factory.mktemp("clip") / "tiny")


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of it that a test may damage."""
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture
def cache(folder, tmp_path, monkeypatch):
    """A local hub cache that holds one repository at one commit."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--someone--tiny-clip"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return commit


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vit_l_14", rf"hf download laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K --revision {NAMES['vit_l_14'].partition('@')[2]}$"),
        ("someone/else", "hf download someone/else$"),
        ("hf-hub:someone/tiny-clip@v2", "at revision v2 .*hf download someone/tiny-clip --revision v2$"),
        ("vit_l_41", "did you mean `vit_l_14`"),
        ("ViT-B-32", "random weights: .*ViT-B-32:laion2b_s34b_b79k"),
        ("ViT-B-32:laion2b", "no weights `laion2b` for ViT-B-32; did you mean `laion2b"),
        ("ViT-B-33:openai", "no model `ViT-B-33`; did you mean `ViT-B-32`"),
        ("ViT-B-32:laion2b_s34b_b79k", "hf download laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        ("ViTamin-S:datacomp1b", "single file"),
        ("/nowhere/at/all", "no CLIP model is called"),
    ],
)
def test_what_is_missing_is_named(cache, name, hint):
    """A name that leads nowhere says what to run or what was meant."""
    with pytest.raises(MissingModel, match=hint):
        find(name)


def test_a_hub_model_is_recorded_at_its_commit(cache):
    """A hub id without a revision opens what the cache holds, and the record says which commit that was."""
    assert OpenClip("someone/tiny-clip", "cpu").maker == f"someone/tiny-clip@{cache}"
    assert find(f"hf-hub:someone/tiny-clip@{cache}").maker == f"someone/tiny-clip@{cache}"


def test_a_folder_is_recorded_with_its_weights(folder, tmp_path):
    """A copy has the maker of its original, other weights or another configuration have another; open_clip's scheme is accepted."""
    maker = find(str(folder)).maker
    assert maker.startswith("tiny@sha256:")
    same = shutil.copytree(folder, tmp_path / "elsewhere" / "tiny")
    assert find(f"local-dir:{same}").maker == maker
    (same / "open_clip_config.json").write_text((same / "open_clip_config.json").read_text().replace("0.25", "0.26"))
    assert find(str(same)).maker != maker
    assert find(str(tiny_clip.save(tmp_path / "tiny", seed=1))).maker != maker


def test_random_weights_are_refused(copy):
    """A configuration without weights is no checkpoint."""
    (copy / "open_clip_model.safetensors").unlink()
    with pytest.raises(MissingModel, match=r"no weights .*random"):
        OpenClip(str(copy))


def test_a_folder_of_something_else_is_refused(tiny_dpt):
    """A checkpoint of another library says what was looked for."""
    with pytest.raises(MissingModel, match=r"no open_clip_config\.json"):
        OpenClip(str(tiny_dpt))


def test_weights_of_another_network_are_refused(copy):
    """A configuration and weights that do not fit each other say so."""
    page = json.loads((copy / "open_clip_config.json").read_text())
    page["model_cfg"]["vision_cfg"]["width"] = 64
    (copy / "open_clip_config.json").write_text(json.dumps(page))
    with pytest.raises(MissingModel, match="size mismatch"):
        OpenClip(str(copy))


@pytest.mark.parametrize(
    ("file", "content"),
    [("open_clip_config.json", b"{"), ("open_clip_config.json", b'{"model_cfg": {}}'), ("open_clip_model.safetensors", b"\xff" * 64)],
)
def test_damaged_files_are_refused(copy, file, content):
    """A broken configuration or weight file names its folder."""
    (copy / file).write_bytes(content)
    with pytest.raises(MissingModel, match="copy holds no CLIP checkpoint that open_clip can load"):
        OpenClip(str(copy))


def test_pickled_code_is_not_run(copy, tmp_path):
    """A .bin file that would run code when unpickled is refused, and the code has not run."""
    import pickle

    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return open, (str(tmp_path / "harm"), "w")

    (copy / "open_clip_model.safetensors").unlink()
    (copy / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Harm(), protocol=2))
    with pytest.raises(MissingModel, match="open_clip can load"):
        OpenClip(str(copy))
    assert not (tmp_path / "harm").exists()


def test_a_text_tower_of_the_hub_is_refused(copy):
    """A text tower whose configuration open_clip would ask the hub for is refused before it does."""
    page = json.loads((copy / "open_clip_config.json").read_text())
    page["model_cfg"]["text_cfg"]["hf_model_name"] = "xlm-roberta-base"
    (copy / "open_clip_config.json").write_text(json.dumps(page))
    with pytest.raises(MissingModel, match="xlm-roberta-base"):
        OpenClip(str(copy))


def test_sayings_are_read_before_views_are_seen(folder):
    """The precision falls with the first views on a GPU, so sayings may not come after them."""
    network = OpenClip(str(folder), "cpu")
    network._low = True
    with pytest.raises(RuntimeError, match="before the first views"):
        network.words(["a photo"])


def test_the_last_chunk_is_filled_where_shapes_must_not_change():
    """Chunks of 4 out of 6 views: the last one holds two views and two black ones, or only its own."""
    import numpy as np

    views = [np.full((2, 2, 3), at, np.uint8) for at in range(6)]
    filled = list(open_clip_models._chunks(views, 4, whole=True))
    assert [chunk[:, 0, 0, 0].tolist() for chunk in filled] == [[0, 1, 2, 3], [4, 5, 0, 0]]
    assert [len(chunk) for chunk in open_clip_models._chunks(views, 4, whole=False)] == [4, 2]
