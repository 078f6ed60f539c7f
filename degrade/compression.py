"""Lossy compression as the web does it: a chain of one to five hops, each resized, cropped, sharpened and coded.

    x_0 = clean,   x_i = D(C(sharpen(resize(x_i-1)) shifted by (dx, dy); codec, quality)) shifted back

Damage depends on order and on grid phase: two JPEGs on one grid quantise the same coefficients twice and lose next to
nothing, two grids 3 px apart add their seams (the shifted second pass of JPEG forensics: Bianchi and Piva, IEEE TIFS
2012). Real-ESRGAN (Wang et al., ICCVW 2021) draws JPEG twice on one grid; APISR (Wang et al., CVPR 2024) adds video
codecs by starting ffmpeg for each picture. We run every codec in process and record every hop. The last hop's own
bytes ARE the degraded file; the crop on the way is undone, so that the pair stays aligned to the pixel.

Severity is the JPEG quality that hurts as much as the chain's hardest hop, its shrinking and growing back included
(`codec_quality` has the measurements). Sharpening is bounded by stratum beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import PrivateAttr, field_validator, model_validator

from degrade.coding import codecs, presets
from degrade.coding.codec_chain import Hop, resizings, run
from degrade.coding.codec_quality import SCALES, jpeg_equal, reaches, resize_equal, scale_for, setting_for
from degrade.coding.resampling import SHRINK, SOFT
from degrade.contract import Assets, Encoded, Facts, Generator, Interval, Ranges, Srgb, Stage, choice, interval
from degrade.errors import BadSample, Reason
from degrade.keys import Weights, refuse_unknown_names
from degrade.stream import pick

Roll = Callable[[], float]  # the next number in [0, 1)

STRATA: Final = (95.0, 80.0, 55.0, 35.0, 18.0, 6.0)
MOST_SHARPENING: Final = (0.12, 0.25, 0.4, 0.6, 0.8)  # by stratum
BEST_QUALITY: Final = 96.0  # of the hops that are not the hardest
EDGE: Final = 1e-3  # a quality on an edge belongs to the stratum below it
CTU_32_BELOW: Final = 0.75  # scale under which x265 can afford blocks of 32 px
MODES: Final = {  # what each codec may be told, with weights; the costly ones are rare
    "jpeg": {"baseline": 0.82, "optimised": 0.12, "progressive": 0.06},
    "webp": {"method-0": 0.6, "method-1": 0.3, "method-2": 0.1},
    "avif": {"speed-9": 1.0},
    "h264": {"superfast": 0.6, "veryfast": 0.35, "faster": 0.05},
    "h265": {"ctu-16": 1.0},
    "mpeg4": {"h263": 0.6, "mpeg": 0.4},
    "mpeg2": {"dc-8": 0.6, "dc-10": 0.4},
}
EVERY_CODEC_HOLDS_PX: Final = min(scale.largest_px for scale in SCALES.values())
ON_THE_WAY: Final = {"jpeg": "baseline"}  # an inner hop's file is gone, and JPEG's other modes change the file alone
CHROMA: Final = ("jpeg", "avif")  # codecs whose subsampling is free
SOFT_MARGIN: Final = 7.0  # of quality: what soft filters cost differs most between photos
MOST_ROLLS: Final = 64
KNOWN: Final[dict[str, Iterable[str]]] = {
    "paths": presets.PATHS,
    "codecs": SCALES,
    "filters": SHRINK,
    "subsampling": codecs.JPEG_SUBSAMPLING,
}


class Plan(NamedTuple):
    """What a recipe leaves of a path."""

    weight: float
    hops: tuple[int, int]
    inner: Weights[str]  # codecs
    last: Weights[str]

    def holding(self, side_px: int) -> Plan:
        """Return the plan without the formats that cannot hold so long a side."""
        inner, last = ({c: w for c, w in codecs.items() if SCALES[c].largest_px >= side_px} for codecs in (self.inner, self.last))
        return self._replace(inner=inner, last=last)


class CompressionRanges(Ranges):
    """What may vary in a chain of codecs; tables of weights leave out what they do not name."""

    paths: Weights[str] = choice(
        {"export": 0.52, "messenger": 0.17, "feed": 0.08, "screenshot": 0.06, "video": 0.07, "clip": 0.05, "archive": 0.05},
        "ways to a screen, models and not measurements: " + "; ".join(f"{name}: {path.about}" for name, path in presets.PATHS.items()),
    )
    codecs: Weights[str] = choice(dict.fromkeys(SCALES, 1.0), "codecs, multiplied with the weights that a path gives them")
    quality: Interval = interval(6, 95, "quality", "JPEG quality that hurts as much as the hardest hop", (1, 100))
    hops: Interval = interval(1, 5, "count", "hops of a chain", (1, 5))
    scale: Interval = interval(0.35, 1.0, "of the clean side", "long side of a resized hop", (0.1, 1.0))
    sharpen: Interval = interval(0.05, 0.8, "amount", "unsharp mask before coding, 0.8 px wide", (0.0, 2.0))
    offset_px: Interval = interval(0, 7, "px", "where the block grid of a cropped hop starts", (0, 7))
    filters: Weights[str] = choice({"linear": 0.5, "area": 0.25, "cubic": 0.21, "lanczos": 0.04}, "resampling filters")
    subsampling: Weights[str] = choice({"4:2:0": 0.7, "4:2:2": 0.1, "4:4:0": 0.02, "4:4:4": 0.18}, "chroma of JPEG and AVIF")
    _plans: dict[str, Plan] = PrivateAttr(default_factory=dict)
    _weights: Weights[str] = PrivateAttr(default_factory=dict)

    @field_validator("paths", "codecs", "filters", "subsampling")
    @classmethod
    def _known_names(cls, weights: dict[str, float], info: Any) -> dict[str, float]:
        return refuse_unknown_names(weights, KNOWN[info.field_name])

    @model_validator(mode="after")
    def _passable_paths(self) -> CompressionRanges:
        """Keep, of the paths that are asked for, those whose hops find a codec."""
        for name, weight in self.paths.items():
            path = presets.PATHS[name]
            inner, last = (self._allowed(role) for role in (path.inner, path.last))
            fewest, most = max(path.hops[0], int(self.hops[0])), min(path.hops[1], int(self.hops[1])) if inner else 1
            if weight > 0 and last and fewest <= most:
                self._plans[name] = Plan(weight, (fewest, most), inner, last)
                self._weights[name] = weight
        if not self._plans:
            raise ValueError("no path is left: the `codecs` and `hops` allowed suit none of the `paths` asked for")
        return self

    def plans(self, side_px: int) -> tuple[Weights[str], dict[str, Plan]]:
        """Return the paths' weights and what is left of each for a photo of this size; worked out once for all but huge ones.

        Raises:
            BadSample: no path is left whose codecs can hold the photo.
        """
        if side_px <= EVERY_CODEC_HOLDS_PX:
            return self._weights, self._plans
        fitting = {name: plan.holding(side_px) for name, plan in self._plans.items()}
        able = {name: plan for name, plan in fitting.items() if plan.last and (plan.inner or plan.hops[1] == 1)}
        if not able:
            raise BadSample(Reason.TOO_MANY_PIXELS, f"{side_px} px: no codec of the recipe's paths holds so long a side")
        return {name: plan.weight for name, plan in able.items()}, able

    def _allowed(self, role: presets.Role) -> dict[str, float]:
        weights = {codec: weight * self.codecs.get(codec, 0.0) for codec, weight in role.codecs.items()}
        return {codec: weight for codec, weight in weights.items() if weight > 0}


class CompressionParams(NamedTuple):
    """A drawn chain, first hop first."""

    hops: tuple[Hop, ...]


class Bounds(NamedTuple):
    """What a stratum and a recipe leave to draw from."""

    quality: tuple[float, float]
    sharpen: tuple[float, float]


class Resizing(NamedTuple):
    """Where a chain shrinks, to what, and how it shrinks and grows back."""

    at: int  # index of the hop; past the last one where nothing is resized
    scale: float = 1.0
    shrink: str = "area"
    grow: str = "area"


def sample(rng: np.random.Generator, ranges: CompressionRanges, facts: Facts, stratum: int) -> CompressionParams:
    """Draw a chain: one hop, anywhere in it, is the hardest and meets the stratum; the others hurt less."""
    roll = iter(rng.random(MOST_ROLLS).tolist()).__next__
    bounds = _bounds(ranges, stratum)
    roles, weights = _way(ranges, facts, roll)
    codings = _codings(weights, bounds, roll)
    resizing = _resizing(roles, ranges, bounds, roll)
    sharpened = next((index for index, role in enumerate(roles) if roll() < role.sharpens), None)
    hops = []
    for index, (role, (codec, setting)) in enumerate(zip(roles, codings, strict=True)):
        scale, how = _size(index, len(roles), resizing)
        amount = _between(bounds.sharpen, roll()) if index == sharpened else 0.0
        dx, dy = (_whole(ranges.offset_px, roll()), _whole(ranges.offset_px, roll())) if roll() < role.crops else (0, 0)
        hops.append(Hop(scale, how, amount, dx, dy, codec, setting, *_told(codec, scale, ranges, roll, last=index == len(roles) - 1)))
    return CompressionParams(tuple(hops))


def _way(ranges: CompressionRanges, facts: Facts, roll: Roll) -> tuple[tuple[presets.Role, ...], tuple[Weights[str], ...]]:
    """Draw a path and its length; return what each hop may do, and its codecs."""
    weights, plans = ranges.plans(max(facts.width, facts.height))
    name = pick(weights, roll())
    plan, path = plans[name], presets.PATHS[name]
    inner = _whole(plan.hops, roll()) - 1
    return (*(path.inner,) * inner, path.last), (*(plan.inner,) * inner, plan.last)


def _codings(weights: tuple[Weights[str], ...], bounds: Bounds, roll: Roll) -> list[tuple[str, float]]:
    """Draw codec and setting of each hop, the hardest first."""
    hardest = int(len(weights) * roll())
    coding = _coding(weights[hardest], bounds.quality, roll)
    worst = jpeg_equal(*coding)
    milder = worst, max(worst, BEST_QUALITY)
    return [coding if at == hardest else _coding(codecs_here, milder, roll) for at, codecs_here in enumerate(weights)]


def _bounds(ranges: CompressionRanges, stratum: int) -> Bounds:
    """Narrow the ranges to a stratum; where nothing is left of one, to its value nearest to the stratum."""
    low, high = STRATA[stratum] + EDGE, STRATA[stratum - 1]
    least, most = ranges.quality
    gentlest, strongest = ranges.sharpen
    return Bounds(
        (min(max(low, least), most), max(min(high, most), least)),
        (gentlest, max(gentlest, min(strongest, MOST_SHARPENING[stratum - 1]))),
    )


def _coding(weights: Weights[str], quality: tuple[float, float], roll: Roll) -> tuple[str, float]:
    """Draw a codec that can hurt as little and as much as asked, and its setting."""
    able = {codec: weight for codec, weight in weights.items() if reaches(codec, *quality)}
    codec = pick(able or weights, roll())
    return codec, setting_for(codec, _between(quality, roll()), *quality)


def _resizing(roles: tuple[presets.Role, ...], ranges: CompressionRanges, bounds: Bounds, roll: Roll) -> Resizing:
    """Draw whether and how a chain shrinks: never so far that this would hurt more than the stratum allows."""
    nowhere = Resizing(len(roles))
    at = next((index for index, role in enumerate(roles) if roll() < role.resizes), nowhere.at)
    if at == nowhere.at:
        return nowhere
    shrink, grow = pick(ranges.filters, roll()), pick(ranges.filters, roll())
    if at == len(roles) - 1:
        grow = shrink  # the last hop has one filter for both ways
    soft = (shrink in SOFT) + (grow in SOFT)
    smallest = scale_for(bounds.quality[0] + (SOFT_MARGIN if soft else 0.0), soft)
    if smallest is None or smallest > ranges.scale[1]:
        return nowhere
    return Resizing(at, _between((max(smallest, ranges.scale[0]), ranges.scale[1]), roll()), shrink, grow)


def _size(index: int, count: int, resizing: Resizing) -> tuple[float, str]:
    """Return a hop's scale and filter: full size, then the shrunk one, and full size again in the last hop."""
    if index < resizing.at:
        return 1.0, "area"
    if index == resizing.at:
        return resizing.scale, resizing.shrink
    return (1.0, resizing.grow) if index == count - 1 else (resizing.scale, "area")


