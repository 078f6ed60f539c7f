"""Restoration networks: NAFNet, SwinIR, SCUNet, FBCNN, RetinexFormer, DnCNN and whatever else of 1x the `spandrel` library opens.

    real: {makers: {naf: {kind: network, tasks: [blur], settings: {file: NAFNet-GoPro-width64.pth}}}}

What `python -m benchmarks.train` saves is opened as well: its network sees 2x2 px as one of twelve channels, and is otherwise
a NAFNet. Photos up to `tile_px` go through whole, larger ones in tiles (`tiles.py`). On a CPU all is float32, and the same photo
gives the same bytes; on a GPU float16 where the architecture bears it, which rounds by less than a quarter of an 8-bit level,
else float32. bfloat16 must be asked for: its 8 bits of mantissa leave steps of up to a whole level in what is added to a bright photo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
from pydantic import Field

from degrade.contract import Srgb
from degrade.errors import BadSample, RunError
from degrade.scene import checkpoints
from filters.contract import Settings, Wants
from pipelines.makers import tiles, weights
from pipelines.makers.contract import Kind, Maker, Order
from pipelines.makers.tiles import Grid
from pipelines.makers.weights import Network

ALIGN_PX = 32  # photos are mirrored to a multiple of it: what the deepest U-Nets halve, five times
Precision = Literal["auto", "float32", "float16", "bfloat16"]


class NetworkSettings(Settings):
    """Which weights, and how large a photo may be before it is cut."""

    file: str = Field(description="weights: a path, or a name in $PATINA_MODELS; .safetensors or .pth")
    tile_px: int = Field(default=1152, ge=128, le=16384, description="side of the largest square that goes through at once: less needs less memory")
    overlap_px: int = Field(default=64, ge=16, le=1024, description="by which tiles overlap; a quarter of it is as far as the network may look unnoticed")
    precision: Precision = Field(default="auto", description="auto: float16 on a GPU where the architecture bears it, else float32")
    deadline_s: float = Field(default=600.0, gt=0, description="per photo; large transformers on a CPU are slow")


class Restorer:
    """A network that restores photos.

    Args:
        network: opened, on the CPU.
        settings: from the recipe.
        device: of torch.

    Raises:
        RunError: the architecture does not bear the precision that is asked for.
    """

    def __init__(self, network: Network, settings: NetworkSettings, device: str) -> None:
        import torch

        precision = _precision(network, settings.precision, device)
        self._type, self._device, self._fold = getattr(torch, precision), device, network.fold
        self._descriptor = network.descriptor.to(device=torch.device(device), dtype=self._type)
        needs = network.descriptor.size_requirements.multiple_of * network.fold
        self._grid = Grid.near(settings.tile_px, settings.overlap_px, math.lcm(ALIGN_PX, needs))
        self.name = f"{network.name}, {precision}, tiles of {self._grid.tile} px overlapping by {self._grid.overlap}"

    def make(self, orders: Sequence[Order]) -> list[Srgb | BadSample]:
        """Return the restored photos, each of the size that it came in.

        Raises:
            RunError: a tile does not fit into memory, or the network gives numbers that are none.
        """
        return [self._restored(order.pixels) for order in orders]

    def _restored(self, photo: Srgb) -> Srgb:
        import torch

        height, width = photo.shape[:2]
        below, beside = -height % self._grid.align, -width % self._grid.align
        filled = cv2.copyMakeBorder(photo, 0, below, 0, beside, cv2.BORDER_REFLECT_101)
        picture = torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255.0
        try:
            made = tiles.apply(picture, self._tile, self._grid)
        except torch.OutOfMemoryError as error:
            raise RunError(f"{self.name}: a tile does not fit into the GPU's memory; set a smaller `tile_px`, or `precision: float16`") from error
        if not bool(torch.isfinite(made).all()):
            raise RunError(f"{self.name} gives numbers that are none; set `precision: float32`")
        whole = made[0, :, :height, :width].clamp(0.0, 1.0).mul(255.0).round().byte()
        return np.ascontiguousarray(whole.permute(1, 2, 0).numpy())

    def _tile(self, picture: Any) -> Any:
        """Return what the network makes of 1x3xHxW."""
        from torch.nn import functional

        seen = picture.to(self._device, self._type)
        if self._fold == 1:
            return self._descriptor(seen)
        return functional.pixel_shuffle(self._descriptor(functional.pixel_unshuffle(seen, self._fold)), self._fold)


def _precision(network: Network, asked: Precision, device: str) -> str:
    """Return what the network computes in; raises RunError for what its architecture does not bear."""
    bears = {"float32": True, "float16": network.descriptor.supports_half, "bfloat16": network.descriptor.supports_bfloat16}
    if asked == "auto":
        return "float16" if device.startswith("cuda") and bears["float16"] else "float32"
    if not bears[asked]:
        raise RunError(f"{network.name} does not bear {asked}, says spandrel: set `precision` to {' or '.join(name for name, can in bears.items() if can)}")
    return asked


def open_maker(settings: NetworkSettings, device: str | None) -> Maker:
    """Open a network; raises MissingModel, which says what to get."""
    torch = checkpoints.library("torch", weights.WHAT, weights.EXTRA)
    return Restorer(weights.open_file(settings.file), settings, device or ("cuda" if torch.cuda.is_available() else "cpu"))


def wants(settings: NetworkSettings) -> Wants:
    """Return what a worker takes: a GPU where there is one."""
    return Wants(gpus=1.0, batch=4, deadline_s=settings.deadline_s)


ABOUT = "a restoration network that spandrel opens (NAFNet, SwinIR, SCUNet...), or one of our trainer"
KIND = Kind("network", ABOUT, NetworkSettings, open_maker, wants, chance=False)
