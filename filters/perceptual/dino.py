"""DINOv2 patch similarity: does each place still show the same thing (Oquab et al., "DINOv2: Learning Robust Visual Features", TMLR 2024).

Both sides go through one vision transformer; the cosine of corresponding patch tokens says whether a place kept its content,
much less moved by brightness, noise or haze than pixels are. The mean speaks for the picture, the 5th percentile of the
patches for a region that was rewritten (more than a twentieth of the picture; what is smaller, LPIPS' worst tile sees), the
class token for the scene. Networks and weights are timm's, offline: a folder as
timm saves it, or such a folder in Hugging Face's cache. Register and class tokens are no places and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.scene import checkpoints
from filters.perceptual import shapes
from filters.perceptual.shapes import Sides

NAMES: Final = {
    "dinov2_small": "timm/vit_small_patch14_dinov2.lvd142m",
    "dinov2_base": "timm/vit_base_patch14_dinov2.lvd142m",
    "dinov2_large": "timm/vit_large_patch14_dinov2.lvd142m",
    "dinov2_small_reg": "timm/vit_small_patch14_reg4_dinov2.lvd142m",
    "dinov2_base_reg": "timm/vit_base_patch14_reg4_dinov2.lvd142m",
}
CONFIG, WEIGHTS = "config.json", "model.safetensors"
WORST: Final = 0.05  # quantile of the patches
WHAT: Final = "patch similarities"


class Similarity(NamedTuple):
    """How alike two pictures are in content, cosines from -1 to 1."""

    mean: float  # over patches
    worst: float  # 5th percentile of the patches
    scene: float  # of the pooled token


class Dino:
    """A vision transformer of timm, opened once.

    Args:
        name: a short name of `NAMES`, a hub id of a timm model, either with `@revision` if wanted, or a folder that timm saved.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: not on this machine, not a vision transformer, damaged, or a library missing; says what to run.
    """

    def __init__(self, name: str, device: str | None = None) -> None:
        torch, library = (checkpoints.library(needed, WHAT, "dino") for needed in ("torch", "timm"))
        folder, self.maker = _folder(name)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        network = _network(library, folder)
        self._network = network.requires_grad_(requires_grad=False).eval().to(self.device)
        self._patch_px: tuple[int, int] = tuple(network.patch_embed.patch_size)
        self._mean, self._std = (
            torch.tensor(network.pretrained_cfg[key], device=self.device).mul(255).view(3, 1, 1) for key in ("mean", "std")
        )

    def prepare(self, clean: Srgb, degraded: Srgb, longest_px: int) -> Sides:
        """Return both sides as the network gets them, 2xHxWx3: the longer side so long, both in whole patches."""
        height, width = clean.shape[:2]
        scale = longest_px / max(height, width)
        tall, wide = (max(1, round(side * scale / patch)) * patch for side, patch in zip((height, width), self._patch_px, strict=True))
        return shapes.sides(clean, degraded, (wide, tall))

    def similarities(self, pairs: Sequence[Sides]) -> list[Similarity]:
        """Return how alike the two sides of each pair are; any mix of sizes. Batches change a number by less than 1e-5."""
        import torch

        found: dict[int, Similarity] = {}
        for places, stack in shapes.by_shape(pairs):
            with torch.inference_mode():
                rows = self._compared(torch.from_numpy(stack).to(self.device)).tolist()
            found |= {place: Similarity(*row) for place, row in zip(places, rows, strict=True)}
        return [found[place] for place in range(len(pairs))]

    def _compared(self, stack: Any) -> Any:
        """Return mean, worst and scene of each pair, Nx3, from Nx2xHxWx3 uint8."""
        import torch

        cosine = torch.nn.functional.cosine_similarity
        pixels = stack.flatten(0, 1).permute(0, 3, 1, 2).float().sub_(self._mean).div_(self._std)
        tokens = self._network.forward_features(pixels)
        scenes = self._network.forward_head(tokens, pre_logits=True).unflatten(0, (-1, 2))
        patches = tokens[:, self._network.num_prefix_tokens :].unflatten(0, (-1, 2))
        alike = cosine(patches[:, 0], patches[:, 1], dim=-1)
        return torch.stack([alike.mean(dim=1), alike.quantile(WORST, dim=1), cosine(scenes[:, 0], scenes[:, 1], dim=-1)], dim=1)


def _folder(name: str) -> tuple[Path, str]:
    """Return the folder of a checkpoint, and its maker."""
    found, revision = checkpoints.source(name, NAMES, "patch feature")
    folder = Path(found)
    if folder.is_dir():
        if not _whole(folder):
            raise MissingModel(f"{folder} holds no {CONFIG} and {WEIGHTS} as timm saves them (timm.models.save_for_hf)")
        return folder, f"{found}@{checkpoints.sha256(folder / WEIGHTS)[:16]}"
    hub = checkpoints.library("huggingface_hub", WHAT, "dino")
    missing = f"the model {name} is not on this machine: hf download {found} {CONFIG} {WEIGHTS}" + (f" --revision {revision}" if revision else "")
    try:
        folder = Path(hub.snapshot_download(found, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        raise MissingModel(missing) from error
    if not _whole(folder):
        raise MissingModel(missing)
    return folder, f"{found}@{folder.name}"  # the cache names a snapshot by its commit


def _whole(folder: Path) -> bool:
    return all((folder / file).is_file() for file in (CONFIG, WEIGHTS))


def _network(library: Any, folder: Path) -> Any:
    """Return timm's network with the folder's weights, for pictures of any size."""
    import torch
    from safetensors import SafetensorError

    try:
        with torch.random.fork_rng(devices=[]):  # timm draws weights before it loads them
            network = library.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0, dynamic_img_size=True)
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise MissingModel(f"{folder} holds no vision transformer that timm can load: {error}") from error
    if not hasattr(network, "num_prefix_tokens"):
        raise MissingModel(f"{folder} holds {type(network).__name__}, which has no patch tokens: take a vision transformer, e.g. dinov2_small")
    return network
