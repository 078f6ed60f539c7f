"""A Qwen3-VL checkpoint of under a megabyte, saved as a user's would be, once per session; and the scorer that opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def saved(factory: pytest.TempPathFactory, dtype: str = "float32", **changes: Any) -> Path:
    """Return the folder of a tiny checkpoint with random weights; `changes` are of its shape."""
    pytest.importorskip("torch", reason="pip install 'patina[vlm]'")
    pytest.importorskip("transformers", reason="pip install 'patina[vlm]'")
    from benchmarks.random_qwen import SHAPES, save

    name = "_".join(["tiny_qwen", dtype, *(f"{key}_{value}" for key, value in sorted(changes.items()))])
    folder = factory.getbasetemp() / name
    if not (folder / "model.safetensors").exists():
        save(folder, SHAPES["tiny"]._replace(**changes), dtype)
    return folder


def scorer(folder: Path, **settings: Any) -> Any:
    """Return the scorer of a checkpoint, on the CPU."""
    from filters import severity

    return severity.open_scorer(severity.SeveritySettings(model=str(folder), **settings), "cpu")
