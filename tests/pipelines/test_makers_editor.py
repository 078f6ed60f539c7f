"""Image editors: real diffusers pipelines with tiny random weights, saved to folders and opened as a user's would be."""

from __future__ import annotations

import json
import shutil
import socket
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'patina[editor]'")
pytest.importorskip("diffusers", reason="pip install 'patina[editor]'")
pytest.importorskip("transformers", reason="pip install 'patina[editor]'")
import tiny_diffusers
from PIL import Image

from degrade.errors import BadSample, MissingModel, Reason, RecipeError, RunError
from pipelines.makers import editor, snapshots
from pipelines.makers.contract import Order
from pipelines.makers.editor import Editor, EditorSettings

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A saved pipeline."""
    return tiny_diffusers.saved(tmp_path_factory.mktemp("tiny") / "pix2pix")


@pytest.fixture(scope="module")
def opened(folder):
    """An editor that takes two photos at once."""
    return editor.open_maker(EditorSettings(model=str(folder), call={"num_inference_steps": 2, "negative_prompt": "blur"}, batch=2), "cpu")


def order(photo, seed: int = 1, prompt: str = "Remove the haze.") -> Order:
    return Order(f"{seed:032x}", np.ascontiguousarray(photo), "haze", prompt, seed)


def test_a_saved_pipeline_edits_photos_without_a_network(folder, astronaut, monkeypatch):
    """The real loading path touches no socket; the seed alone decides the bytes, and the global generator is left as it was."""

    def refuse(*_args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    made = editor.open_maker(EditorSettings(model=str(folder), call={"num_inference_steps": 2}), "cpu")
    state = torch.get_rng_state()
    first, again, other = made.make([order(astronaut[:64, :96], 1), order(astronaut[:64, :96], 1), order(astronaut[:64, :96], 2)])
    assert first.shape == (64, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert made.name.startswith(f"StableDiffusionInstructPix2PixPipeline {folder}@")
    assert made.name.endswith(", num_inference_steps=2, float32")


def test_the_prompt_reaches_the_pipeline(opened, astronaut):
    """Another instruction gives another picture."""
    one, other = (opened.make([order(astronaut[:64, :64], prompt=words)])[0] for words in ("Remove the rain.", "去除照片中的雨。"))
    assert not np.array_equal(one, other)


def test_a_batch_gives_what_single_photos_give(opened, astronaut):
    """Two photos in a call differ from the same photos alone by no more than one level; orders keep their places among other sizes."""
    orders = [order(astronaut[:64, :64], 1), order(astronaut[:32, :64], 5), order(astronaut[64:128, :64], 2, "Remove the rain.")]
    together = opened.make(orders)
    alone = [opened.make([one])[0] for one in orders]
    assert [one.shape for one in together] == [(64, 64, 3), (32, 64, 3), (64, 64, 3)]
    assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(together, alone, strict=True)) <= 1
    assert np.abs(together[0].astype(int) - together[2]).max() > 8


def test_odd_sizes_come_back_as_they_went(opened, astronaut):
    """A photo whose sides are no multiple is mirrored for the pipeline, and its candidate is cut to the photo again."""
    assert [one.shape for one in opened.make([order(astronaut[:65, :67]), order(astronaut[:64, :33])])] == [(65, 67, 3), (64, 33, 3)]


def test_arguments_are_checked_against_the_pipeline(folder):
    """A mistyped argument gets the nearest one that the pipeline takes; the job's own are not to be set."""
    with pytest.raises(RecipeError, match="did you mean `image_guidance_scale`"):
        editor.open_maker(EditorSettings(model=str(folder), call={"image_guidance": 1.5}), "cpu")
    with pytest.raises(RecipeError, match=r"`call\.generator` is given by the job"):
        editor.open_maker(EditorSettings(model=str(folder), call={"generator": 3}), "cpu")


def test_a_pipeline_that_edits_nothing_is_refused():
    """Text to picture, and what wants a mask, are no editors."""
    import diffusers

    for kind in (diffusers.StableDiffusionPipeline, diffusers.StableDiffusionInpaintPipeline):
        with pytest.raises(RecipeError, match=f"{kind.__name__} does not edit a photo by an instruction"):
            editor.check_call(kind, {})


def test_editors_of_the_day_can_be_called():
    """The classes behind Qwen-Image-Edit, FLUX Kontext and LongCat are taken for editors by their signatures."""
    import diffusers

    for name in ("QwenImageEditPipeline", "QwenImageEditPlusPipeline", "FluxKontextPipeline", "LongCatImageEditPipeline"):
        assert {"image", "prompt", "generator", "num_inference_steps"} <= editor.check_call(getattr(diffusers, name), {"num_inference_steps": 4})


