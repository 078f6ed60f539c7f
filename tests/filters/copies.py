"""Copies as people make them: encoded again, resized, slightly cropped."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from degrade.contract import Srgb


def encoded(photo: Srgb, ending: str, quality: int) -> Srgb:
    """The photo after a codec."""
    flag = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}[ending]
    data = cv2.imencode(ending, photo[..., ::-1], [flag, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def resized(photo: Srgb, scale: float) -> Srgb:
    """The photo at another size."""
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def cropped(photo: Srgb, left: float, top: float, right: float, bottom: float) -> Srgb:
    """The photo without these shares of its sides."""
    height, width = photo.shape[:2]
    return np.ascontiguousarray(photo[round(top * height) : height - round(bottom * height), round(left * width) : width - round(right * width)])


def some(photo: Srgb, count: int, most: float, seed: int) -> Iterator[Srgb]:
    """Copies after a crop of up to `most` a side (every third at the limit), a resize of 0.25 to 2, and JPEG or WebP of quality 50 to 95."""
    rng = np.random.default_rng(seed)
    for turn in range(count):
        sides = rng.choice([0.0, most], 4) if turn % 3 == 0 else rng.uniform(0, most, 4)
        copy = resized(cropped(photo, *sides), float(2 ** rng.uniform(-2, min(1, np.log2(2000 / max(photo.shape[:2]))))))
        yield encoded(copy, (".jpg", ".webp")[turn % 2], int(rng.integers(50, 96)))
