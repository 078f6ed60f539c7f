"""Views of a real photo by a hand that is not quite still, and noisy shots of them: bursts whose truth is known."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from benchmarks import burst_gain

SIDE = 192
ISO = 1600.0


@functools.cache
def views() -> list[np.ndarray]:
    """Return eight views, without noise; tests only read them."""
    from skimage import data

    photo = np.ascontiguousarray(data.coffee()[:400, 100:500])
    large = cv2.resize(photo, (2 * (SIDE + 64),) * 2, interpolation=cv2.INTER_CUBIC)
    return burst_gain.views(large, 8, SIDE, "coffee")


def shots(seen: list[np.ndarray], ev: float = 0.0, iso: float = ISO) -> list[np.ndarray]:
    """Return a noisy photo of each view."""
    return [burst_gain.by_sensor(view, iso, ev, 100 * index) for index, view in enumerate(seen)]
