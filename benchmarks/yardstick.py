"""How fast this machine is beside the one on which the goals were set: single operations, timed there and here.

A goal such as "60 ms where cv2 decodes in 4.5 ms" leaves open which JPEG, and decoding alone says little about a machine. These
operations were timed there too, on 1024 x 1024 x 3 with one thread.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from manifests import png

THERE_MS = {  # a range is given as its middle, by ratio
    "JPEG encode q95": (3.2 * 5.4) ** 0.5,
    "PNG encode": (5.0 * 8.0) ** 0.5,
    "PNG decode": 24.0,
    "normal field": 8.0,
    "Gaussian blur 7": 2.0,
    "Gaussian blur 21": 6.4,
    "filter 21": 54.0,
    "remap linear": (3.5 * 5.7) ** 0.5,
    "remap cubic": (14.0 * 15.0) ** 0.5,
}
TIMES = 5


def measure(photos: list[Path]) -> dict[str, float]:
    """Return the operations' times here over those there, and their geometric mean under `all`."""
    told: dict[str, list[float]] = {name: [] for name in THERE_MS}
    for path in photos:
        picture = cv2.imread(str(path))
        for name, work in _operations(picture).items():
            work()
            told[name].append(statistics.median(_seconds(work) for _ in range(TIMES)))
    ratios = {name: 1e3 * statistics.median(taken) / THERE_MS[name] for name, taken in told.items()}
    return {**ratios, "all": math.exp(statistics.mean(map(math.log, ratios.values())))}


def _operations(picture: Any) -> dict[str, Callable[[], Any]]:
    """Return the operations on a picture, in the order of `THERE_MS`."""
    coded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    field = np.empty(picture.shape, np.float32)
    columns, rows = np.meshgrid(*(np.arange(side, dtype=np.float32) + np.float32(0.4) for side in picture.shape[1::-1]))
    box = np.full((21, 21), 1 / 441, np.float32)
    works: tuple[Callable[[], Any], ...] = (
        lambda: cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95]),
        lambda: png.encode(picture),
        lambda: cv2.imdecode(coded, cv2.IMREAD_COLOR),
        lambda: cv2.randn(field, 0, 1),
        lambda: cv2.GaussianBlur(picture, (7, 7), 0),
        lambda: cv2.GaussianBlur(picture, (21, 21), 0),
        lambda: cv2.filter2D(picture, -1, box),
        lambda: cv2.remap(picture, columns, rows, cv2.INTER_LINEAR),
        lambda: cv2.remap(picture, columns, rows, cv2.INTER_CUBIC),
    )
    return dict(zip(THERE_MS, works, strict=True))


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
