"""Whether a photo is good enough to be the clean side of a pair: numbers first, then a decision that is pure.

A restorer learns to make what its clean side looks like. So the clean side must be sharp, quiet, whole and rich; what
is measured here needs no model, costs some milliseconds, and is written in the index beside the decision, which may be
taken again with other limits as often as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from degrade.contract import Srgb
from degrade.errors import Reason
from degrade.keys import refuse_unknown_keys
from filters import detail, jpeg_history, tones
from filters.limits import beyond, end
from filters.verdict import KEEP, Verdict

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Amount = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class Limits(BaseModel):
    """What a clean side may be; the defaults keep good photos of any camera and refuse visible damage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_short_side: int = Field(default=512, ge=1, strict=True, description="px")
    max_aspect: float = Field(default=3.0, ge=1, strict=True, description="longer side over shorter side")
    min_sharpness: Share = Field(default=0.1, description="0 smooth, 0.5 ideal edges; 0.1 refuses a Gaussian blur of 1.5 px")
    max_noise_sigma: Amount = Field(default=4.0, description="standard deviation in luma, 8-bit levels")
    min_jpeg_quality: float = Field(default=60.0, ge=0, le=100, strict=True, description="libjpeg's scale; 100 where there was no JPEG")
    max_blockiness: Amount = Field(default=4.0, description="how much stronger steps are on the 8x8 grid than beside it; 1 is none")
    max_clipped: Share = Field(default=0.1, description="share of pixels with two channels or more at the top")
    max_black: Share = Field(default=0.5, description="share of pixels that are black")
    min_content: Amount = Field(default=1.5, description="bits of tone per pixel, 0 to 8; logos and text pages have less than 1")
    max_border: Share = Field(default=0.05, description="share of height or width that a uniform border takes")
    min_colourfulness: Amount = Field(default=2.0, description="spread of colours in 8-bit levels, if grey is not allowed")
    allow_grey: bool = Field(default=True, strict=True, description="whether photos without colour may be clean sides")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return refuse_unknown_keys(cls, values)

    @property
    def least_colour(self) -> float:
        """The colourfulness below which a photo is refused."""
        return 0.0 if self.allow_grey else self.min_colourfulness


class Check(NamedTuple):
    """One limit: the measure, what it is held against, and what a refusal says."""

    measure: str
    reason: Reason
    limit: Callable[[Limits], float]
    upper: bool
    unit: str


# The first that fails gives the reason, so causes stand before what follows from them: noise looks sharp, damage flat.
CHECKS = (
    Check("short_side", Reason.TOO_SMALL, lambda limits: limits.min_short_side, upper=False, unit="px"),
    Check("aspect", Reason.EXTREME_ASPECT, lambda limits: limits.max_aspect, upper=True, unit="to 1"),
    Check("content", Reason.FLAT, lambda limits: limits.min_content, upper=False, unit="bits of tone"),
    Check("clipped_high", Reason.CLIPPED, lambda limits: limits.max_clipped, upper=True, unit="of the pixels at white"),
    Check("clipped_low", Reason.CLIPPED, lambda limits: limits.max_black, upper=True, unit="of the pixels at black"),
    Check("border", Reason.FLAT, lambda limits: limits.max_border, upper=True, unit="of a side is a uniform border"),
    Check("noise_sigma", Reason.TOO_NOISY, lambda limits: limits.max_noise_sigma, upper=True, unit="levels of noise"),
    Check("jpeg_quality", Reason.JPEG_DAMAGED, lambda limits: limits.min_jpeg_quality, upper=False, unit="JPEG quality"),
    Check("blockiness", Reason.JPEG_DAMAGED, lambda limits: limits.max_blockiness, upper=True, unit="blockiness"),
    Check("sharpness", Reason.TOO_SOFT, lambda limits: limits.min_sharpness, upper=False, unit="sharpness"),
    Check("colourfulness", Reason.GREY, lambda limits: limits.least_colour, upper=False, unit="colourfulness"),
)


def measure(pixels: Srgb, data: bytes = b"") -> dict[str, float]:
    """Return the numbers that `decide` needs.

    Args:
        pixels: HxWx3 uint8 sRGB, as decoded: at its own size, for a reduced copy hides blur, noise and blocks.
        data: the file that the photo was decoded from, whose own tables tell its JPEG quality.
    """
    height, width = pixels.shape[:2]
    short, long = sorted((height, width))
    measures = {"short_side": float(short), "aspect": long / short}
    if short < detail.LEAST_PX:
        return measures
    groups = detail.lines(pixels)
    sigma = detail.noise_sigma(groups)
    sampled = tones.sample(pixels)
    black, white = tones.clipping(sampled)
    return measures | {
        "sharpness": detail.sharpness(groups, sigma),
        "noise_sigma": sigma,
        "clipped_low": black,
        "clipped_high": white,
        "content": tones.content(groups),
        "border": tones.border(groups),
        "colourfulness": tones.colourfulness(sampled),
        "jpeg_quality": jpeg_history.estimate_quality(pixels, data),
        "blockiness": jpeg_history.blockiness(pixels),
    }


def decide(measures: Mapping[str, float], limits: Limits) -> Verdict:
    """Return whether a photo may be a clean side; a measure that was not taken is not held against it.

    Args:
        measures: from `measure`, or from a row of the index.
        limits: from the recipe.
    """
    for check in CHECKS:
        value, limit = measures.get(check.measure), check.limit(limits)
        if value is not None and (value > limit if check.upper else value < limit):
            bounds = (-math.inf, limit) if check.upper else (limit, math.inf)
            return Verdict(keep=False, reason=check.reason, detail=f"{beyond(value, bounds, 3)} {check.unit}; the limit is {end(limit)}")
    return KEEP


def phash(pixels: Srgb) -> str:
    """Return the 64-bit perceptual hash of a photo, 16 hexadecimal digits: near photos differ in few bits.

    The signs of its 8x8 lowest frequencies about their median, of a 32x32 luma thumbnail (Zauner 2010, "DCT hash").
    """
    step = max(1, min(pixels.shape[:2]) // 256)
    near = np.ascontiguousarray(pixels[::step, ::step])
    small = cv2.cvtColor(cv2.resize(near, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    waves = cv2.dct(small.astype(np.float32))[:8, :8].ravel()
    bits = waves > np.median(waves[1:])
    return np.packbits(bits).tobytes().hex()
