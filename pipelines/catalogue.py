"""What is there: the generators with their ranges and units (`kinds`), and this machine's libraries and models (`doctor`)."""

from __future__ import annotations

import importlib.util
import platform
from importlib import metadata
from typing import Any

import av
from PIL import features

import degrade
from degrade.contract import Generator
from pipelines.engine import cores
from pipelines.models_here import Check, models_here

EXTRAS = {
    "torch": "train",
    "transformers": "depth",
    "webdataset": "train",
    "open_clip": "clip",
    "timm": "dino",
    "lpips": "lpips",
    "diffusers": "editor",
    "spandrel": "network",
    "segment_anything": "sam",
    "pillow_heif": "heif",
    "skimage": "demo",
}
DISTRIBUTIONS = {"open_clip": "open_clip_torch", "segment_anything": "segment-anything", "pillow_heif": "pillow-heif", "skimage": "scikit-image"}
BASE = ("numpy", "opencv-python-headless", "pillow", "av", "isal", "pyarrow", "ray", "fsspec", "pydantic")
VIDEO = ("libx264", "libx265", "mpeg4", "mpeg2video")


def describe(generator: Generator[Any, Any]) -> dict[str, Any]:
    """Return what `patina kinds` says of a generator."""
    ranges = {}
    for name, info in generator.ranges.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        default = info.get_default(call_default_factory=True)
        ranges[name] = {"default": default, "unit": extra.get("unit", ""), "possible": extra.get("possible"), "meaning": info.description}
    strata = {stratum: list(generator.band(stratum)) for stratum in range(1, 6)}
    return {
        "name": generator.name,
        "version": generator.version,
        "about": generator.about,
        "stage": generator.stage.name.lower(),
        "severity": generator.severity_name,
        "unit": generator.unit,
        "strata": strata,
        "needs": list(generator.needs),
        "ranges": ranges,
        "params": list(generator.params._fields),
    }


def kinds() -> list[dict[str, Any]]:
    """Return the whole catalogue."""
    return [describe(generator) for generator in degrade.GENERATORS]


def examine() -> list[Check]:
    """Return what is installed, which models are here, and how to get what is not."""
    return [*_machine(), *_libraries(), *_codecs(), *models_here()]


def _machine() -> list[Check]:
    return [Check("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}, {cores()} cores"), _gpu()]


def _gpu() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check("gpu", False, "unknown: torch is not installed (pip install 'patina[train]')")
    import torch

    if torch.cuda.is_available():
        return Check("gpu", True, torch.cuda.get_device_name(0))
    return Check("gpu", False, "none seen by torch: models run on the processor")


def _libraries() -> list[Check]:
    found = [Check(name, True, metadata.version(name)) for name in BASE]
    for module, extra in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        name = DISTRIBUTIONS.get(module, module)
        found.append(Check(name, there, metadata.version(name) if there else f"optional: pip install 'patina[{extra}]'"))
    return found


def _codecs() -> list[Check]:
    checks = [Check(f"codec {name}", bool(features.check(name)), "Pillow") for name in ("jpg", "webp", "avif")]
    return checks + [Check(f"codec {name}", name in av.codecs_available, f"PyAV {av.__version__}") for name in VIDEO]
