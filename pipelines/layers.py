"""Side products of a pair as files: what was added or lost, and the maps of the scene, aligned with the clean side.

16-bit PNG. Maps (depth, sky, transmission) are value * 65535; segments are their labels; light (rain, flare,
reflection) is linear, divided by the `scale` that its record tells. Depth is relative inverse depth: 1 is nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import chain
from degrade.contract import Assets, Srgb
from manifests import png
from manifests.shards import Layer

FULL = 65535.0


def stored_layers(clean: Srgb, steps: Sequence[chain.Step], assets: Assets) -> list[Layer]:
    """Return the side products of a pair, by name.

    Args:
        clean: HxWx3 uint8 sRGB.
        steps: of the pair.
        assets: what the steps were rendered with.
    """
    size = (clean.shape[1], clean.shape[0])
    made: dict[str, NDArray[Any]] = dict(chain.layers(clean, steps, assets))
    for name in ("depth", "sky"):
        values = getattr(assets, name)
        if values is not None:
            made[name] = np.clip(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    layers = [_encoded(name, values) for name, values in sorted(made.items())]
    if assets.segments is not None:
        labels = cv2.resize(assets.segments.astype(np.uint16), size, interpolation=cv2.INTER_NEAREST)
        layers.append(Layer("segments", png.encode(labels.astype(np.uint16, copy=False)), FULL))
    return layers


def _encoded(name: str, values: NDArray[Any]) -> Layer:
    scale = max(float(values.max()), 1.0)
    return Layer(name, png.encode(np.rint(np.maximum(values, 0) * (FULL / scale)).astype(np.uint16)), scale)
