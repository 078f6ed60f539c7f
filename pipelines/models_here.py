"""Which models are on this machine, and the command that gets each of the others: told without opening one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from degrade.errors import MissingModel
from degrade.scene import checkpoints, mask_models, models, sam_weights
from filters import open_clip_models
from filters.marks import network as marks
from filters.perceptual import detector_files, dino, lpips
from filters.vlm import local
from pipelines.makers import editor


class Check(NamedTuple):
    """One line of the doctor's answer."""

    what: str
    there: bool
    detail: str


class OnHub(NamedTuple):
    """Checkpoints that lie in the Hugging Face cache."""

    kind: str
    extra: str
    names: Mapping[str, str]
    file: str = "config.json"
    pinned: Mapping[str, str] = {}


HUB = (
    OnHub("depth", "depth", models.NAMES),
    OnHub("segments", "sam", mask_models.NAMES),
    OnHub("clip", "clip", open_clip_models.NAMES, open_clip_models.CONFIG),
    OnHub("severity", "vlm", local.NAMES, pinned=local.PINNED),
    OnHub("fidelity", "dino", dino.NAMES),
    OnHub("editor", editor.EXTRA, editor.NAMES, "model_index.json"),
)


def models_here() -> list[Check]:
    """Return every model that a recipe may name by a short name."""
    stand_ins = [Check("depth: geometric", True, "stand-in, needs no weights"), Check("segments: superpixels", True, "stand-in, needs no weights")]
    return [*stand_ins, *(_on_hub(listed, name) for listed in HUB for name in listed.names), *_files()]


def _on_hub(listed: OnHub, name: str) -> Check:
    """Say whether a checkpoint lies in the cache, without loading it."""
    source, _, revision = listed.names[name].partition("@")
    revision = revision or listed.pinned.get(source, "")
    command = f"hf download {source}" + (f" --revision {revision}" if revision else "")
    what = f"{listed.kind}: {name}"
    if importlib.util.find_spec("huggingface_hub") is None:
        return Check(what, there=False, detail=f"pip install 'patina[{listed.extra}]', then: {command}")
    from huggingface_hub import try_to_load_from_cache

    there = isinstance(try_to_load_from_cache(source, listed.file, revision=revision or None), str)
    return Check(what, there, source if there else f"to get it: {command}")


def _files() -> list[Check]:
    """Say whether weights that are single files are where they are looked for."""
    folder = checkpoints.folder()
    segments = {f"segments: {name}": (folder / told.file, f"{sam_weights.URL}{told.file}") for name, told in sam_weights.PUBLISHED.items()}
    detectors = {f"fidelity: {name}": (folder / told.file, f"{detector_files.ZOO}{told.folder}/{told.file}") for name, told in detector_files.PUBLISHED.items()}
    watermarks = {f"watermark: {name}": (folder / file, url) for name, (file, url) in marks.PUBLISHED.items()}
    files = {**segments, **detectors, **watermarks}
    return [*(_file(what, path, url) for what, (path, url) in files.items()), *(_backbone(name) for name in lpips.BACKBONES)]


def _file(what: str, path: Path, url: str) -> Check:
    return Check(what, path.is_file(), str(path) if path.is_file() else f"to get it: curl -L --create-dirs -o {path} {url}")


def _backbone(name: str) -> Check:
    what = f"fidelity: lpips {name}"
    if importlib.util.find_spec("lpips") is None:
        return Check(what, there=False, detail="pip install 'patina[lpips]'")
    try:
        return Check(what, there=True, detail=str(lpips.find(name)[0]))
    except MissingModel as missing:
        return Check(what, there=False, detail=f"to get it: {str(missing).partition(': ')[2]}")
