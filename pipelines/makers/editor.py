"""Image editors: any diffusers pipeline that takes a photo and an instruction, by hub id or folder, from files that are here.

    real:
      makers:
        qwen: {kind: editor, candidates: 2, settings: {model: qwen_image_edit, call: {num_inference_steps: 40, true_cfg_scale: 4.0, negative_prompt: " "}}}

InstructPix2Pix (Brooks, Holynski and Efros, CVPR 2023), Qwen-Image-Edit, FLUX.1 Kontext, LongCat-Image-Edit and others come with
diffusers; Step1X-Edit and RealRestorer where a diffusers is installed that has their class. `call` goes to the pipeline by
name and is checked against what it takes. Each candidate has a generator of its own on the CPU, seeded with its order's seed, so
that it depends neither on its batch nor on the kind of GPU that the noise is drawn for. Sizes are the pipeline's own affair: the
photo is mirrored to the multiple that it asks for, and what it answers in is put right later (`filters/registration`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import cv2
import numpy as np
from pydantic import Field, JsonValue

from degrade.contract import Srgb
from degrade.errors import BadSample, MissingModel, Reason, RecipeError, RunError
from degrade.keys import nearest
from degrade.scene import checkpoints
from filters.contract import Settings, Wants
from pipelines.makers import snapshots
from pipelines.makers.contract import Kind, Maker, Order
from pipelines.makers.snapshots import Snapshot

NAMES = {
    "instruct_pix2pix": "timbrooks/instruct-pix2pix",
    "qwen_image_edit": "Qwen/Qwen-Image-Edit-2511",
    "flux_kontext": "black-forest-labs/FLUX.1-Kontext-dev",
    "step1x_edit": "stepfun-ai/Step1X-Edit-v1p2",
}
WHAT, EXTRA = "image editing", "editor"
OURS = ("image", "prompt", "generator", "output_type", "return_dict", "num_images_per_prompt")  # of a call: given by the job
PACE = ("batch", "offload", "deadline_s")
BATCHED = ("StableDiffusionInstructPix2PixPipeline", "FluxKontextPipeline")  # a list of photos is a batch; to others it is one photo with references
SQUARE = ("FluxKontextPipeline",)  # answers in a square, whatever the photo, unless it is told the photo's size
PER_PROMPT = ("negative_prompt", "prompt_2", "negative_prompt_2")  # words that a batch wants once for each of its prompts
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError)
MULTIPLE_PX = 16  # where a pipeline does not tell


class EditorSettings(Settings):
    """Which pipeline, and how it is called."""

    model: str = Field(description=f"hub id, optionally with @revision, a folder, or one of {', '.join(NAMES)}")
    call: dict[str, JsonValue] = Field(default_factory=dict, description="for the pipeline: num_inference_steps, guidance_scale, negative_prompt...")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(default="auto", description="auto: bfloat16 on a GPU, float32 on a CPU")
    offload: Literal["none", "model", "sequential"] = Field(default="none", description="keep on the GPU: all, the part that works, the layer that works")
    batch: int = Field(default=1, ge=1, le=256, description="photos edited at once, by pipelines that can")
    deadline_s: float = Field(default=900.0, gt=0, description="per candidate")


class Editor:
    """A pipeline that edits photos.

    Args:
        pipeline: of diffusers, on its device.
        name: what rows record: class, checkpoint, how it is called, precision.
        call: further arguments of every call.
        batch: photos at once.

    Raises:
        RecipeError: the pipeline edits no photos, or takes no argument of that name.
    """

    def __init__(self, pipeline: Any, name: str, call: Mapping[str, Any], batch: int) -> None:
        self._pipeline, self._call = pipeline, dict(call)
        self.name = name
        self._takes = check_call(type(pipeline), call)
        self._batch = batch if type(pipeline).__name__ in BATCHED else 1
        processor = getattr(pipeline, "image_processor", None)
        self._multiple = int(getattr(getattr(processor, "config", None), "vae_scale_factor", MULTIPLE_PX))

    def make(self, orders: Sequence[Order]) -> list[Srgb | BadSample]:
        """Return what the pipeline made of the photos, in its own sizes.

        In float32 a batch gives what its photos give alone but for a rounding of one 8-bit level here and there, because
        sums are taken in another order; in bfloat16 for a few levels. A batch that does not fit into memory is halved.
        """
        made: dict[int, Srgb | BadSample] = {}
        for chosen in _alike(orders, self._batch):
            made |= zip(chosen, self._fitted([orders[at] for at in chosen]), strict=True)
        return [made[at] for at in range(len(orders))]

    def _fitted(self, orders: list[Order]) -> list[Srgb | BadSample]:
        """Return the candidates of orders of one size, in as many calls as the memory asks for."""
        import torch

        try:
            return self._edited(orders)
        except torch.OutOfMemoryError as error:
            story = str(error).splitlines()[0]  # the error itself holds the tensors of the call that failed
        torch.cuda.empty_cache()
        if len(orders) == 1:
            return [BadSample(Reason.OUT_OF_MEMORY, f"too large for the editor, even alone; `offload: model` takes less: {story}")]
        half = len(orders) // 2
        return self._fitted(orders[:half]) + self._fitted(orders[half:])

    def _edited(self, orders: list[Order]) -> list[Srgb | BadSample]:
        """Return the candidates of one call; one order is a call without lists."""
        import torch
        from PIL import Image

        photos = [Image.fromarray(_filled(order.pixels, self._multiple)) for order in orders]
        generators = [torch.Generator("cpu").manual_seed(order.seed) for order in orders]
        one = len(orders) == 1
        given = {name: value if one or name not in PER_PROMPT else [value] * len(orders) for name, value in self._call.items()}
        given |= {"output_type": "pil"} if "output_type" in self._takes else {}
        if type(self._pipeline).__name__ in SQUARE:
            given = {"width": photos[0].width, "height": photos[0].height, **given}
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(orders[0].seed)  # for a pipeline that draws something beside its generator
            answer = self._pipeline(
                image=photos[0] if one else photos,
                prompt=orders[0].prompt if one else [order.prompt for order in orders],
                generator=generators[0] if one else generators,
                **given,
            )
        return self._read(answer, orders)

    def _read(self, answer: Any, orders: list[Order]) -> list[Srgb | BadSample]:
        """Return the pictures of an answer, or why one is none."""
        pictures = getattr(answer, "images", None)
        if not isinstance(pictures, list) or len(pictures) != len(orders):
            raise RunError(f"{self.name} answered {type(answer).__name__} without one picture for each of {len(orders)} photos: no editor that we can use")
        unsafe = getattr(answer, "nsfw_content_detected", None) or [False] * len(orders)
        made: list[Srgb | BadSample] = []
        for picture, bad, order in zip(pictures, unsafe, orders, strict=True):
            refused = BadSample(Reason.REFUSED_BY_MAKER, "the pipeline's safety checker blacked it out")
            made.append(refused if bad else _picture(np.array(picture.convert("RGB")), order, self._multiple))
        return made


def check_call(pipeline: type, call: Mapping[str, Any]) -> set[str]:
    """Return what a pipeline's call takes by name.

    Raises:
        RecipeError: it edits no photos, wants a mask, or takes no argument of a name in `call`.
    """
    listed = inspect.signature(pipeline.__call__).parameters.values()
    takes = {one.name for one in listed if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}} - {"self"}
    if not {"image", "prompt"} <= takes or "mask_image" in takes:
        raise RecipeError(f"{pipeline.__name__} does not edit a photo by an instruction: a pipeline that takes `image` and `prompt`, and no mask, is needed")
    for name in call:
        if name in OURS:
            raise RecipeError(f"`call.{name}` is given by the job")
        if name not in takes:
            raise RecipeError(f"`call.{name}`: {pipeline.__name__} takes no such argument; {nearest(name, takes - set(OURS))}")
    return takes


def _alike(orders: Sequence[Order], batch: int) -> list[list[int]]:
    """Return which orders share a call: of one size, so many at most."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for at, order in enumerate(orders):
        sizes.setdefault(order.pixels.shape, []).append(at)
    return [found[begin : begin + batch] for found in sizes.values() for begin in range(0, len(found), batch)]


