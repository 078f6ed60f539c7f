"""What lies behind a thing: nobody photographed it, so it is grown from what is beside it.

Push and pull (Gortler et al., "The Lumigraph", SIGGRAPH 1996): colours and their weights are halved until every hole is
closed, and on the way back each level fills the holes of the next. Smooth, and enough for what is seen through a blur.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.contract import Linear, Map

LEAST_PX = 4
ENOUGH = 0.98  # weight from which a pixel is known


def filled(light: Linear, known: Map) -> Linear:
    """Return a picture whose unknown parts continue its known ones; a picture of nothing known stays as it is.

    Args:
        light: hxwx3 float32; left untouched.
        known: hxw in [0, 1].
    """
    if float(known.min()) >= ENOUGH or float(known.max()) <= 0.0:
        return light
    return _pulled(light * known[..., None], known)


def _pulled(weighted: Linear, weight: Map) -> Linear:
    """Return colour per weight, with a coarser level's where there is none."""
    height, width = weight.shape
    if min(height, width) <= LEAST_PX or float(weight.min()) >= ENOUGH:
        mean = weighted.reshape(-1, 3).sum(0) / max(float(weight.sum()), 1e-6)
        own = weighted + (1 - weight[..., None]) * mean.astype(np.float32)
        return np.asarray(own, np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(weighted, half, interpolation=cv2.INTER_AREA)
    heavier = np.minimum(small_weight * np.float32(4), np.float32(1))  # one known pixel of four will do
    gain = heavier / np.maximum(small_weight, np.float32(1e-6))
    behind = cv2.resize(_pulled(small * gain[..., None], heavier), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(weighted + behind * (1 - weight[..., None]), np.float32)