@pytest.mark.slow
def test_kontext_edits_in_batches(tmp_path, astronaut):
    """FLUX Kontext, tiny, through the same door: two photos of any aspect in one call, as alone."""
    folder = tiny_diffusers.saved(tmp_path / "kontext", tiny_diffusers.kontext)
    call = {"num_inference_steps": 2, "max_area": 64 * 48, "_auto_resize": False, "max_sequence_length": 16, "true_cfg_scale": 2.0, "negative_prompt": "rain"}
    opened = editor.open_maker(EditorSettings(model=str(folder), call=call, batch=2), "cpu")
    orders = [order(astronaut[:48, :64], 1), order(astronaut[64:112, :64], 2, "Remove the rain.")]
    together = opened.make(orders)
    assert [one.shape for one in together] == [(48, 64, 3)] * 2
    assert max(int(np.abs(made.astype(int) - opened.make([one])[0]).max()) for made, one in zip(together, orders, strict=True)) <= 1
    assert np.abs(together[0].astype(int) - together[1]).mean() > 1


@pytest.mark.slow
def test_qwen_image_edit_answers_in_its_own_size(tmp_path, astronaut):
    """Qwen-Image-Edit, tiny, through the same door: a megapixel of the photo's aspect, another for another seed."""
    folder = tiny_diffusers.saved(tmp_path / "qwen", tiny_diffusers.qwen_edit)
    opened = editor.open_maker(EditorSettings(model=str(folder), call={"num_inference_steps": 1, "true_cfg_scale": 1.0}), "cpu")
    one, other = opened.make([order(astronaut[:256, :320], seed) for seed in (1, 2)])
    assert one.shape == (928, 1152, 3)
    assert not np.array_equal(one, other)


def changed_index(folder, copy, **entries):
    """Return a copy of a pipeline that says other things of itself."""
    shutil.copytree(folder, copy)
    index = json.loads((copy / snapshots.INDEX).read_text())
    (copy / snapshots.INDEX).write_text(json.dumps({**index, **entries}))
    return copy


def test_a_class_that_is_not_installed_is_named(folder, tmp_path):
    """A pipeline of another diffusers says which class is missing."""
    copy = changed_index(folder, tmp_path / "copy", _class_name="RealRestorerPipeline")
    with pytest.raises(MissingModel, match=r"of the class RealRestorerPipeline, which diffusers .* does not have"):
        editor.open_maker(EditorSettings(model=str(copy)), "cpu")