def _filled(photo: Srgb, multiple: int) -> Srgb:
    """Return a photo mirrored at its right and lower edge to a multiple."""
    return cv2.copyMakeBorder(photo, 0, -photo.shape[0] % multiple, 0, -photo.shape[1] % multiple, cv2.BORDER_REFLECT_101)


def _picture(made: Srgb, order: Order, multiple: int) -> Srgb | BadSample:
    """Return a candidate without what was mirrored at its edges, in whatever size it came; or why it is none."""
    if not made.any() and order.pixels.any():
        return BadSample(Reason.NO_CANDIDATE, "the picture is black all over: a number overflowed, in float16 most likely")
    (height, width), (tall, wide) = order.pixels.shape[:2], made.shape[:2]
    full_height, full_width = height + -height % multiple, width + -width % multiple
    return np.ascontiguousarray(made[: round(tall * height / full_height), : round(wide * width / full_width)])


def open_maker(settings: EditorSettings, device: str | None) -> Maker:
    """Open a pipeline.

    Raises:
        MissingModel: it is not on this machine, its class is not installed, or a library is missing; says what to run.
        RecipeError: it edits no photos, or takes no argument of a name in `call`.
    """
    torch, diffusers = (checkpoints.library(name, WHAT, EXTRA) for name in ("torch", "diffusers"))
    snapshot = snapshots.find(settings.model, NAMES, WHAT, EXTRA)
    check_call(_class(snapshot, diffusers), settings.call)  # before tens of gigabytes are read
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    auto = "bfloat16" if device.startswith("cuda") else "float32"
    precision = auto if settings.precision == "auto" else settings.precision
    diffusers.utils.logging.disable_progress_bar()
    options = {**checkpoints.LOCAL, "use_safetensors": True, "torch_dtype": getattr(torch, precision)}
    try:
        with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # newer ones call it `dtype`; Step1X-Edit's and RealRestorer's know no such word
            pipeline = diffusers.DiffusionPipeline.from_pretrained(str(snapshot.folder), **options)
    except UNREADABLE as error:
        raise MissingModel(f"{snapshot.folder} holds no pipeline that diffusers {diffusers.__version__} can load with safetensors: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    _place(pipeline, settings.offload, device)
    told = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(settings.call.items()))
    name = ", ".join(word for word in (f"{type(pipeline).__name__} {snapshot.name}", told, precision) if word)
    return Editor(pipeline, name, settings.call, settings.batch)


