"""Stored members to pixels and back: the media types that a shard may hold."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from degrade.errors import CorruptRun

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
BY_PILLOW = b"ftypavif"


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return the HxWx3 uint8 RGB pixels of a stored member.

    Raises:
        CorruptRun: the bytes are no picture.
    """
    if data[4:12] == BY_PILLOW:
        with Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
            return np.array(image.convert("RGB"))
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise CorruptRun("a stored picture cannot be decoded; `patina verify RUN` names every damaged pair")
    return pixels.astype(np.uint8, copy=False)
