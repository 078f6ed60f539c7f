"""What a degradation is: the types that a generator file fills in, and nothing else.

A generator draws first and acts second. `sample` is the only place with chance and sees no pixel; `render` is pure:
the same picture, params and assets give the same bytes, nothing is read, written, downloaded or remembered.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from degrade.keys import refuse_unknown_keys

Linear = NDArray[np.float32]  # HxWx3 linear light, sRGB primaries, 1.0 = display white; recovered highlights exceed 1
Srgb = NDArray[np.uint8]  # HxWx3 sRGB
Map = NDArray[np.float32]  # HxW
Texture = NDArray[np.uint8]  # HxWx4 sRGB and alpha: an image of a bank, at its own size

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]  # a YAML string never passes for a number
Interval = tuple[Number, Number]

STRATA = 5  # strata are numbered 1 (barely visible) to 5 (clearly hurts)


class Stage(IntEnum):
    """Where in the life of a photo a step acts; steps of one pair are sorted by it."""

    SCENE = 1  # Linear -> Linear: the air and glass before the camera
    LENS = 2  # Linear -> Linear
    SENSOR = 3  # Linear -> Srgb, or Encoded where the camera filed it: exposure, sensor and development; at most one step per pair
    TAIL = 4  # Srgb -> Encoded: what the web did to the file since; a codec after it decides the bytes
    FILE = 5  # Srgb -> Encoded: resizing and codecs


class Ranges(BaseModel):
    """What may vary in a degradation: a recipe may narrow every field.

    Fields are made by `interval`, `share` and `choice`, so that each carries a unit, a meaning and its possible
    bounds. Unknown keys, reversed intervals and impossible values raise with the path of the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return refuse_unknown_keys(cls, values)

    @model_validator(mode="after")
    def _possible(self) -> Ranges:
        for name, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            value = getattr(self, name)
            if not (isinstance(extra, dict) and "possible" in extra and isinstance(value, tuple)):
                continue
            low, high = typing.cast(tuple[float, float], extra["possible"])
            if value[0] > value[1]:
                raise ValueError(f"`{name}` is reversed: [{value[0]}, {value[1]}]; write the lower bound first")
            if value[0] < low or value[1] > high:
                raise ValueError(f"`{name}` = [{value[0]}, {value[1]}] {extra['unit']} is outside the possible {[low, high]}")
        return self


def interval(low: float, high: float, unit: str, meaning: str, possible: tuple[float, float]) -> Any:
    """Declare a field of `Ranges`: default bounds, unit, meaning, and the bounds that are physically possible."""
    return Field(default=(float(low), float(high)), description=meaning, json_schema_extra={"unit": unit, "possible": list(possible)})


def share(default: float, meaning: str) -> Any:
    """Declare a field of `Ranges` that is a probability or a fraction in [0, 1]."""
    return Field(default=default, ge=0.0, le=1.0, strict=True, description=meaning, json_schema_extra={"unit": "0..1"})


def choice(default: Any, meaning: str) -> Any:
    """Declare a field of `Ranges` that is a list of names, or a table of names and weights."""
    return Field(default=default, description=meaning, json_schema_extra={"unit": "name"})


class Light(NamedTuple):
    """A lamp or the sun in a photo; places are shares of the clean side, and lie outside 0..1 where it was cropped away."""

    x_frac: float  # centre, widths of the clean side from its left edge
    y_frac: float  # heights, from its top
    radius_frac: float  # of the clipped core, short sides
    colour: tuple[float, float, float]  # linear, the strongest channel 1
    power: float  # how much brighter than display white it is taken to be, 1 and more


