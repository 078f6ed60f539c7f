"""Real checkpoints with small random weights, written as the libraries write them: timm's folder, torchvision's state files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ARGUMENTS: dict[str, Any] = {"img_size": 56, "embed_dim": 32, "depth": 2, "num_heads": 2}


def tiny_dino(folder: Path, registers: int = 0) -> Path:
    """Save a DINOv2 of two layers as timm does, 0.1 MB."""
    import timm
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model(f"vit_small_patch14{'_reg4' if registers else ''}_dinov2", num_classes=0, init_values=0.5, **ARGUMENTS)
    timm.models.save_for_hf(network, folder, model_args={**ARGUMENTS, "init_values": 0.5}, safe_serialization=True)
    return folder


def backbone(path: Path, net: str = "alex") -> Path:
    """Save the features of a classifier of torchvision's shape with random weights, under torchvision's names."""
    import torch
    import torchvision

    build = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16, "squeeze": torchvision.models.squeezenet1_1}[net]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in build(weights=None).state_dict().items() if name.startswith("features.")}
        draw = torch.Generator().manual_seed(0)
        state = {name: torch.randn(shape, generator=draw) * (2 / max(1, shape[1:].numel())) ** 0.5 for name, shape in shapes.items()}
    torch.save(state, path)
    return path
