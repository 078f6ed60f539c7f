"""The filter `watermark`: how likely a clean side, or a photo, carries a watermark, by a classifier of LAION's recipe.

LAION scored its five billion images so (Schuhmann et al., "LAION-5B", NeurIPS 2022): an EfficientNet-B3 sees the whole photo
squeezed into 256x256 and answers with two classes. What is small in a photo of 4K is gone at that size; where a quarter of
the photo still has the pixels, we therefore ask again for four overlapping corners, and give both: `photo` is LAION's own
number, `photo_parts` the highest of the five. Writing in a scene is what it errs on; HELM (Stanford) raised the limit
from 0.5 to 0.8 for that. A recipe's gate may ask CLIP as well (`clip.tag.watermark`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from degrade.contract import Srgb
from filters.contract import Filter, Item, Measure, Photo, Scores, Settings, Wants
from filters.marks import network
from filters.marks.network import Network

NAME, VERSION = "watermark", 1
CORNER = 0.6  # of each side that a corner takes, so that they overlap
P = (0.0, 1.0)

Views = NDArray[np.uint8]  # NxHxWx3: the whole first, then the corners


class WatermarkSettings(Settings):
    """What may be set."""

    model: str = Field(default="laion_v1", description="`laion_v1` in $PATINA_MODELS, a file, a folder that timm saved, or a hub id with @revision")
    architecture: str = Field(default=network.ARCHITECTURE, description="timm's name of the network in a single file")
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$", description="of the weights, to pin them")
    watermark_class: int | None = Field(default=None, ge=0, strict=True, description="place of `watermark` among the classes, if labels do not tell")
    parts: bool = Field(default=True, strict=True, description="whether the four corners are asked about as well")
    batch: int = Field(default=8, ge=1, strict=True, description="items at once; five views each")


class WatermarkScorer:
    """A classifier of watermarks, loaded once.

    Args:
        settings: of the recipe.
        device: a torch device; by default the first GPU, else the CPU.

    Raises:
        MissingModel: the classifier is not on this machine or not what it should be; says what to run.
    """

    def __init__(self, settings: WatermarkSettings, device: str | None = None) -> None:
        self._network: Network = network.load(
            settings.model, architecture=settings.architecture, sha256=settings.sha256, watermark_class=settings.watermark_class
        )
        import torch

        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._model = self._network.model.to(self.device).eval().requires_grad_(requires_grad=False)
        self._mean, self._std = (
            torch.tensor(values, device=self.device).mul(255).view(3, 1, 1) for values in (self._network.mean, self._network.std)
        )
        self._parts = settings.parts
        self.maker = self._network.maker

    def prepare(self, item: Item) -> tuple[str, Views]:
        """Return which side is asked about, and its views in the size of the network."""
        side, pixels = ("photo", item.pixels) if isinstance(item, Photo) else ("clean", item.clean.pixels)
        size = self._network.size
        shown = [pixels, *(corners(pixels, size) if self._parts else ())]
        return side, np.stack([squeezed(view, size, self._network.resampling) for view in shown])

    def score(self, prepared: Sequence[tuple[str, Views]]) -> list[Scores]:
        """Return the probabilities of watermarks; batches change them by less than 1e-5 on the CPU, by bfloat16's rounding on a GPU."""
        p = self._probabilities(np.concatenate([views for _, views in prepared]))
        ends = np.cumsum([len(views) for _, views in prepared])
        found = []
        for (side, views), end in zip(prepared, ends, strict=True):
            own = p[end - len(views) : end]
            found.append(Scores({side: float(own[0])} | ({f"{side}_parts": float(own.max())} if self._parts else {})))
        return found

    def _probabilities(self, views: Views) -> NDArray[np.float32]:
        import torch

        pixels = torch.from_numpy(views).to(self.device).permute(0, 3, 1, 2).float().sub_(self._mean).div_(self._std)
        with torch.inference_mode(), torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.device.startswith("cuda")):
            logits = self._model(pixels)
        p: Any = logits.float().softmax(dim=1)[:, self._network.watermark]
        return np.asarray(p.cpu().numpy(), np.float32)


def corners(pixels: Srgb, size: tuple[int, int]) -> list[Srgb]:
    """Return four overlapping corners of a photo; none if one would have fewer pixels than the network sees."""
    height, width = pixels.shape[:2]
    tall, wide = round(height * CORNER), round(width * CORNER)
    if wide < size[0] or tall < size[1]:
        return []
    return [pixels[top : top + tall, left : left + wide] for top in (0, height - tall) for left in (0, width - wide)]


def squeezed(pixels: Srgb, size: tuple[int, int], resampling: str) -> Srgb:
    """Return a picture in the size (width, height) of a network, proportions given up; Pillow's resampling, as in training."""
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling[resampling]))


FILTER = Filter(
    name=NAME,
    version=VERSION,
    about="watermarks on the clean side, by a classifier of LAION's recipe",
    settings=WatermarkSettings,
    pace=("batch",),
    open=WatermarkScorer,
    wants=lambda settings: Wants(cpus=1.0, gpus=0.25, batch=settings.batch, deadline_s=60.0),
    measures=(
        Measure("clean", "p", "a watermark on the clean side, the whole squeezed into one view; refuse from 0.8", P),
        Measure("clean_parts", "p", "the same, the highest of the whole and its four corners", P),
        Measure("photo", "p", "a watermark on a photo", P),
        Measure("photo_parts", "p", "the same, the highest of the whole and its four corners", P),
    ),
)
