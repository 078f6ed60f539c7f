"""Pipelines of the hub on this machine: the folder of a snapshot and the commit that it is of; or a folder of the user's own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import MissingModel
from degrade.scene import checkpoints

INDEX = "model_index.json"  # every folder of a diffusers pipeline has one
SAMPLE, STEP = 1 << 16, 1 << 24  # bytes that are hashed, of so many


class Snapshot(NamedTuple):
    """A pipeline's folder."""

    folder: Path
    name: str  # hub id and commit, or folder and a hash of what is in it
    parts: dict[str, Any]  # its class and the classes of its parts


def find(model: str, names: dict[str, str], what: str, extra: str) -> Snapshot:
    """Return the folder of a pipeline.

    Args:
        model: a short name, a hub id, either with `@revision` if wanted, or a folder.
        names: short names and their hub ids.
        what: kind of model, for messages.
        extra: of patina, that installs what is needed.

    Raises:
        MissingModel: unknown name, or not on this machine; says what gets it.
    """
    source, revision = checkpoints.source(model, names, what)
    if Path(source).is_dir():
        folder = Path(source)
        index = _index(folder, f"{folder} holds no {INDEX}: give the folder that a diffusers pipeline was saved to")
        return Snapshot(folder, f"{source}@{digest(folder)[:16]}", index)
    hub = checkpoints.library("huggingface_hub", what, extra)
    command = f"hf download {source}" + (f" --revision {revision}" if revision else "")
    try:
        folder = Path(hub.snapshot_download(source, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        raise MissingModel(f"the {what} model {model} is not on this machine: {command}") from error
    return Snapshot(folder, f"{source}@{folder.name}", _index(folder, f"{model} is no diffusers pipeline, or not all of it is here: {command}"))


def digest(folder: Path) -> str:
    """Return a hash of a folder: every name and size, every small file, and of large ones the first 64 KiB of every 16 MiB.

    Weights are tens of gigabytes, and whatever trains them changes all of a tensor: a sample in every 16 MiB tells.
    """
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in name.parts) or path.suffix == ".md":
            continue
        size = path.stat().st_size
        total.update(f"{name.as_posix()}\0{size}\0".encode())
        with open(path, "rb") as file:
            if size <= STEP:
                total.update(file.read())
                continue
            for begin in range(0, size, STEP):
                file.seek(begin)
                total.update(file.read(SAMPLE))
    return total.hexdigest()


def _index(folder: Path, otherwise: str) -> dict[str, Any]:
    """Return what a pipeline says it is made of."""
    try:
        told = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingModel(otherwise) from error
    if not isinstance(told, dict) or "_class_name" not in told:
        raise MissingModel(otherwise)
    return told