@pytest.mark.parametrize("entries", [{"_class_name": ["own", "Own"]}, {"unet": ["own", "Own"]}], ids=["pipeline", "part"])
def test_code_that_comes_with_a_model_is_not_run(folder, tmp_path, entries):
    """A pipeline or a part that brings its own Python is refused, and the file is never imported."""
    copy = changed_index(folder, tmp_path / "copy", **entries)
    for place in (copy, copy / "unet"):
        (place / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: pass\n")
    with pytest.raises(MissingModel):
        editor.open_maker(EditorSettings(model=str(copy)), "cpu")
    assert not (tmp_path / "ran").exists()


def test_pickles_are_not_opened(folder, tmp_path):
    """Weights that are there as a pickle only count as missing."""
    copy = changed_index(folder, tmp_path / "copy")
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(MissingModel, match="can load with safetensors"):
        editor.open_maker(EditorSettings(model=str(copy)), "cpu")


def test_a_missing_model_names_the_command(tmp_path, monkeypatch):
    """A hub id that is not in the cache says what fetches it; an unknown short name gets the nearest; an empty folder is none."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingModel, match=r"hf download black-forest-labs/FLUX.1-Kontext-dev --revision abc"):
        editor.open_maker(EditorSettings(model="flux_kontext@abc"), "cpu")
    with pytest.raises(MissingModel, match="did you mean `flux_kontext`"):
        editor.open_maker(EditorSettings(model="flux_context"), "cpu")
    with pytest.raises(MissingModel, match=r"holds no model_index\.json"):
        editor.open_maker(EditorSettings(model=str(tmp_path)), "cpu")


def test_a_snapshot_of_the_hub_is_named_by_its_commit(folder, tmp_path, monkeypatch):
    """A pipeline in the hub's cache opens under its commit, whichever name led to it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--timbrooks--instruct-pix2pix"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    opened = editor.open_maker(EditorSettings(model="instruct_pix2pix"), "cpu")
    assert opened.name == f"StableDiffusionInstructPix2PixPipeline timbrooks/instruct-pix2pix@{commit}, float32"


def test_a_folder_that_changes_is_another_model(folder, tmp_path):
    """One changed byte of the weights gives a folder another name; notes beside them do not."""
    copy = changed_index(folder, tmp_path / "copy")
    before = snapshots.digest(copy)
    (copy / "README.md").write_text("A note.")
    assert snapshots.digest(copy) == before
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert snapshots.digest(copy) != before


class Stub:
    """A pipeline of a few lines, for what random weights never do."""

    image_processor = SimpleNamespace(config=SimpleNamespace(vae_scale_factor=16))

    def __init__(self, *, level: int = 90, unsafe: bool = False, room: int = 99, side: int = 0) -> None:
        self.level, self.unsafe, self.room, self.side = level, unsafe, room, side
        self.calls: list[Any] = []

    def __call__(self, image=None, prompt=None, generator=None, output_type="pil") -> Any:
        photos = image if isinstance(image, list) else [image]
        self.calls.append(len(photos))
        if len(photos) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        side = self.side or photos[0].width
        made = [Image.new("RGB", (side, side * photos[0].height // photos[0].width), (self.level,) * 3) for _ in photos]
        return SimpleNamespace(images=made, nsfw_content_detected=[self.unsafe] * len(photos) if self.unsafe else None)


class StableDiffusionInstructPix2PixPipeline(Stub):
    """The same under a name whose lists are batches."""


GREY = np.full((64, 64, 3), 128, np.uint8)


@pytest.mark.parametrize(
    ("stub", "reason"),
    [
        (Stub(unsafe=True, level=0), Reason.REFUSED_BY_MAKER),
        (Stub(level=0), Reason.NO_CANDIDATE),
        (StableDiffusionInstructPix2PixPipeline(room=0), Reason.OUT_OF_MEMORY),
    ],
    ids=["unsafe", "black", "too large"],
)
def test_what_is_no_picture_has_a_reason(stub, reason):
    """A safety checker's black picture, one that overflowed and a photo that does not fit are refusals, told apart."""
    (made,) = Editor(stub, "stub", {}, 1).make([order(GREY)])
    assert isinstance(made, BadSample)
    assert made.reason is reason


def test_a_batch_that_does_not_fit_is_halved():
    """Four photos in a memory that holds one are edited one by one; every order gets its candidate."""
    stub = StableDiffusionInstructPix2PixPipeline(room=1)
    made = Editor(stub, "stub", {}, 4).make([order(GREY, seed) for seed in range(4)])
    assert stub.calls == [4, 2, 1, 1, 2, 1, 1]
    assert all(one.shape == (64, 64, 3) for one in made)


def test_lists_go_only_to_pipelines_that_take_them_for_batches():
    """To most editors a list of photos is one photo with references: they get one at a time, whatever the batch."""
    stub = Stub()
    Editor(stub, "stub", {}, 4).make([order(GREY, seed) for seed in range(3)])
    assert stub.calls == [1, 1, 1]


def test_a_pipeline_may_answer_in_its_own_size():
    """Of an answer in another size the share that was mirrored is cut away, and the size is left as it is."""
    (made,) = Editor(Stub(side=128), "stub", {}, 1).make([order(GREY[:60, :60])])
    assert made.shape == (120, 120, 3)


class FluxKontextPipeline(Stub):
    """A pipeline that has to be told the size of its answer."""

    def __call__(self, image=None, prompt=None, generator=None, height=1024, width=1024) -> Any:
        self.calls.append((width, height))
        return super().__call__(image, prompt, generator)


def test_a_pipeline_of_squares_is_told_the_photos_size():
    """FLUX Kontext answers in 1024 x 1024 by itself: it gets the photo's size, or what the recipe says."""
    stub = FluxKontextPipeline()
    Editor(stub, "stub", {}, 1).make([order(GREY[:48])])
    Editor(stub, "stub", {"height": 96, "width": 128}, 1).make([order(GREY[:48])])
    assert [call for call in stub.calls if isinstance(call, tuple)] == [(64, 48), (128, 96)]


def test_an_answer_without_pictures_stops_the_job():
    """What gives no list of pictures is no editor."""

    class Mute(Stub):
        def __call__(self, image=None, prompt=None, generator=None, output_type="pil") -> Any:
            return SimpleNamespace(frames=[])

    with pytest.raises(RunError, match="without one picture for each of 1 photos"):
        Editor(Mute(), "mute", {}, 1).make([order(GREY)])
