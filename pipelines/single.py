"""One degradation on one photo: what `patina degrade` and `patina sheet` do, by the path that a job takes."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import degrade
from degrade import camera, chain
from degrade.contract import Encoded, Facts, Srgb
from degrade.errors import RecipeError
from degrade.record import to_record
from degrade.scene import depth, sky
from degrade.scene.proxy import proxy
from degrade.stream import stream
from manifests import commit, png
from manifests.pictures import EXTENSIONS
from pipelines.crops import Crop, cut
from pipelines.photos import decode, sources
from pipelines.photos.decode import DecodeRules
from pipelines.photos.formats import FormatName
from pipelines.photos.sources import Listed
from pipelines.priors import STAND_INS, Priors

MAKERS = {"depth": "geometric", "sky": "colour", "segments": "superpixels"}


class Tried(NamedTuple):
    """A degradation of one photo."""

    clean: Srgb
    degraded: Encoded
    step: dict[str, Any]  # generator, params, severity, unit, stratum


class Opened(NamedTuple):
    """A photo, opened once for any number of tries."""

    pixels: Srgb
    sha256: str
    facts: Facts


def open_photo(path: Path) -> Opened:
    """Open a photo with all formats enabled.

    Raises:
        BadSample: it cannot be used, and why.
    """
    rules = DecodeRules(formats=typing.get_args(FormatName))
    data = sources.read(Listed(str(path), None, None, {}), rules.max_bytes)
    pixels = decode.decode(data, rules).pixels
    small = proxy(pixels)
    sky_map = sky.sky(small)
    luminance = float(np.mean(camera.to_linear(small)))
    facts = Facts(pixels.shape[1], pixels.shape[0], sky.sky_frac(sky_map), luminance, depth.far(small, sky_map))
    return Opened(pixels, commit.sha256(data), facts)


def try_one(photo: Opened, kind: str, stratum: int, seed: int, crop: Crop | None = None, depth_maker: str | None = None) -> Tried:
    """Degrade a photo once.

    Args:
        photo: from `open_photo`.
        kind: a name of the catalogue.
        stratum: severity 1 to 5.
        seed: any number; the same gives the same picture.
        crop: which part; default all of it.
        depth_maker: a depth model instead of the stand-in.

    Raises:
        BadSample: the photo does not suit the degradation.
        RecipeError: no such degradation or severity.
    """
    generator = degrade.by_name(kind)
    try:
        generator.band(stratum)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    height, width = photo.pixels.shape[:2]
    crop = crop or Crop(0, 0, width, height, width, height)
    params = generator.sample(stream(seed, kind, photo.sha256), generator.ranges(), photo.facts, stratum)
    makers = {need: MAKERS[need] for need in generator.needs}
    priors = Priors(None)
    if depth_maker and depth_maker not in STAND_INS and "depth" in makers:
        makers["depth"] = depth_maker
        priors.model(photo.pixels, photo.sha256, depth_maker)
    clean = cut(photo.pixels, crop)
    assets, _ = priors.assets(photo.pixels, photo.sha256, crop, makers)
    degraded = chain.render(clean, [chain.Step(generator, params)], assets)
    severity = generator.severity(params)
    step = {"generator": kind, "params": to_record(params), "severity": severity, "unit": generator.unit, "stratum": generator.stratum(severity)}
    return Tried(clean, degraded, step)


def save(encoded: Encoded, path: Path) -> None:
    """Write a degraded picture: losslessly as .png, or a codec's own bytes under that codec's ending.

    Raises:
        RecipeError: the ending asks for something else.
    """
    endings = [".png"]
    if encoded.data is not None and encoded.media_type is not None:
        endings.append("." + EXTENSIONS[encoded.media_type])
    if path.suffix.lower() not in endings:
        raise RecipeError(f"{path.name}: this picture is written as {' or '.join(endings)} (another codec would degrade it once more)")
    data = png.encode(encoded.pixels) if path.suffix.lower() == ".png" or encoded.data is None else encoded.data
    commit.write_bytes(path, data)
