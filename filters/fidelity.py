"""Whether the two sides of a pair show the same content: what networks see of it, beside the geometry that `alignment` measures.

A restorer that learns from rewritten pairs learns to invent. Each voice here sees another lie, and none sees all:

    lpips   how far the sides look apart: too near, and nothing was restored; too far, and something else was painted
    dino    whether each place still shows the same thing, whatever its brightness, noise or haze
    faces   whether the faces that were there still are, by a detector, if the recipe names one
    text    whether writing still is writing, by a detector, if the recipe names one

Each of lpips and dino also has a `worst`: a small repainted region vanishes in a mean. How far a true pair may be apart depends
on its degradation, so limits belong to tasks: see `limits.Limit`. Formulas and papers stand in `perceptual/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from filters.contract import Filter, Item, Measure, Pair, Scores, Settings, Wants
from filters.perceptual.dino import Dino
from filters.perceptual.faces import Faces
from filters.perceptual.lettering import Lettering
from filters.perceptual.lpips import Lpips
from filters.perceptual.shapes import Sides

NONE = "none"


class FidelitySettings(Settings):
    """Which voices speak, and what they see."""

    lpips: Literal["alex", "vgg", "squeeze", "none"] = Field(default="alex", description="backbone of LPIPS; none leaves it out")
    lpips_weights: str | None = Field(default=None, description="file of the backbone; default torchvision's published one")
    lpips_px: int | None = Field(default=1024, ge=64, strict=True, description="longer side for LPIPS, larger pairs are reduced; null: never")
    dino: str = Field(default="dinov2_small", description="short name, hub id (@revision) or folder of timm's; none leaves it out")
    dino_px: int = Field(default=518, ge=56, le=4096, strict=True, description="longer side for DINOv2: 518 is what it was trained at")
    faces: str = Field(default=NONE, description="yunet, the path of an .onnx file, or none")
    text: str = Field(default=NONE, description="ppocr, the path of an .onnx file, or none")

    @model_validator(mode="after")
    def _some_voice(self) -> Self:
        if self.lpips == self.dino == self.faces == self.text == NONE:
            raise ValueError("lpips, dino, faces and text are all none: name one of them, or leave the scorer out")
        if self.lpips == NONE and self.lpips_weights is not None:
            raise ValueError("`lpips_weights` names a file, but `lpips` is none")
        return self


class Seen(NamedTuple):
    """What the voices get of one pair; None for those that are left out."""

    lpips: Sides | None
    dino: Sides | None
    faces: Sides | None
    text: Sides | None


class Fidelity:
    """The voices that the settings name, each opened once.

    Args:
        settings: from the recipe.
        device: a torch device; by default the first GPU, else the CPU. Detectors work on the CPU.

    Raises:
        MissingModel: what is named is not on this machine; says what to run.
    """

    def __init__(self, settings: FidelitySettings, device: str | None = None) -> None:
        self._settings = settings
        self._lpips = Lpips(settings.lpips, settings.lpips_weights, device) if settings.lpips != NONE else None
        self._dino = Dino(settings.dino, device) if settings.dino != NONE else None
        self._faces = Faces(settings.faces) if settings.faces != NONE else None
        self._text = Lettering(settings.text) if settings.text != NONE else None
        voices = (self._lpips, self._dino, self._faces, self._text)
        self.maker = ", ".join(voice.maker for voice in voices if voice is not None)

    def prepare(self, item: Item) -> Seen:
        """Return both sides of a pair at each network's size.

        Raises:
            BadSample: too small for LPIPS.
            TypeError: a photo, which has no two sides.
        """
        if not isinstance(item, Pair):
            raise TypeError("fidelity compares the two sides of a pair: a single photo has none")
        clean, degraded = item.clean.pixels, item.degraded.pixels
        return Seen(
            self._lpips.prepare(clean, degraded, self._settings.lpips_px) if self._lpips else None,
            self._dino.prepare(clean, degraded, self._settings.dino_px) if self._dino else None,
            self._faces.prepare(clean, degraded) if self._faces else None,
            self._text.prepare(clean, degraded) if self._text else None,
        )

    def score(self, prepared: Sequence[Seen]) -> list[Scores]:
        """Return the numbers of prepared pairs; what else is in the batch changes one by less than 1e-5."""
        found: list[dict[str, float]] = [{} for _ in prepared]
        if self._lpips is not None:
            for numbers, distance in zip(found, self._lpips.distances(_given(one.lpips for one in prepared)), strict=True):
                numbers |= {"lpips": distance.mean, "lpips_worst": distance.worst}
        if self._dino is not None:
            for numbers, alike in zip(found, self._dino.similarities(_given(one.dino for one in prepared)), strict=True):
                numbers |= {"dino": alike.mean, "dino_worst": alike.worst, "dino_cls": alike.scene}
        return [Scores({**numbers, **self._detected(one)}) for numbers, one in zip(found, prepared, strict=True)]

    def _detected(self, seen: Seen) -> Mapping[str, float]:
        faces = self._faces.numbers(seen.faces) if self._faces is not None and seen.faces is not None else {}
        text = self._text.numbers(seen.text) if self._text is not None and seen.text is not None else {}
        return {**faces, **text}


def _given(sides: Iterable[Sides | None]) -> list[Sides]:
    return [side for side in sides if side is not None]


def _wants(settings: FidelitySettings) -> Wants:
    networks = settings.lpips != NONE or settings.dino != NONE
    return Wants(gpus=0.25 if networks else 0.0, batch=8)  # small networks: four workers keep one GPU busy


FILTER = Filter(
    name="fidelity",
    version=1,
    about="Whether both sides show the same content: LPIPS, DINOv2 patch similarity, and faces and text kept where a detector is named.",
    settings=FidelitySettings,
    open=Fidelity,
    wants=_wants,
    measures=(
        Measure("lpips", "distance", "how far the sides look apart, the whole picture", (0.0, 2.0)),
        Measure("lpips_worst", "distance", "the same, of the worst tile of about 128 px", (0.0, 2.0)),
        Measure("dino", "cosine", "how alike corresponding patches are in content, mean", (-1.0, 1.0)),
        Measure("dino_worst", "cosine", "the same, 5th percentile of the patches: a rewritten region", (-1.0, 1.0)),
        Measure("dino_cls", "cosine", "how alike the scenes are as a whole", (-1.0, 1.0)),
        Measure("faces_degraded", "count", "faces detected on the degraded side", (0.0, 5000.0)),
        Measure("faces_clean", "count", "faces detected on the clean side", (0.0, 5000.0)),
        Measure("faces_kept", "share", "of the degraded side's faces, those that the clean side has too, in their place; absent without any", (0.0, 1.0)),
        Measure("text_degraded_frac", "share", "of the degraded side that is writing", (0.0, 1.0)),
        Measure("text_clean_frac", "share", "of the clean side that is writing", (0.0, 1.0)),
        Measure("text_kept", "share", "of the degraded side's writing, what is writing on the clean side too; absent without any", (0.0, 1.0)),
    ),
    on=("pairs",),
)
