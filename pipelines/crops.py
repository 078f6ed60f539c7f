"""Which part of a photo becomes a pair, and at which scale.

A photo is shrunk by a factor (1 = its own pixels) and a window of the training size is cut from it; both are drawn
without pixels. Enlarging is a last resort, bounded by the recipe, because it makes a soft clean side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import cv2
import numpy as np
from pydantic import Field, field_validator

from degrade.contract import Interval, Srgb
from degrade.errors import BadSample, Reason
from degrade.scene import relief
from pipelines.section import Section

MULTIPLE = 16  # sides of whole photos are rounded to it: what diffusion transformers take


class CropRecipe(Section):
    """Which part of a photo becomes a pair, and at which scale."""

    size: Annotated[int, Field(ge=64, le=8192, strict=True)] = 1024
    policy: Literal["random", "centre", "resize"] = "random"
    shrink: Interval = (1.0, 2.0)
    max_upscale: Annotated[float, Field(ge=1.0, le=4.0, strict=True)] = 1.0
    min_detail: Annotated[float, Field(ge=0.0, le=10.0, strict=True)] = 1.5

    @field_validator("shrink")
    @classmethod
    def _shrinks(cls, shrink: tuple[float, float]) -> tuple[float, float]:
        if not 1.0 <= shrink[0] <= shrink[1]:
            raise ValueError(f"{list(shrink)}: two factors >= 1, the smaller first (1 = the photo's own pixels, 2 = half its size)")
        return shrink


class Crop(NamedTuple):
    """A box of the upright photo, in px, and the size that it is brought to."""

    x: int
    y: int
    crop_width: int
    crop_height: int
    width: int
    height: int


def draw(
    recipe: CropRecipe,
    photo_width: int,
    photo_height: int,
    draws: tuple[float, ...],
    detail: bytes | None = None,
    more: Callable[[], tuple[float, ...]] = tuple,
) -> Crop:
    """Return the crop of a photo.

    Args:
        recipe: size, policy and limits.
        photo_width: px, upright.
        photo_height: px.
        draws: three numbers in [0, 1): scale, column, row.
        detail: where the photo shows something, see `degrade.scene.relief`; a window that shows nothing is placed anew.
        more: gives the numbers for that, two for each place.

    Raises:
        BadSample: the photo would have to be enlarged further than the recipe allows.
    """
    if recipe.policy == "resize":
        return _whole(recipe, photo_width, photo_height)
    most = min(photo_width, photo_height) / recipe.size  # the factor at which the short side just fits
    if most * recipe.max_upscale < 1.0:
        raise _too_small(recipe, photo_width, photo_height, 1 / most)
    low, high = min(recipe.shrink[0], most), min(recipe.shrink[1], most)
    factor = low * math.exp(math.log(high / low) * draws[0])
    side = min(round(recipe.size * factor), photo_width, photo_height)
    across, down = (0.5, 0.5) if recipe.policy == "centre" else (draws[1], draws[2])
    crop = _placed(across, down, side, photo_width, photo_height, recipe.size)
    if detail is None or recipe.policy == "centre" or _shown(crop, detail, photo_width, photo_height) >= recipe.min_detail:
        return crop
    numbers = more()
    others = [_placed(*place, side, photo_width, photo_height, recipe.size) for place in zip(numbers[::2], numbers[1::2], strict=False)]
    return max([crop, *others], key=lambda place: min(_shown(place, detail, photo_width, photo_height), recipe.min_detail))


def _placed(across: float, down: float, side: int, photo_width: int, photo_height: int, size: int) -> Crop:
    return Crop(int(across * (photo_width - side + 1)), int(down * (photo_height - side + 1)), side, side, size, size)


def _shown(crop: Crop, detail: bytes, photo_width: int, photo_height: int) -> float:
    """Return the mean gradient in a window, in 8-bit levels per px of the photo's proxy."""
    return share_of(detail, crop, photo_width, photo_height) / relief.STEPS_PER_LEVEL


def share_of(grid: bytes, crop: Crop, photo_width: int, photo_height: int) -> float:
    """Return the mean of a photo's coarse grid in a window."""
    right, bottom = (crop.x + crop.crop_width) / photo_width, (crop.y + crop.crop_height) / photo_height
    return relief.mean_in(grid, crop.x / photo_width, crop.y / photo_height, right, bottom)


def _whole(recipe: CropRecipe, photo_width: int, photo_height: int) -> Crop:
    """Return the whole photo at an area of size x size, its aspect kept to the nearest multiple."""
    factor = recipe.size / math.sqrt(photo_width * photo_height)
    if factor > recipe.max_upscale:
        raise _too_small(recipe, photo_width, photo_height, factor)
    width, height = (max(MULTIPLE, round(side * factor / MULTIPLE) * MULTIPLE) for side in (photo_width, photo_height))
    shrink = min(photo_width / width, photo_height / height)
    box_width, box_height = min(photo_width, round(width * shrink)), min(photo_height, round(height * shrink))
    return Crop((photo_width - box_width) // 2, (photo_height - box_height) // 2, box_width, box_height, width, height)


def filling(recipe: CropRecipe, photo_width: int, photo_height: int, width: int, height: int) -> Crop:
    """Return the largest middle part of a photo that has the aspect of width x height, brought to that size.

    Raises:
        BadSample: it would have to be enlarged further than the recipe allows.
    """
    factor = max(width / photo_width, height / photo_height)
    if factor > recipe.max_upscale:
        raise _too_small(recipe, photo_width, photo_height, factor)
    box_width, box_height = min(photo_width, round(width / factor)), min(photo_height, round(height / factor))
    return Crop((photo_width - box_width) // 2, (photo_height - box_height) // 2, box_width, box_height, width, height)


def _too_small(recipe: CropRecipe, width: int, height: int, factor: float) -> BadSample:
    return BadSample(Reason.TOO_SMALL, f"{width}x{height} would be enlarged {factor:.2f} times, `crop.max_upscale` allows {recipe.max_upscale:g}")


def cut(photo: Srgb, crop: Crop) -> Srgb:
    """Return the clean side: the box of the photo, at its size, as an array of its own."""
    box = photo[crop.y : crop.y + crop.crop_height, crop.x : crop.x + crop.crop_width]
    if box.shape[:2] == (crop.height, crop.width):
        return np.ascontiguousarray(box)
    kernel = cv2.INTER_AREA if crop.width <= crop.crop_width else cv2.INTER_CUBIC
    return cv2.resize(box, (crop.width, crop.height), interpolation=kernel).astype(np.uint8, copy=False)
