"""Real classifiers with small random weights, written as LAION and timm write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

ARCHITECTURE = "test_efficientnet"  # timm's own small one


def loud(architecture: str, classes: int = 2, head: tuple[int, int] | None = None) -> Any:
    """Return a network without training whose answers differ from photo to photo, with timm's head or one of LAION's shape."""
    import timm
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = timm.create_model(architecture, pretrained=False, num_classes=classes)
        last = model.classifier
        if head is not None:
            first, second = nn.Linear(model.num_features, head[0]), nn.Linear(head[0], head[1])
            last = nn.Linear(head[1], classes)
            model.classifier = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.3), second, nn.ReLU(), last)
        greys = torch.linspace(-2, 2, 8).view(-1, 1, 1, 1) + torch.randn(8, 3, 64, 64) * torch.linspace(0, 1, 8).view(-1, 1, 1, 1)
    model.eval()
    with torch.no_grad():
        answers = model(greys)
        spread = (answers - answers.mean(dim=0)).std()
        last.bias.sub_(answers.mean(dim=0))
        last.weight.div_(spread)
        last.bias.div_(spread)
    return model


def laion_file(path: Path, architecture: str = ARCHITECTURE, head: tuple[int, int] = (12, 8)) -> Path:
    """Save a state as LAION did, or as safetensors by the ending."""
    import torch
    from safetensors.torch import save_file

    state = loud(architecture, head=head).state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def timm_folder(folder: Path, labels: Sequence[str], classes: int = 2) -> Path:
    """Save a classifier as timm does, 0.4 MB."""
    import timm

    config: dict[str, Any] = {"label_names": list(labels)} if labels else {}
    timm.models.save_for_hf(loud(ARCHITECTURE, classes), folder, model_config=config, safe_serialization=True)
    return folder