def _class(snapshot: Snapshot, diffusers: Any) -> type:
    """Return the class of a pipeline; raises MissingModel where the installed diffusers has none of that name."""
    named = snapshot.parts["_class_name"]
    found = getattr(diffusers, named, None) if isinstance(named, str) else None
    if not isinstance(found, type):
        raise MissingModel(
            f"{snapshot.name} is a pipeline of the class {named}, which diffusers {diffusers.__version__} does not have: install a diffusers that has it "
            "(the model's card says which); code that comes with a model is not run"
        )
    return found


def _place(pipeline: Any, offload: str, device: str) -> None:
    """Bring a pipeline to its device, or arrange that its parts come when they are needed."""
    if offload == "none" or not device.startswith("cuda"):
        pipeline.to(device)
        return
    try:
        importlib.import_module("accelerate")
    except ImportError as error:
        raise MissingModel(f"`offload: {offload}` needs accelerate: pip install 'patina[{EXTRA}]'") from error
    (pipeline.enable_model_cpu_offload if offload == "model" else pipeline.enable_sequential_cpu_offload)(device=device)


def wants(settings: EditorSettings) -> Wants:
    """Return what a worker takes: a GPU where there is one."""
    return Wants(gpus=1.0, batch=settings.batch, deadline_s=settings.deadline_s)


ABOUT = "an image-editing pipeline of diffusers (Qwen-Image-Edit, FLUX Kontext, InstructPix2Pix...)"
KIND = Kind("editor", ABOUT, EditorSettings, open_maker, wants, pace=PACE)
