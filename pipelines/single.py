"""One degradation on one photo or clip: what `patina degrade` and `patina sheet` do, by the path that a job takes."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any, NamedTuple

import degrade
from degrade import chain
from degrade.contract import Assets, Encoded, Facts, Generator, Srgb, Texture
from degrade.errors import BadSample, Reason, RecipeError
from degrade.record import to_record
from degrade.stream import stream, unit_draws
from manifests import commit, png
from manifests.pictures import EXTENSIONS
from pipelines import crops, footage
from pipelines.crops import Crop, CropRecipe
from pipelines.index import scene_facts
from pipelines.photos import clips, decode, sources, textures
from pipelines.photos.decode import DecodeRules
from pipelines.photos.formats import FormatName
from pipelines.photos.sources import Listed
from pipelines.priors import STAND_INS, Priors
from pipelines.usable import Photo

MAKERS = {"depth": "geometric", "sky": "colour", "segments": "superpixels"}
RULES = DecodeRules(formats=typing.get_args(FormatName))
CLIP_FRAMES = 1500


class Tried(NamedTuple):
    """A degradation of one photo."""

    clean: Srgb
    degraded: Encoded
    step: dict[str, Any]  # generator, params, severity, unit, stratum


class Opened(NamedTuple):
    """A photo or clip, opened once for any number of tries."""

    pixels: Srgb  # of a clip: its first frame
    data: bytes
    photo: Photo  # as the plan would know it


class Beside(NamedTuple):
    """What a degradation may want besides: other makers of maps, a second photo, a bank of images."""

    makers: dict[str, str] = {}  # noqa: RUF012  never written to
    partner: Opened | None = None
    bank: tuple[Listed, ...] = ()


NOTHING = Beside()


def open_photo(path: Path) -> Opened:
    """Open a photo or a clip with all formats enabled.

    Raises:
        BadSample: it cannot be used, and why.
    """
    data = sources.read(Listed(str(path), None, None, {}), RULES.max_bytes)
    if clips.signature(data) is not None:
        row = footage.examine(data, RULES, CLIP_FRAMES)
        pixels = next(clips.frames(data))
    else:
        pixels = decode.decode(data, RULES).pixels
        row = {"kind": "photo", "motion": None, **scene_facts(pixels)}
    told = {"uri": str(path), "offset": None, "size": None, "sha256": commit.sha256(data), "width": pixels.shape[1], "height": pixels.shape[0]}
    known = {"kind": "clip", **row, **told, "extra": [], "cluster": None}
    return Opened(pixels, data, Photo(*(known[name] for name in Photo._fields)))


def open_bank(path: str) -> tuple[Listed, ...]:
    """List a bank of images: a folder, glob, tar or file; raises RecipeError if there is none."""
    return tuple(sources.listing([path]))


def try_one(opened: Opened, kind: str, stratum: int, seed: int, crop: Crop | None = None, beside: Beside = NOTHING) -> Tried:
    """Degrade a photo once.

    Args:
        opened: from `open_photo`.
        kind: a name of the catalogue.
        stratum: severity 1 to 5.
        seed: any number; the same gives the same picture.
        crop: which part; default all of it.
        beside: other makers of maps than the stand-ins, a second photo, a bank.

    Raises:
        BadSample: the photo does not suit the degradation.
        RecipeError: no such degradation or severity.
    """
    generator = degrade.by_name(kind)
    try:
        generator.band(stratum)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    height, width = opened.pixels.shape[:2]
    crop = crop or Crop(0, 0, width, height, width, height)
    params = generator.sample(stream(seed, kind, opened.photo.sha256), generator.ranges(), _facts(opened, generator, crop, beside), stratum)
    shutter: tuple[int, ...] = getattr(params, "window", ())
    reel = clips.Reel(opened.data) if shutter else None
    pixels = reel.frame(shutter[1]).pixels if reel else opened.pixels
    clean = crops.cut(pixels, crop)
    assets = _maps(opened, pixels, generator, crop, beside) if not shutter else Assets()
    added: dict[str, Any] = {"frames": reel.window(shutter[0], shutter[-1], crop) if reel else ()}
    if beside.partner is not None and "partner" in generator.needs:
        added["partner"] = crops.cut(beside.partner.pixels, _filling(beside.partner, crop))
    if count := len(getattr(params, "textures", ())):
        added["textures"] = {kind: _textures(beside.bank, f"{seed} {opened.photo.sha256}", count)}
    degraded = chain.render(clean, [chain.Step(generator, params)], dataclasses.replace(assets, **added))
    severity = generator.severity(params)
    step = {"generator": kind, "params": to_record(params), "severity": severity, "unit": generator.unit, "stratum": generator.stratum(severity)}
    return Tried(clean, degraded, step)


def _facts(opened: Opened, generator: Generator[Any, Any], crop: Crop, beside: Beside) -> Facts:
    """Return what the plan would tell the generator."""
    facts = opened.photo.facts(crop)
    if facts.motion is not None and "window" not in generator.params._fields:
        raise BadSample(Reason.NOT_FOR_CLIPS, f"{generator.name} is made on photos, this is a clip")
    partner = beside.partner.photo.facts(_filling(beside.partner, crop)) if beside.partner is not None else None
    things = beside.makers.get("segments", MAKERS["segments"]) not in STAND_INS
    return dataclasses.replace(facts, textures=len(beside.bank), partner=partner, things=things)


def _filling(partner: Opened, crop: Crop) -> Crop:
    return crops.filling(CropRecipe(max_upscale=4.0), partner.photo.width, partner.photo.height, crop.width, crop.height)


def _maps(opened: Opened, pixels: Srgb, generator: Generator[Any, Any], crop: Crop, beside: Beside) -> Assets:
    """Return the maps of the scene that a generator needs, by models where they are asked for."""
    makers = {need: beside.makers.get(need, MAKERS[need]) for need in generator.needs if need in MAKERS}
    priors = Priors(None)
    for need, maker in makers.items():
        if maker not in STAND_INS:
            priors.model(pixels, opened.photo.sha256, need, maker)
    return priors.assets(pixels, opened.photo.sha256, crop, makers)[0]


def _textures(bank: tuple[Listed, ...], key: str, count: int) -> tuple[Texture, ...]:
    picks = [bank[int(unit_draws(place, "bank", key)[0] * len(bank))] for place in range(count)]
    return tuple(textures.decode(sources.read(pick, RULES.max_bytes)) for pick in picks)


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
