"""From a plan row to two pictures: the one path that rendering, replaying and benchmarking share."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import cv2

import degrade
from degrade import chain
from degrade.contract import Encoded, Srgb
from degrade.record import from_record
from manifests import png
from manifests.pictures import EXTENSIONS
from manifests.shards import Layer, Member
from pipelines import crops
from pipelines.crops import Crop
from pipelines.layers import stored_layers
from pipelines.others import Others
from pipelines.photos import clips
from pipelines.photos.decode import DecodeRules, Photo
from pipelines.photos.indexed import Indexed
from pipelines.photos.verbatim import bare_jpeg
from pipelines.priors import Priors, photo_key


class Pair(NamedTuple):
    """A rendered pair, as pixels."""

    clean: Srgb
    degraded: Encoded
    assets: list[dict[str, str]]
    layers: list[Layer]
    clean_file: bytes | None = None  # the photo's own bytes, where they are the clean side already


class Darkroom:
    """Renders rows; keeps the photo it opened last, because its variants stand together.

    Args:
        run: the run folder, for cached priors; None keeps none.
        rules: how photos are decoded.
        layers: whether side products are made.
    """

    def __init__(self, run: Path | None, rules: DecodeRules, *, layers: bool = False) -> None:
        self._rules, self._layers = rules, layers
        self._priors = Priors(run)
        self._others = Others(rules)
        self._open: tuple[str, Photo, bytes] | None = None
        self._reel: tuple[str, clips.Reel] | None = None

    def render(self, row: dict[str, Any]) -> Pair:
        """Return the pair of a row.

        Raises:
            BadSample: the photo has gone or changed, or nothing came of it.
        """
        crop, steps = crop_of(row), steps_of(row)
        windows = [step.params.window for step in steps if getattr(step.params, "window", ())]
        frames = self._wound(row).window(windows[0][0], windows[0][-1], crop) if windows else ()
        photo, data = self._photo(row)
        clean = crops.cut(photo.pixels, crop)
        assets, used = self._priors.assets(photo.pixels, photo_key(row), crop, json.loads(row["makers"]))
        others = json.loads(row["others"])
        assets = dataclasses.replace(assets, frames=frames, **self._others.assets(others))
        used += [{"kind": other["role"], "maker": other["uri"], "sha256": other["sha256"]} for other in others]
        layers = stored_layers(clean, steps, assets) if self._layers else []
        return Pair(clean, chain.render(clean, steps, assets), used, layers, _verbatim(photo, data, clean))

    def _photo(self, row: dict[str, Any]) -> tuple[Photo, bytes]:
        """Return the photo of a row and its bytes, checked to be those that were indexed."""
        if row["photo_frame"] is not None:
            return self._wound(row).frame(row["photo_frame"]), b""
        if self._open is None or self._open[0] != row["photo_sha256"]:
            self._open = (row["photo_sha256"], *Indexed.of(row).opened(self._rules))
        return self._open[1:]

    def _wound(self, row: dict[str, Any]) -> clips.Reel:
        """Return the clip of a row, opened; it stays open for the next row."""
        if self._reel is None or self._reel[0] != row["photo_sha256"]:
            if self._reel is not None:
                self._reel[1].close()
            self._reel = (row["photo_sha256"], clips.Reel(Indexed.of(row).data(self._rules.max_bytes)))
        return self._reel[1]


def _verbatim(photo: Photo, data: bytes, clean: Srgb) -> bytes | None:
    """Return the bytes of a photo that is the clean side as it stands: a JPEG, whole, at its own size, not converted."""
    if photo.format != "jpeg" or photo.notes or photo.pixels.shape != clean.shape:
        return None
    return bare_jpeg(data)


def crop_of(row: dict[str, Any]) -> Crop:
    """Return the crop of a row."""
    return Crop(*(row[name] for name in ("crop_x", "crop_y", "crop_width", "crop_height", "width", "height")))


def steps_of(row: dict[str, Any]) -> list[chain.Step]:
    """Return the steps of a row, with the generators that made them.

    Raises:
        ValueError: the row was made by another version of a generator.
    """
    steps = []
    for record in json.loads(row["steps"]):
        generator = degrade.by_name(record["generator"])
        if record["version"] != generator.version:
            raise ValueError(f"pair {row['pair_id']} was made by {generator.name} version {record['version']}, here is version {generator.version}")
        steps.append(chain.Step(generator, from_record(generator.params, record["params"])))
    return steps


def members_of(pair: Pair) -> tuple[Member, Member]:
    """Return the pictures as they are stored: a codec's own bytes where there are some, lossless otherwise."""
    clean = Member(pair.clean_file, "image/jpeg") if pair.clean_file else Member(png.encode(pair.clean), png.MEDIA_TYPE)
    data, media_type = pair.degraded.data, pair.degraded.media_type
    if data is not None and media_type in EXTENSIONS:
        return clean, Member(data, media_type)
    return clean, Member(png.encode(pair.degraded.pixels), png.MEDIA_TYPE)


def psnr_db(one: Srgb, other: Srgb) -> float:
    """Return the peak signal-to-noise ratio of two pictures in dB; 361 stands for identical ones."""
    return float(cv2.PSNR(one, other))


IDENTICAL_DB = 100.0  # a single level in a single value of a 4096x4096 picture is 125 dB; cv2 says 361 for none at all
