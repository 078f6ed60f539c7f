"""Opens what a row names beside its photo: a second photo, images of banks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from degrade.contract import Srgb, Texture
from pipelines import crops
from pipelines.photos import textures
from pipelines.photos.decode import DecodeRules
from pipelines.photos.indexed import Indexed

RECENT = 8  # images of banks that are kept open: a bank is small, and drawn from often


class Others:
    """Second photos and images of banks, as a render takes them.

    Args:
        rules: how photos are decoded.
    """

    def __init__(self, rules: DecodeRules) -> None:
        self._rules = rules
        self._recent: dict[str, Texture] = {}

    def assets(self, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the fields `partner` and `textures` of Assets for the records of a row."""
        partner: Srgb | None = None
        found: dict[str, tuple[Texture, ...]] = {}
        for record in records:
            if record["role"] == "partner":
                photo, _ = _indexed(record).opened(self._rules)
                partner = crops.cut(photo.pixels, crops.Crop(*record["crop"]))
            else:
                found[record["role"]] = (*found.get(record["role"], ()), self._texture(record))
        return {"partner": partner, "textures": found}

    def _texture(self, record: dict[str, Any]) -> Texture:
        if record["sha256"] not in self._recent:
            pixels = textures.decode(_indexed(record).data(self._rules.max_bytes))
            pixels.flags.writeable = False  # several pairs see it
            if len(self._recent) >= RECENT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[record["sha256"]] = pixels
        return self._recent[record["sha256"]]


def _indexed(record: dict[str, Any]) -> Indexed:
    return Indexed(record["uri"], record["offset"], record["size"], record["sha256"])
