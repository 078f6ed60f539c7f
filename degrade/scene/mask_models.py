"""Segment networks: segment-anything's own checkpoints, and SAM-2 or any other that transformers generates masks with.

The photo is prompted with a grid of points; masks that the network itself holds for good and that hardly move with the
threshold are kept, doubles are dropped (Kirillov et al., ICCV 2023; Ravi et al., 2024), and what is left becomes labels:
the smallest mask wins a pixel, superpixels fill the rest. Jobs never download.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb
from degrade.errors import MissingModel
from degrade.scene import checkpoints, sam_weights
from degrade.scene.segments import Labels, labels_from_masks

NAMES = {
    "sam2_tiny": "facebook/sam2.1-hiera-tiny",
    "sam2_small": "facebook/sam2.1-hiera-small",
    "sam2_base_plus": "facebook/sam2.1-hiera-base-plus",
    "sam2_large": "facebook/sam2.1-hiera-large",
}
POINTS = 16  # per side of the grid: a proxy shows no object that falls between them and matters
BATCH = 64  # points at once
LEAST_IOU, LEAST_STABILITY = 0.86, 0.92  # the networks' own filters; superpixels stand in for what falls through

Masks = list[NDArray[np.bool_]]


class SegmentModel:
    """A segment network, loaded once; maps proxies to labels.

    Args:
        name: `sam_vit_b`, `sam_vit_l` or `sam_vit_h` (files in `$PATINA_MODELS`), the path of such a file, a short name of `NAMES`,
            a hub id, optionally with `@revision`, or a folder with a checkpoint.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: unknown name, checkpoint not on this machine or not what it should be, or a library missing; says what to run.
    """

    def __init__(self, name: str, device: str | None = None) -> None:
        torch = checkpoints.library("torch", "segment models", "sam")
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        opened = _segment_anything if name in sam_weights.PUBLISHED or Path(name).is_file() else _transformers
        self._masks, self.maker = opened(name, self.device)

    def labels(self, proxies: Sequence[Srgb]) -> list[Labels]:
        """Return labels 0..n-1 of photos, hxw int32 each, from their proxies; any mix of sizes."""
        return [labels_from_masks(self._masks(proxy), proxy) for proxy in proxies]


def _segment_anything(name: str, device: str) -> tuple[Callable[[Srgb], Masks], str]:
    """Return what finds masks by segment-anything's own code, and its maker."""
    library = checkpoints.library("segment_anything", "segment-anything checkpoints", "sam")
    network, maker = sam_weights.load(name)
    generator = library.SamAutomaticMaskGenerator(
        network.to(device).eval(),
        points_per_side=POINTS,
        points_per_batch=BATCH,
        pred_iou_thresh=LEAST_IOU,
        stability_score_thresh=LEAST_STABILITY,
    )

    def masks(proxy: Srgb) -> Masks:
        return [found["segmentation"] for found in generator.generate(proxy)]

    return masks, maker


def _transformers(name: str, device: str) -> tuple[Callable[[Srgb], Masks], str]:
    """Return what finds masks by transformers' door, and its maker."""
    if name.endswith((".pth", ".pt")):
        raise MissingModel(f"there is no file {name}")
    source, revision = checkpoints.source(name, {**NAMES, **dict.fromkeys(sam_weights.PUBLISHED, "")}, "segment")
    library = checkpoints.library("transformers", "segment models", "sam")
    options: dict[str, Any] = {**checkpoints.LOCAL, "revision": revision}
    try:
        processor = library.AutoImageProcessor.from_pretrained(source, **options)
        network = library.AutoModelForMaskGeneration.from_pretrained(source, use_safetensors=True, **options)
    except (OSError, ValueError) as error:
        raise MissingModel(checkpoints.how_to_get(name, source, revision, "segment", error)) from error
    generator = library.pipeline("mask-generation", model=network.eval(), image_processor=processor, device=device)

    def masks(proxy: Srgb) -> Masks:
        from PIL import Image

        height, width = proxy.shape[:2]
        # squared first, as SAM-2 does to every photo: transformers lays its grid as if the photo kept its proportions
        square = cv2.resize(proxy, (max(height, width),) * 2, interpolation=cv2.INTER_LINEAR)
        found = generator(
            Image.fromarray(square),
            points_per_batch=BATCH,
            points_per_crop=POINTS,
            pred_iou_thresh=LEAST_IOU,
            stability_score_thresh=LEAST_STABILITY,
        )
        sheets = (np.asarray(mask, np.uint8) for mask in found["masks"])
        return [cv2.resize(sheet, (width, height), interpolation=cv2.INTER_NEAREST) > 0 for sheet in sheets]

    return masks, checkpoints.maker(source, revision, network.config)
