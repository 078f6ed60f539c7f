"""Weights in a file to a network of 1x: by spandrel, which tells the architecture from the names and shapes of the weights alone.

Files are read as weights and nothing else: safetensors, or torch's own format with `weights_only`, which runs no code of the
file. Architectures under licences of their own (Restormer, MPRNet, SRFormer...) are in the package `spandrel_extra_arches`, and
are known here when it is installed.
"""

from __future__ import annotations

import importlib.util
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import MissingModel
from degrade.scene import checkpoints

WHAT, EXTRA = "restoration networks", "network"
ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt")
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, AssertionError, IndexError, pickle.UnpicklingError)


class Network(NamedTuple):
    """A network on the CPU, and what it is."""

    descriptor: Any  # spandrel's: takes and gives 1xCxHxW in 0..1, and pads what its architecture needs padded
    fold: int  # px of a side that the network sees as one, with 3 fold^2 channels; 1 for most
    name: str  # architecture, file and its hash


def open_file(file: str) -> Network:
    """Return the network whose weights are in a file.

    Args:
        file: its path, or its name in `$PATINA_MODELS`.

    Raises:
        MissingModel: there is no such file, it holds no weights that we can read or spandrel knows, or its network changes the size.
    """
    path = _found(file)
    spandrel, safetensors = (checkpoints.library(name, WHAT, EXTRA) for name in ("spandrel", "safetensors"))
    try:
        state = spandrel.canonicalize_state_dict(_read(path))
    except (*UNREADABLE, safetensors.SafetensorError) as error:
        raise MissingModel(f"{path} cannot be read as weights alone: {_short(error)}; save it as safetensors") from error
    try:
        descriptor = spandrel.ModelLoader(registry=_registry(spandrel)).load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        more = "" if importlib.util.find_spec("spandrel_extra_arches") else "; some, as Restormer, need: pip install spandrel_extra_arches"
        raise MissingModel(f"{path} is of no architecture that spandrel {spandrel.__version__} knows{more}") from error
    except UNREADABLE as error:
        raise MissingModel(f"{path} does not fit the architecture that its names announce: {_short(error)}") from error
    fold = _fold(descriptor, spandrel, path)
    return Network(descriptor.eval(), fold, f"{descriptor.architecture.name} {path.name}@{checkpoints.sha256(path)[:16]}")


def _found(file: str) -> Path:
    for path in (Path(file), checkpoints.folder() / file):
        if path.is_file():
            if path.suffix.lower() not in ENDINGS:
                raise MissingModel(f"{path}: weights are read from {', '.join(ENDINGS)}")
            return path
    raise MissingModel(f"there are no weights at {file}, nor of that name in {checkpoints.folder()}: put the file there, or give its path")


def _read(path: Path) -> dict[str, Any]:
    """Return what is in a file of weights, running none of it."""
    if path.suffix.lower() == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise TypeError(f"it holds a {type(state).__name__}, not a table of weights")
    return state


def _registry(spandrel: Any) -> Any:
    """Return the architectures that are known on this machine."""
    known = spandrel.ArchRegistry()
    known.add(*spandrel.MAIN_REGISTRY)
    if importlib.util.find_spec("spandrel_extra_arches"):
        known.add(*importlib.import_module("spandrel_extra_arches").EXTRA_REGISTRY, ignore_duplicates=True)
    return known


def _fold(descriptor: Any, spandrel: Any, path: Path) -> int:
    """Return how many px of a side a network sees as one; raises MissingModel where it is not from a photo to a photo of its size."""
    name, scale = descriptor.architecture.name, descriptor.scale
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise MissingModel(f"{path}: {name} fills masked holes; a network that takes a photo alone is needed")
    if descriptor.purpose == "FaceSR":
        raise MissingModel(f"{path}: {name} restores faces that were cut out and aligned, not photos")
    if scale != 1:
        raise MissingModel(f"{path}: this {name} enlarges {scale} times; the clean side must have the size of the photo, so that only networks of 1x are used")
    seen, given = descriptor.input_channels, descriptor.output_channels
    fold = math.isqrt(seen // 3)
    if seen != given or seen != 3 * fold**2:
        raise MissingModel(f"{path}: this {name} takes {seen} channels and gives {given}; one for colour photos (3 to 3) is needed")
    return fold


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
