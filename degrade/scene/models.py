"""Depth networks: any checkpoint that transformers' depth door opens, by short name, hub id or folder.

Jobs never download: a checkpoint that is not on the disk raises `MissingModel` with the command that fetches it. Networks
that predict metres (ZoeDepth, Depth Pro, metric Depth Anything) are inverted, so that every prior has the same meaning:
relative inverse depth, 1 nearest. MiDaS small has no port to transformers; `depth_anything_v2_small` is the nearest in
size and better, `dpt_hybrid` is MiDaS' own middle model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from degrade.contract import Map, Srgb
from degrade.errors import MissingModel
from degrade.scene import checkpoints
from degrade.scene.depth import DepthPrior, horizon_frac

NAMES = {
    "dpt_large": "Intel/dpt-large",
    "dpt_hybrid": "Intel/dpt-hybrid-midas",
    "dpt_beit_large": "Intel/dpt-beit-large-512",
    "depth_anything_v2_small": "depth-anything/Depth-Anything-V2-Small-hf",
    "depth_anything_v2_base": "depth-anything/Depth-Anything-V2-Base-hf",
    "depth_anything_v2_large": "depth-anything/Depth-Anything-V2-Large-hf",
    "zoedepth": "Intel/zoedepth-nyu-kitti",
    "depth_pro": "apple/DepthPro-hf",
}
METRIC = ("zoedepth", "depth_pro", "glpn", "prompt_depth_anything")  # model types that predict metres
NEAR_CUT, FAR_CUT = 99.5, 0.5  # percentiles taken as nearest and farthest: single wild pixels set no scale


class DepthModel:
    """A depth network, loaded once; maps batches of proxies to priors.

    Args:
        name: a short name of `NAMES`, a hub id, optionally with `@revision`, or a folder with a checkpoint.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: unknown name, checkpoint not on this machine, or a library missing; says what to run.
    """

    def __init__(self, name: str, device: str | None = None) -> None:
        torch, transformers = (checkpoints.library(library, "depth networks", "depth") for library in ("torch", "transformers"))
        if name.partition("@")[0] == "midas_small":
            raise MissingModel("midas_small has no port to transformers; use depth_anything_v2_small or dpt_hybrid")
        source, revision = checkpoints.source(name, NAMES, "depth")
        options: dict[str, Any] = {**checkpoints.LOCAL, "revision": revision}
        try:
            self._processor = transformers.AutoImageProcessor.from_pretrained(source, **options)
            model = transformers.AutoModelForDepthEstimation.from_pretrained(source, use_safetensors=True, **options)
        except (OSError, ValueError) as error:
            raise MissingModel(checkpoints.how_to_get(name, source, revision, "depth", error)) from error
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self.device).eval()
        self.maker = checkpoints.maker(source, revision, model.config)

    @property
    def metric(self) -> bool:
        """Whether the network predicts metres instead of inverse depth."""
        config = self._model.config
        return config.model_type in METRIC or getattr(config, "depth_estimation_type", "relative") == "metric"

    def priors(self, proxies: Sequence[Srgb], skies: Sequence[Map]) -> list[DepthPrior]:
        """Return the depth priors of photos, from their proxies and sky maps; any mix of sizes."""
        found: list[DepthPrior | None] = [None] * len(proxies)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, photo in enumerate(proxies):
            by_shape.setdefault(photo.shape, []).append(index)
        for indices in by_shape.values():
            for index, raw in zip(indices, self._predicted([proxies[index] for index in indices]), strict=True):
                inverse = relative_inverse(raw, (proxies[index].shape[1], proxies[index].shape[0]), metric=self.metric)
                found[index] = DepthPrior(inverse, horizon_frac(skies[index]), self.maker)
        return [prior for prior in found if prior is not None]

    def _predicted(self, batch: list[Srgb]) -> list[Map]:
        """Return what the network says of photos of one size, in its own size and unit."""
        import torch

        inputs = self._processor(images=batch, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            depth = self._model(**inputs).predicted_depth
        return [np.asarray(one, np.float32) for one in depth.float().cpu().numpy()]


def relative_inverse(raw: Map, size: tuple[int, int], *, metric: bool) -> Map:
    """Return a network's answer as relative inverse depth 0..1 at a size (width, height), robust to single wild pixels.

    Args:
        raw: hxw, inverse depth up to scale and shift, or metres.
        size: width, height of the result in px.
        metric: whether `raw` is metres.
    """
    inverse = 1.0 / np.maximum(raw, 1e-3) if metric else raw
    far, near = np.percentile(inverse, [FAR_CUT, NEAR_CUT])
    scaled: Map = np.clip((inverse - far) / max(near - far, 1e-6), 0, 1).astype(np.float32)
    return cv2.resize(scaled, size, interpolation=cv2.INTER_LINEAR)
