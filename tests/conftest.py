"""What every test may use: real photos, and a small run made of them once."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_IPP", "disabled")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ["RAY_AUTH_MODE"] = "disabled"  # for all clusters of a test process alike: Ray remembers the first mode that it saw

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb

cv2.setNumThreads(1)
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real photos, clips and awkward files; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("PATINA_TEST_DATA", HERE.parent.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test photos at {folder}: set PATINA_TEST_DATA to the folder that holds clean/, odd/, textures/")
    return folder


@pytest.fixture(scope="session")
def astronaut() -> Srgb:
    """A real 512x512 portrait that scikit-image ships."""
    from skimage import data as images

    return np.ascontiguousarray(images.astronaut())


@pytest.fixture(scope="session")
def rocket() -> Srgb:
    """A real 640x427 outdoor photo with sky that scikit-image ships."""
    from skimage import data as images

    return np.ascontiguousarray(images.rocket())


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder of real photos, a second copy of one of them, a logo, a page of text and a broken file."""
    from skimage import data
    from small_run import PHOTOS

    folder = tmp_path_factory.mktemp("photos")
    for name in PHOTOS:
        shutil.copy(Path(data.__file__).parent / name, folder / name)
    shutil.copy(folder / "coffee.png", folder / "coffee_again.png")
    (folder / "broken.jpg").write_bytes((folder / "rocket.jpg").read_bytes()[:5000])
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, photos):
    """A finished run that tests only read."""
    from small_run import make, recipe

    return make(tmp_path_factory.mktemp("finished") / "run", photos, recipe())


@pytest.fixture
def scratch(finished, tmp_path):
    """A copy of the finished run that a test may damage."""
    shutil.copytree(finished.folder, tmp_path / "run")
    return replace(finished, folder=tmp_path / "run")


@pytest.fixture(scope="session")
def tiny_dpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real DPT checkpoint with random weights, saved as a user's would be."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tiny_dpt")
    torch.manual_seed(0)
    config = transformers.DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        is_hybrid=False,
    )
    transformers.DPTForDepthEstimation(config).save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_network() -> Any:
    """segment-anything's own network, small and with random weights."""
    torch = pytest.importorskip("torch", reason="pip install 'patina[sam]'")
    modeling = pytest.importorskip("segment_anything.modeling", reason="pip install 'patina[sam]'")
    torch.manual_seed(0)
    encoder = modeling.ImageEncoderViT(
        img_size=64,
        patch_size=8,
        embed_dim=16,
        depth=2,
        num_heads=2,
        mlp_ratio=2,
        out_chans=32,
        use_rel_pos=True,
        window_size=3,
        global_attn_indexes=(1,),
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
    )
    transformer = modeling.TwoWayTransformer(depth=1, embedding_dim=32, num_heads=8, mlp_dim=24)
    decoder = modeling.MaskDecoder(transformer_dim=32, transformer=transformer, iou_head_depth=2, iou_head_hidden_dim=16)
    prompts = modeling.PromptEncoder(32, (8, 8), (64, 64), 4)
    return modeling.Sam(encoder, prompts, decoder).eval()


@pytest.fixture(scope="session")
def tiny_sam(tmp_path_factory: pytest.TempPathFactory, small_network: Any) -> Path:
    """A segment-anything checkpoint file."""
    import torch

    path = tmp_path_factory.mktemp("tiny_sam") / "tiny.pth"
    torch.save(small_network.state_dict(), path)
    return path