class Motion(NamedTuple):
    """What the index measured in a clip: how fast the picture moves, and between which frames it can be used."""

    fps: float
    speeds_px: tuple[float, ...]  # from frame i to i + 1: 90th percentile of the optical flow, px of the clean side
    shots: tuple[tuple[int, int], ...]  # (first, last) frame of every usable run without a cut, both inclusive


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the clean side without opening it; filled from its index row and crop."""

    width: int  # px of the clean side
    height: int
    sky_frac: float = 0.0  # share of the photo that is sky, from the index
    luminance: float = 0.18  # mean linear luminance of the photo
    far: bool = True  # the photo shows distance: not a portrait, a macro shot or a flat object
    lights: tuple[Light, ...] = ()  # strongest first
    motion: Motion | None = None  # set for a clip, None for a still
    partner: Facts | None = None  # the second photo that the plan found, for generators that need one
    textures: int = 0  # how many images the recipe's bank holds for this generator
    things: bool = False  # its segments are things that a network found, not superpixels


@dataclass(frozen=True, slots=True)
class Assets:
    """What a render may need beside its params: priors of the scene, already cut to the clean side.

    The maps are small proxies that cover exactly the clean side; a generator brings them to size itself, along the
    photo's own edges.
    """

    depth: Map | None = None  # relative INVERSE depth: 1 nearest, 0 farthest
    sky: Map | None = None  # 1 where sky
    segments: NDArray[np.int32] | None = None  # labels 0..n-1
    horizon_frac: float = 0.5  # row of the horizon in heights of the clean side; may lie outside 0..1
    height_rad: float = 0.75  # vertical field of view of the clean side, radians
    partner: Srgb | None = None  # a second photo, cut to the size of the clean side
    frames: tuple[Srgb, ...] = ()  # the frames of a clip that a step's `window` names, cut like the clean side
    textures: Mapping[str, tuple[Texture, ...]] = field(default_factory=dict)  # by generator: one for each of its `textures`


class Encoded(NamedTuple):
    """A finished picture; `data` holds a codec's own bytes when those are what is to be kept."""

    pixels: Srgb
    data: bytes | None = None
    media_type: str | None = None
    notes: Mapping[str, float] = MappingProxyType({})  # what rendering found out, by `generator.name`


class Noted(NamedTuple):
    """What a render may return instead of its picture alone: the picture, and numbers that belong in the row."""

    picture: Any  # what the stage asks for
    notes: Mapping[str, float]


R = TypeVar("R", bound=Ranges)
P = TypeVar("P", bound=tuple[Any, ...])  # a NamedTuple of JSON scalars, short tuples of them, and nested ones


@dataclass(frozen=True, slots=True)
class Generator(Generic[R, P]):
    """One line of the catalogue: everything that the rest of Patina knows about a degradation.

    Two fields of `params` have a meaning for the plan and the darkroom where a generator has them:
    `textures`, a tuple with an entry for each image that is to be picked from the generator's bank (at most
    `facts.textures` of them are there), and `window`, (first, centre, last) frame of a clip, empty for a still.
    `layers` takes what `render` takes and returns what people ask dataset authors for: maps HxW in [0, 1] or pictures
    HxWx3 in linear light, by name, all of the clean side's size.
    """

    name: str
    version: int  # rises when the same params would give other pixels
    about: str  # one line for `patina kinds`
    stage: Stage
    severity_name: str
    unit: str
    strata: tuple[float, float, float, float, float, float]  # edges in `unit`, mild to severe (may fall)
    ranges: type[R]
    params: type[P]
    sample: Callable[[np.random.Generator, R, Facts, int], P]  # (rng, ranges, facts, stratum 1-5)
    render: Callable[[Any, P, Assets], Any]  # by stage: Linear->Linear, Linear->Srgb or Encoded, Srgb->Encoded
    severity: Callable[[P], float]  # in `unit`
    takes_srgb: bool = False  # a sensor's `render` also takes the photo as shown, if nothing changed its light: same bytes, sooner
    needs: tuple[str, ...] = field(default=())  # fields of Assets: depth, sky, segments, partner
    layers: Callable[[Any, P, Assets], dict[str, NDArray[np.float32]]] | None = None  # side products on request, see below

    def band(self, stratum: int) -> tuple[float, float]:
        """Return the two severities that bound a stratum, lower number first."""
        if not 1 <= stratum <= STRATA:
            raise ValueError(f"severity stratum {stratum}: strata are numbered 1 to {STRATA}")
        low, high = self.strata[stratum - 1], self.strata[stratum]
        return (low, high) if low <= high else (high, low)

    def stratum(self, severity: float) -> int:
        """Return the stratum 1-5 in which a severity lies; values beyond the ends belong to the end strata."""
        rising = self.strata[-1] > self.strata[0]
        passed = sum(severity >= edge if rising else severity <= edge for edge in self.strata[1:-1])
        return 1 + passed
