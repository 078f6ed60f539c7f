"""CLIP checkpoints through open_clip's own door: by short name, hub id, pretrained tag or folder, on this machine only.

Everything becomes a folder first (a hub id: its snapshot in the local cache), and the folder is opened by `local-dir:`, so that
nothing is ever fetched. A checkpoint without weights is refused: open_clip would warn, and score with random numbers.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.keys import nearest
from degrade.scene import checkpoints
from filters.language.margins import Vectors
from filters.language.views import INTERPOLATIONS, Sight

NAMES = {
    "vit_l_14": "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K@84c9828e63dc9a9351d1fe637c346d4c1c4db341",
    "vit_b_16": "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    "vit_b_32": "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
}
WHAT = "CLIP models"
CONFIG = "open_clip_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")  # in open_clip's order; all but the first are read with weights_only=True
CHUNK_GPU, CHUNK_CPU, CHUNK_WORDS = 64, 16, 64  # at once through a network


class Place(NamedTuple):
    """A checkpoint on this machine."""

    folder: Path
    maker: str  # hub id at its commit, or the folder's name with the digest of its weights and configuration


class OpenClip:
    """A CLIP network, opened once; maps sayings and views to unit vectors.

    Args:
        name: a short name of `NAMES`, a hub id, optionally with `@revision`, an open_clip model and tag (`ViT-B-32:laion2b_s34b_b79k`), or a
            folder that holds `open_clip_config.json` and weights.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: unknown name, checkpoint not on this machine or not what it should be, or a library missing; says what to run.
    """

    def __init__(self, name: str, device: str | None = None) -> None:
        torch, library = (checkpoints.library(module, WHAT, "clip") for module in ("torch", "open_clip"))
        place = find(name)
        self._network, self._tokenizer = _opened(library, place.folder)
        self._network.eval().requires_grad_(False)
        self.maker = place.maker
        self.sight = Sight.of(self._network.visual.preprocess_cfg)
        if self.sight.interpolation not in INTERPOLATIONS:
            raise MissingModel(f"{place.folder / CONFIG}: interpolation `{self.sight.interpolation}`; {nearest(self.sight.interpolation, INTERPOLATIONS)}")
        self.scale = float(self._network.logit_scale.exp())
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network.to(self.device)
        self._mean, self._std = (torch.tensor(values).mul(255).view(1, 3, 1, 1).to(self.device) for values in (self.sight.mean, self.sight.std))
        self._low = False  # sayings are few and asked once: they are read in full precision

    def words(self, sayings: Sequence[str]) -> Vectors:
        """Return the unit vectors of sayings, n x d float32. To be called before `views`, which may lower the precision."""
        import torch

        if self._low:
            raise RuntimeError("the network sees in bfloat16 now: read all sayings before the first views")
        found = []
        with torch.inference_mode():
            for at in range(0, len(sayings), CHUNK_WORDS):
                tokens = self._tokenizer(list(sayings[at : at + CHUNK_WORDS])).to(self.device)
                found.append(self._network.encode_text(tokens, normalize=True).float().cpu().numpy())
        return np.concatenate(found)

    def views(self, views: Sequence[Srgb]) -> Vectors:
        """Return the unit vectors of views, n x d float32, in float32 on a CPU and bfloat16 on a GPU.

        A vector depends on its own view alone: to 1e-5 on a CPU; on a GPU every chunk has one shape, so that the same kernels run.

        Args:
            views: uint8, each of the checkpoint's size, see `filters.language.views`.
        """
        import torch

        on_gpu = self.device.type == "cuda"
        if on_gpu and not self._low:
            self._network.to(torch.bfloat16)
            self._low = True
        found = []
        with torch.inference_mode():
            for chunk in _chunks(views, CHUNK_GPU if on_gpu else CHUNK_CPU, whole=on_gpu):
                vectors = self._network.encode_image(self._normal(chunk), normalize=False).float()
                found.append(torch.nn.functional.normalize(vectors, dim=-1))
            everything = torch.cat(found)[: len(views)].cpu()  # one wait for all chunks: the next is stacked while the last computes
        return np.asarray(everything.numpy(), np.float32)

    def _normal(self, chunk: Any) -> Any:
        """Return a chunk of views, n x height x width x 3 uint8, as the network's input."""
        import torch

        raw = torch.from_numpy(chunk)
        if self.device.type == "cuda":
            raw = raw.pin_memory().to(self.device, non_blocking=True)
        return raw.permute(0, 3, 1, 2).float().sub_(self._mean).div_(self._std).to(torch.bfloat16 if self._low else torch.float32)


