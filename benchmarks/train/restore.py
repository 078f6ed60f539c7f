"""A trained network on whole pictures of any size: tiles with margins, so that memory does not grow with the picture."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.train.network import MULTIPLE
from degrade.contract import Srgb

TILE, MARGIN = 384, 16  # px


def restore(network: Callable[[Tensor], Tensor], degraded: Srgb, device: str) -> Srgb:
    """Return the restored picture: HxWx3 uint8, RGB, the size of what came in.

    Args:
        network: takes and gives Bx3xHxW float, 0..1, on the device.
        degraded: HxWx3 uint8 of at least MARGIN + 1 px.
        device: of torch.
    """
    height, width = degraded.shape[:2]
    picture = torch.from_numpy(np.ascontiguousarray(degraded)).to(device).permute(2, 0, 1)[None].float() / 255.0
    inner_y, inner_x = _inner(height), _inner(width)
    down, across = -(-height // inner_y), -(-width // inner_x)
    padded = _padded(picture, down * inner_y - height, across * inner_x - width)
    out = torch.empty_like(padded[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    with torch.inference_mode():
        for top in range(0, down * inner_y, inner_y):
            for left in range(0, across * inner_x, inner_x):
                tile = padded[..., top : top + inner_y + 2 * MARGIN, left : left + inner_x + 2 * MARGIN]
                made = network(tile.contiguous(memory_format=torch.channels_last))
                out[..., top : top + inner_y, left : left + inner_x] = made[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    whole = out[0, :, :height, :width].clamp(0.0, 1.0).mul(255.0).round().byte()
    return np.ascontiguousarray(whole.permute(1, 2, 0).cpu().numpy())


def _inner(side: int) -> int:
    """Return how many px of a side a tile covers: a whole picture where it is small, so that nothing is done twice."""
    covered: int = math.ceil(side / MULTIPLE) * MULTIPLE
    return min(TILE, covered)


def _padded(picture: Tensor, below: int, beside: int) -> Tensor:
    """Mirror the margins; what is missing to whole tiles repeats the last row and column."""
    filled = functional.pad(picture, (0, beside, 0, below), mode="replicate")
    return functional.pad(filled, (MARGIN,) * 4, mode="reflect")
