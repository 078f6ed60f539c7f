"""Where the network that knows watermarks comes from: LAION's file, any such file, or any classifier that timm saved.

LAION's is an EfficientNet-B3 (Tan and Le, ICML 2019) whose head was replaced by three linear layers, 1536-625-256-2, with
ReLU between them; it sees the whole photo squeezed into 256x256, and its first class is "watermark"
(github.com/LAION-AI/LAION-5B-WatermarkDetection, example_use.py). The file is a pickle: it is read with `weights_only`, and
since nobody published its SHA-256, the recipe may pin the one that is to be trusted; the rows record what was loaded.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from degrade.errors import MissingModel
from degrade.keys import nearest
from degrade.scene import checkpoints

WHAT: Final = "watermark classifiers"
EXTRA: Final = "watermark"
PUBLISHED: Final = {
    "laion_v1": ("watermark_model_v1.pt", "https://github.com/LAION-AI/LAION-5B-WatermarkDetection/raw/main/models/watermark_model_v1.pt"),
}
ARCHITECTURE: Final = "efficientnet_b3"
SIZE_PX: Final = 256  # of LAION's input
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
LAYERS: Final = (0, 3, 5)  # places of the linear layers in LAION's head; ReLU follows all but the last, dropout the first
CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Network(NamedTuple):
    """A classifier, on the CPU, and what it expects."""

    model: Any  # a torch module: Nx3xHxW to logits
    size: tuple[int, int]  # width, height in px
    resampling: str  # Pillow's name
    mean: tuple[float, ...]
    std: tuple[float, ...]
    watermark: int  # the class
    maker: str


def load(name: str, *, architecture: str = ARCHITECTURE, sha256: str | None = None, watermark_class: int | None = None) -> Network:
    """Return a classifier of watermarks.

    Args:
        name: of `PUBLISHED`, to be found in `checkpoints.folder()`; the path of a `.pt` or `.safetensors` file; a folder that timm
            saved; or the hub id of one, with `@revision` if wanted.
        architecture: timm's name of the network in a single file.
        sha256: that the weights must have, if they are to be pinned.
        watermark_class: place of "watermark" among the classes; default what the labels say, in a single file the first.

    Raises:
        MissingModel: not on this machine, not what it should be, or a library missing; says what to run.
    """
    torch, timm = (checkpoints.library(library, WHAT, EXTRA) for library in ("torch", "timm"))
    with torch.random.fork_rng(devices=[]):  # networks draw weights before they are given some
        if name in PUBLISHED or Path(name).is_file():
            return _file(timm, name, architecture, sha256, watermark_class or 0)
        return _folder(timm, name, sha256, watermark_class)


def _file(timm: Any, name: str, architecture: str, sha256: str | None, watermark_class: int) -> Network:
    """Return the network of a single file of weights."""
    path = Path(name)
    if name in PUBLISHED:
        file, url = PUBLISHED[name]
        path = checkpoints.folder() / file
        if not path.is_file():
            raise MissingModel(f"the watermark classifier {name} is not on this machine: curl --create-dirs -Lo {path} {url}")
    digest = _pinned(path, sha256)
    try:
        state = timm.models.load_state_dict(str(path), weights_only=True)
        model = _built(timm, architecture, state)
        model.load_state_dict(state)
    except _unreadable() as error:
        raise MissingModel(f"{path} holds no {architecture} that tells watermarks: {error}") from error
    _refuse_class(watermark_class, model.num_classes, path)
    return Network(model, (SIZE_PX, SIZE_PX), "BILINEAR", MEAN, STD, watermark_class, f"{name}@{digest[:16]}")


def _built(timm: Any, architecture: str, state: Mapping[str, Any]) -> Any:
    """Return a network with the head that the weights have: timm's own, or LAION's."""
    from torch import nn

    if not timm.is_model(architecture):
        raise MissingModel(f"timm has no `{architecture}`; {nearest(architecture, timm.list_models())[:200]}")
    heads = [state.get(f"classifier.{place}.weight") for place in LAYERS]
    shapes = [tuple(weight.shape) for weight in heads if weight is not None]
    last = shapes[-1] if len(shapes) == len(LAYERS) else tuple(state["classifier.weight"].shape)
    model = timm.create_model(architecture, pretrained=False, num_classes=last[0])
    if len(shapes) == len(LAYERS):
        first, second, third = (nn.Linear(inputs, outputs) for outputs, inputs in shapes)
        model.classifier = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.3), second, nn.ReLU(), third)
    return model


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what torch, safetensors and timm raise for files that are not what they should be."""
    from safetensors import SafetensorError

    return (SafetensorError, pickle.UnpicklingError, OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, EOFError, AssertionError)