def find(name: str) -> Place:
    """Return where a checkpoint lies; raises MissingModel with the command that fetches it."""
    plain = name.removeprefix("local-dir:").removeprefix("hf-hub:")
    if Path(plain).is_dir():
        return _local(Path(plain))
    asked = NAMES.get(plain, plain)
    repository, _, revision = (_tagged(asked) if ":" in asked else asked).partition("@")
    if repository.count("/") != 1 or repository.startswith(("/", ".")):
        raise MissingModel(f"no CLIP model is called `{name}`; {_nearest(repository)}; or give a hub id, an open_clip `MODEL:TAG`, or a folder")
    return _cached(repository, revision or None)


def _local(folder: Path) -> Place:
    """Return a user's folder; its maker is the content, so that other machines may keep it elsewhere."""
    files = _weights(folder, f"put them into {folder}"), folder / CONFIG
    digest = hashlib.sha256("".join(checkpoints.sha256(file) for file in files).encode()).hexdigest()
    return Place(folder, f"{folder.resolve().name}@sha256:{digest[:16]}")


def _nearest(name: str) -> str:
    library = checkpoints.library("open_clip", WHAT, "clip")
    if name in library.list_models():
        return f"an architecture alone has random weights: {nearest(name, [f'{name}:{tag}' for tag in library.list_pretrained_tags_by_model(name)])}"
    return nearest(name, NAMES)


def _tagged(name: str) -> str:
    """Return the hub id behind an open_clip model and tag."""
    library = checkpoints.library("open_clip", WHAT, "clip")
    model, _, tag = name.partition(":")
    if model not in library.list_models():
        raise MissingModel(f"open_clip has no model `{model}`; {nearest(model, library.list_models())}")
    tags = library.list_pretrained_tags_by_model(model)
    if tag not in tags:
        raise MissingModel(f"open_clip has no weights `{tag}` for {model}; {nearest(tag, tags)}")
    hub = str(library.get_pretrained_cfg(model, tag).get("hf_hub", ""))
    if not hub.endswith("/"):
        raise MissingModel(f"{name} is no open_clip repository but a single file ({hub}): save it as a folder with {CONFIG}")
    return hub.rstrip("/")


def _cached(repository: str, revision: str | None) -> Place:
    """Return the snapshot of a hub repository in the local cache."""
    hub = checkpoints.library("huggingface_hub", WHAT, "clip")
    command = f"hf download {repository}" + (f" --revision {revision}" if revision else "")
    try:
        folder = Path(hub.snapshot_download(repository, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        at = f" at revision {revision}" if revision else ""
        raise MissingModel(f"the CLIP model {repository}{at} is not on this machine: {command}") from error
    _weights(folder, command)
    return Place(folder, f"{repository}@{folder.name}")


def _weights(folder: Path, how: str) -> Path:
    """Return the weights in a folder, after checking that it is open_clip's; `how` tells where to get what is missing."""
    if not (folder / CONFIG).is_file():
        raise MissingModel(f"{folder} holds no {CONFIG}: it is no open_clip checkpoint; give a folder that open_clip saved, or {how}")
    for pattern in WEIGHTS:
        if found := sorted(folder.glob(pattern)):
            return found[0]
    raise MissingModel(f"{folder} holds no weights ({', '.join(WEIGHTS)}), and random ones score nothing: {how}")


def _opened(library: Any, folder: Path) -> tuple[Any, Any]:
    """Return a checkpoint's network and tokenizer, from files alone."""
    safetensors = checkpoints.library("safetensors", WHAT, "clip")
    named = f"local-dir:{folder}"
    try:
        text = library.get_model_config(named)["text_cfg"]
        if "hf_model_name" in text:  # open_clip would ask the hub for its configuration, even with weights at hand
            raise MissingModel(f"{folder}: its text tower is `{text['hf_model_name']}` of the hub; use a checkpoint with open_clip's own text tower")
        network = library.create_model(named, require_pretrained=True)
        return network, library.get_tokenizer(named)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, safetensors.SafetensorError, pickle.UnpicklingError) as error:
        raise MissingModel(f"{folder} holds no CLIP checkpoint that open_clip can load: {error}") from error


def _chunks(views: Sequence[Srgb], size: int, *, whole: bool) -> Iterator[Any]:
    """Yield views stacked, `size` at once; the last chunk is filled up with black if `whole`."""
    for at in range(0, len(views), size):
        chunk = np.stack(views[at : at + size])
        short = size - len(chunk) if whole else 0
        yield np.concatenate([chunk, np.zeros((short, *chunk.shape[1:]), np.uint8)]) if short else chunk