def _told(codec: str, scale: float, ranges: CompressionRanges, roll: Roll, *, last: bool) -> tuple[str, str]:
    """Draw chroma subsampling and mode of an encoder."""
    subsampling = pick(ranges.subsampling, roll()) if codec in CHROMA else "4:2:0"
    if subsampling == "4:4:0" and codec == "avif":
        subsampling = "4:2:2"  # AVIF cannot halve rows only
    if codec == "h265" and scale < CTU_32_BELOW:
        return subsampling, "ctu-32"
    return subsampling, pick(MODES[codec], roll()) if last or codec not in ON_THE_WAY else ON_THE_WAY[codec]


def _between(bounds: tuple[float, float], roll: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * roll


def _whole(bounds: tuple[float, float], roll: float) -> int:
    return int(bounds[0]) + int((int(bounds[1]) - int(bounds[0]) + 1) * roll)


def render(picture: Srgb, params: CompressionParams, _: Assets) -> Encoded:
    """Return a picture after its chain, in its own size, and the last hop's file where that is what one sees.

    Args:
        picture: HxWx3 uint8 sRGB; left untouched.
        params: the hops.
    """
    return run(picture, params.hops)


def severity(params: CompressionParams) -> float:
    """Return the JPEG quality that hurts as much as the hardest coding of a chain, or its resizing if that is harder."""
    return min(resize_equal(*resizings(params.hops)), *(jpeg_equal(hop.codec, hop.quality) for hop in params.hops))


GENERATOR: Final = Generator(
    name="compression",
    version=1,
    about="chains of JPEG, WebP, AVIF and video codecs, resized, cropped and sharpened on the way, as a model of what the web does",
    stage=Stage.FILE,
    severity_name="JPEG-equivalent quality of the hardest hop",
    unit="quality",
    strata=STRATA,
    ranges=CompressionRanges,
    params=CompressionParams,
    sample=sample,
    render=render,
    severity=severity,
)
