"""Segment networks open from real checkpoints by the door that a user's take, and answer with labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.scene import checkpoints, mask_models, sam_weights
from degrade.scene.mask_models import SegmentModel
from degrade.scene.proxy import proxy
from degrade.scene.segments import superpixels

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("segment_anything")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine spend their time on waiting for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny_sam2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SAM-2 checkpoint with random weights, saved as the hub's are."""
    folder = tmp_path_factory.mktemp("tiny_sam2")
    torch.manual_seed(0)
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[64, 64],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    eyes = transformers.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=32
    )
    prompts = transformers.Sam2PromptEncoderConfig(hidden_size=32, image_size=64, mask_input_channels=4)
    decoder = transformers.Sam2MaskDecoderConfig(
        hidden_size=32, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_depth=1, iou_head_hidden_dim=16
    )
    transformers.Sam2Model(transformers.Sam2Config(vision_config=eyes, prompt_encoder_config=prompts, mask_decoder_config=decoder)).save_pretrained(folder)
    transformers.Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights draw no mask that holds: let any pass, from a coarse grid."""
    monkeypatch.setattr(mask_models, "LEAST_IOU", -9.0)
    monkeypatch.setattr(mask_models, "LEAST_STABILITY", -1.0)
    monkeypatch.setattr(mask_models, "POINTS", 4)


def is_complete(labels: np.ndarray) -> bool:
    """Say whether labels are int32 0..n-1 with none missing."""
    return labels.dtype == np.int32 and np.array_equal(np.unique(labels), np.arange(labels.max() + 1))


@pytest.mark.usefixtures("unfiltered")
@pytest.mark.parametrize("kind", ["tiny_sam2", "tiny_sam"])
def test_a_checkpoint_labels_photos_of_several_sizes(kind: str, request: pytest.FixtureRequest, rocket: Srgb, astronaut: Srgb) -> None:
    """Labels come back in order, complete, at each proxy's size, the same twice, and they are not the stand-in's."""
    checkpoint = str(request.getfixturevalue(kind))
    model = SegmentModel(checkpoint, device="cpu")
    photos = [proxy(rocket, 96), proxy(astronaut, 64), proxy(rocket, 96)]
    labels = model.labels(photos)
    assert [found.shape for found in labels] == [photo.shape[:2] for photo in photos]
    assert all(is_complete(found) for found in labels)
    assert np.array_equal(labels[0], labels[2])
    assert not np.array_equal(labels[0], superpixels(photos[0]))
    assert model.maker.startswith(checkpoint)


@pytest.mark.parametrize("kind", ["tiny_sam2", "tiny_sam"])
def test_a_network_that_finds_nothing_leaves_superpixels(kind: str, request: pytest.FixtureRequest, rocket: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mask that holds is an answer, not an error."""
    monkeypatch.setattr(mask_models, "POINTS", 4)
    small = proxy(rocket, 96)
    assert np.array_equal(SegmentModel(str(request.getfixturevalue(kind)), device="cpu").labels([small])[0], superpixels(small))


@pytest.mark.usefixtures("unfiltered")
def test_the_grid_of_points_reaches_all_sides_of_a_wide_photo(tiny_sam2: Path, rocket: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts cover the height of what the network sees as they cover its width."""
    asked = []
    forward = transformers.Sam2Model.forward

    def listening(self: Any, **inputs: Any) -> Any:
        asked.append(inputs["input_points"].reshape(-1, 2).numpy())
        return forward(self, **inputs)

    monkeypatch.setattr(transformers.Sam2Model, "forward", listening)
    SegmentModel(str(tiny_sam2), device="cpu").labels([np.ascontiguousarray(proxy(rocket, 96)[:32])])
    points = np.concatenate(asked)
    assert points.max(0) == pytest.approx([56, 56])
    assert points.min(0) == pytest.approx([8, 8])


def test_sizes_are_read_off_the_weights(tiny_sam: Path, small_network: Any) -> None:
    """A network built from a file alone answers as the one that was saved, bit for bit."""
    network, maker = sam_weights.load(str(tiny_sam))
    photo = {
        "image": 255 * torch.rand(3, 64, 48),
        "original_size": (64, 48),
        "point_coords": torch.tensor([[[10.0, 20.0]]]),
        "point_labels": torch.ones(1, 1),
    }
    with torch.inference_mode():
        answers = [one.eval()([photo], multimask_output=True)[0]["low_res_logits"] for one in (small_network, network)]
    assert torch.equal(*answers)
    assert maker.endswith("@" + checkpoints.sha256(tiny_sam)[:16])


def test_a_published_name_needs_the_published_bytes(tiny_sam: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing file names the command, another file under its name is refused, and one with the right hash opens."""
    monkeypatch.setenv(checkpoints.FOLDER, str(tmp_path))
    with pytest.raises(MissingModel, match=r"curl --create-dirs -o .*sam_vit_b_01ec64.pth https://dl.fbaipublicfiles.com"):
        SegmentModel("sam_vit_b")
    (tmp_path / "sam_vit_b_01ec64.pth").write_bytes(tiny_sam.read_bytes())
    with pytest.raises(MissingModel, match="not the published sam_vit_b"):
        SegmentModel("sam_vit_b")
    entry = sam_weights.Published("sam_vit_b_01ec64.pth", checkpoints.sha256(tiny_sam))
    monkeypatch.setitem(sam_weights.PUBLISHED, "sam_vit_b", entry)
    assert SegmentModel("sam_vit_b", device="cpu").maker == f"sam_vit_b@{entry.sha256[:16]}"


class Trap:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("sprung"),)


def test_a_pickle_is_never_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A checkpoint file that is a program is refused, and does nothing."""
    monkeypatch.chdir(tmp_path)
    torch.save({"image_encoder.pos_embed": Trap()}, "trap.pth")
    with pytest.raises(MissingModel, match="no segment-anything weights"):
        SegmentModel("trap.pth")
    assert not Path("sprung").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_file_without_weights_is_refused(content: bytes | None, tmp_path: Path) -> None:
    """Empty, foreign, or tensors of something else."""
    path = tmp_path / "some.pth"
    if content is None:
        torch.save({"weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(MissingModel, match="no segment-anything weights"):
        SegmentModel(str(path))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sam2_tiny", "hf download facebook/sam2.1-hiera-tiny"),
        ("nobody/nothing@abc123", "hf download nobody/nothing --revision abc123"),
        ("sam2_tin", "did you mean `sam2_tiny`"),
        ("sam_vit_x", "did you mean `sam_vit_"),
        ("gone/away.pth", "there is no file gone/away.pth"),
    ],
)
def test_a_missing_model_names_the_command(name: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs never download: they say what to run."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingModel, match=hint):
        SegmentModel(name)
