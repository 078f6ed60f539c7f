"""What a network is shown of a photo: the frame as its checkpoint wants it, and tiles of the same size at the photo's own pixels.

The frame goes through the checkpoint's own geometry and interpolation, read from its configuration, with Pillow's resampling, which
the checkpoints were trained with; large photos are first reduced by whole factors, which differs by a fifth of a level on average and
takes a half to a third of the time. Tiles are what the shrunken frame hides: noise, blocks, moire.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

import cv2
import numpy as np
from PIL import Image

from degrade.contract import Map, Srgb

Place = tuple[int, int]  # of a tile: its top row and left column, px
Pick = Literal["spread", "detailed"]
GAP = 3.0  # what is reduced by whole factors first keeps three times the pixels that the kernel then needs
INTERPOLATIONS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR, "nearest": Image.Resampling.NEAREST}
GOLDEN = (0.7548776662466927, 0.5698402909980532)  # Roberts' R2 sequence: any number of points spreads evenly over a square


class Sight(NamedTuple):
    """What a checkpoint's images look like, from its `preprocess_cfg`."""

    height: int
    width: int
    mode: str = "shortest"  # shortest: fill and cut the middle; longest: fit and pad; squash: both sides to size
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)  # of values 0..1
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    fill: int = 0  # of the padding, 0..255

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Return what an open_clip preprocess configuration describes."""
        size = config["size"]
        height, width = (size, size) if isinstance(size, int) else size
        return cls(height, width, config["resize_mode"], config["interpolation"], tuple(config["mean"]), tuple(config["std"]), config["fill_color"])


def frame(pixels: Srgb, sight: Sight) -> Srgb:
    """Return the whole photo as the checkpoint wants it: height x width x 3, for any size of photo."""
    if sight.mode == "longest":
        return _fitted(pixels, sight)
    rows, columns = pixels.shape[:2]
    box = (0.0, 0.0, float(columns), float(rows))
    if sight.mode == "shortest":
        factor = min(rows / sight.height, columns / sight.width)
        tall, wide = max(sight.height, int(rows / factor + 1e-6)), max(sight.width, int(columns / factor + 1e-6))
        top, left = round((tall - sight.height) / 2), round((wide - sight.width) / 2)
        down, across = rows / tall, columns / wide
        box = (left * across, top * down, min((left + sight.width) * across, columns), min((top + sight.height) * down, rows))
    return _resized(pixels, (sight.width, sight.height), sight, box)


def tiles(pixels: Srgb, places: Sequence[Place], sight: Sight) -> list[Srgb]:
    """Return tiles at the photo's own pixels, each height x width x 3; a photo that is too small is mirrored at its edges."""
    cut = []
    for top, left in places:
        part = pixels[top : top + sight.height, left : left + sight.width]
        below, right = sight.height - part.shape[0], sight.width - part.shape[1]
        cut.append(cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT_101) if below or right else part)
    return cut


def places(pixels: Srgb, count: int, pick: Pick, sight: Sight) -> list[Place]:
    """Return where tiles stand in a photo: the same for the same pixels, as many as asked for.

    Args:
        pixels: HxWx3.
        count: how many; a photo that holds fewer side by side gets no more than it holds.
        pick: `spread` evenly, or the most `detailed` of a grid.
        sight: their size.
    """
    rows, columns = pixels.shape[:2]
    grid = max(1, math.ceil(rows / sight.height)), max(1, math.ceil(columns / sight.width))
    count = min(count, grid[0] * grid[1])
    free = max(0, rows - sight.height), max(0, columns - sight.width)
    if count == grid[0] * grid[1]:
        return _even(grid, free)
    if pick == "spread":
        return [(round((0.5 + at * GOLDEN[0]) % 1 * free[0]), round((0.5 + at * GOLDEN[1]) % 1 * free[1])) for at in range(count)]
    candidates = _even(grid, free)
    detail = _detail(pixels)
    order = sorted(candidates, key=lambda place: -detail[place[0] : place[0] + sight.height, place[1] : place[1] + sight.width].mean())
    return order[:count]


def _even(grid: tuple[int, int], free: tuple[int, int]) -> list[Place]:
    """Return a grid of places that covers the photo, row by row."""
    tops, lefts = (np.linspace(0, room, number).round().astype(int).tolist() for number, room in zip(grid, free, strict=True))
    return [(top, left) for top in tops for left in lefts]


def _detail(pixels: Srgb) -> Map:
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(np.abs(cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), 1.0), cv2.CV_32F)))  # smoothed: noise is no detail


def _fitted(pixels: Srgb, sight: Sight) -> Srgb:
    """Return the photo fitted into the size, its padding around it."""
    rows, columns = pixels.shape[:2]
    factor = max(rows / sight.height, columns / sight.width)
    tall, wide = (max(1, round(side / factor)) for side in (rows, columns))
    small = _resized(pixels, (wide, tall), sight, (0.0, 0.0, float(columns), float(rows)))
    top, left = (sight.height - tall) // 2, (sight.width - wide) // 2
    border = (top, sight.height - tall - top, left, sight.width - wide - left)
    return cv2.copyMakeBorder(small, *border, cv2.BORDER_CONSTANT, value=(sight.fill,) * 3)


def _resized(pixels: Srgb, size: tuple[int, int], sight: Sight, box: tuple[float, float, float, float]) -> Srgb:
    """Return a part of the photo at a size (width, height)."""
    resampling = INTERPOLATIONS.get(sight.interpolation, Image.Resampling.BICUBIC)
    whole = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(whole.resize(size, resampling, box=box, reducing_gap=GAP))
