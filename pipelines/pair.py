"""From a plan row to two pictures: the one path that rendering, replaying and benchmarking share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import cv2

import degrade
from degrade import chain
from degrade.contract import Encoded, Srgb
from degrade.errors import BadSample, Reason
from degrade.record import from_record
from manifests import commit, png
from manifests.pictures import EXTENSIONS
from manifests.shards import Member
from pipelines import crops
from pipelines.crops import Crop
from pipelines.photos import decode, sources
from pipelines.photos.decode import DecodeRules, Photo
from pipelines.photos.sources import Listed
from pipelines.photos.verbatim import bare_jpeg
from pipelines.priors import Priors


class Pair(NamedTuple):
    """A rendered pair, as pixels."""

    clean: Srgb
    degraded: Encoded
    assets: list[dict[str, str]]
    clean_file: bytes | None = None  # the photo's own bytes, where they are the clean side already


class Darkroom:
    """Renders rows; keeps the photo it opened last, because its variants stand together.

    Args:
        run: the run folder, for cached priors; None keeps none.
        rules: how photos are decoded.
    """

    def __init__(self, run: Path | None, rules: DecodeRules) -> None:
        self._rules = rules
        self._priors = Priors(run)
        self._open: tuple[str, Photo, bytes] | None = None

    def render(self, row: dict[str, Any]) -> Pair:
        """Return the pair of a row.

        Raises:
            BadSample: the photo has gone or changed, or nothing came of it.
        """
        photo, data = self._photo(row)
        crop = crop_of(row)
        clean = crops.cut(photo.pixels, crop)
        assets, used = self._priors.assets(photo.pixels, row["photo_sha256"], crop, json.loads(row["makers"]))
        return Pair(clean, chain.render(clean, steps_of(row), assets), used, _verbatim(photo, data, clean))

    def _photo(self, row: dict[str, Any]) -> tuple[Photo, bytes]:
        """Return the photo of a row and its bytes, checked to be those that were indexed."""
        if self._open is None or self._open[0] != row["photo_sha256"]:
            data = sources.read(Listed(row["photo_uri"], row["photo_offset"], row["photo_size"], {}), self._rules.max_bytes)
            if commit.sha256(data) != row["photo_sha256"]:
                raise BadSample(Reason.SOURCE_CHANGED, f"{row['photo_uri']} holds other bytes than when it was indexed")
            self._open = (row["photo_sha256"], decode.decode(data, self._rules), data)
        return self._open[1:]


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
