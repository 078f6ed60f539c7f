"""A real open_clip checkpoint, small and with random weights, saved as a user's would be."""

from __future__ import annotations

import json
from pathlib import Path

SIDE = 32
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.25)
MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": SIDE, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESS = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}


def network(seed: int = 0):
    """Return the network itself, as open_clip builds it."""
    import torch
    from open_clip.model import CLIP

    torch.manual_seed(seed)
    return CLIP(**MODEL)


def save(folder: Path, seed: int = 0, model=None) -> Path:
    """Write a checkpoint into a folder, which is made."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: values.contiguous() for name, values in (model or network(seed)).state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}))
    return folder
