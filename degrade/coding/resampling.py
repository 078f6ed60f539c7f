"""Resizing as programs do it: four filters, and none widens when it shrinks, as in players and browsers."""

from __future__ import annotations

from typing import Final

import cv2

from degrade.contract import Srgb

SHRINK: Final = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
GROW: Final = SHRINK | {"area": cv2.INTER_LINEAR}  # OpenCV's area repeats pixels when it grows a picture
SOFT: Final = ("area", "linear")


def resized(picture: Srgb, size: tuple[int, int], resampling: str) -> Srgb:
    """Return a picture of another size; the picture itself where that is its size.

    Args:
        picture: HxWx3 uint8.
        size: (width, height).
        resampling: a key of `SHRINK`; "area" averages when it shrinks and is linear when it grows.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    flags = SHRINK if size[0] < width else GROW
    return cv2.resize(picture, size, interpolation=flags[resampling])