def _folder(timm: Any, name: str, sha256: str | None, watermark_class: int | None) -> Network:
    """Return the network of a folder that timm saved, here or in Hugging Face's cache."""
    folder, maker = _found(name)
    digest = _pinned(folder / WEIGHTS, sha256)
    try:
        model = timm.create_model(f"local-dir:{folder}", pretrained=True)
    except _unreadable() as error:
        raise MissingModel(f"{folder} holds no classifier that timm can load: {error}") from error
    config = model.pretrained_cfg
    place = _named_watermark(config.get("label_names"), folder) if watermark_class is None else watermark_class
    _refuse_class(place, model.num_classes, folder)
    _, tall, wide = config["input_size"]
    return Network(model, (wide, tall), config["interpolation"].upper(), config["mean"], config["std"], place, maker or f"{name}@{digest[:16]}")


def _found(name: str) -> tuple[Path, str]:
    """Return the folder of a checkpoint, and its maker if the hub names it."""
    if not Path(name).is_dir() and name.endswith((".pt", ".pth", ".safetensors")):
        raise MissingModel(f"there is no file {name}")
    found, revision = checkpoints.source(name, dict.fromkeys(PUBLISHED, ""), "watermark")
    folder = Path(found)
    if folder.is_dir():
        if not all((folder / file).is_file() for file in (CONFIG, WEIGHTS)):
            raise MissingModel(f"{folder} holds no {CONFIG} and {WEIGHTS} as timm saves them (timm.models.save_for_hf)")
        return folder, ""
    hub = checkpoints.library("huggingface_hub", WHAT, EXTRA)
    command = f"hf download {found} {CONFIG} {WEIGHTS}" + (f" --revision {revision}" if revision else "")
    try:
        folder = Path(hub.snapshot_download(found, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        raise MissingModel(f"the watermark classifier {name} is not on this machine: {command}") from error
    if not all((folder / file).is_file() for file in (CONFIG, WEIGHTS)):
        raise MissingModel(f"the watermark classifier {name} is not whole on this machine: {command}")
    return folder, f"{found}@{folder.name}"  # the cache names a snapshot by its commit


def _pinned(path: Path, sha256: str | None) -> str:
    """Return the SHA-256 of the weights; raises MissingModel if another is pinned."""
    digest = checkpoints.sha256(path)
    if sha256 is not None and digest != sha256.lower():
        raise MissingModel(f"{path} is not the file that was pinned: its SHA-256 is {digest}, `watermark.sha256` says {sha256}")
    return digest


def _named_watermark(labels: Any, folder: Path) -> int:
    """Return the one class whose name says watermark and not its absence."""
    names = dict(enumerate(labels)) if isinstance(labels, (list, tuple)) else {int(place): name for place, name in (labels or {}).items()}
    marked = [place for place, name in names.items() if "watermark" in name.lower() and not name.lower().startswith(("no", "un", "without"))]
    if len(marked) != 1:
        raise MissingModel(f"{folder} does not say which of its classes is watermark (labels: {list(names.values()) or 'none'}): set `watermark_class`")
    return marked[0]


def _refuse_class(place: int, classes: int, path: Path) -> None:
    if classes < 2 or not 0 <= place < classes:
        raise MissingModel(f"{path} has {classes} classes: class {place} cannot be watermark among them")
