"""Opens what a row names beside its photo: a second photo, images of banks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from degrade.contract import Srgb, Texture
from degrade.errors import BadSample, Reason
from manifests import commit
from pipelines import crops
from pipelines.photos import decode, sources, textures
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Listed

RECENT = 8  # images of banks that are kept open: a bank is small, and drawn from often


def indexed_bytes(listed: Listed, sha256: str, max_bytes: int) -> bytes:
    """Return the bytes of an input, checked to be those that were indexed; raises BadSample(SOURCE_CHANGED)."""
    data = sources.read(listed, max_bytes)
    if commit.sha256(data) != sha256:
        raise BadSample(Reason.SOURCE_CHANGED, f"{listed.uri} holds other bytes than when it was indexed")
    return data


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
                photo = decode.decode(self._bytes(record), self._rules).pixels
                partner = crops.cut(photo, crops.Crop(*record["crop"]))
            else:
                found[record["role"]] = (*found.get(record["role"], ()), self._texture(record))
        return {"partner": partner, "textures": found}

    def _bytes(self, record: dict[str, Any]) -> bytes:
        return indexed_bytes(Listed(record["uri"], record["offset"], record["size"], {}), record["sha256"], self._rules.max_bytes)

    def _texture(self, record: dict[str, Any]) -> Texture:
        if record["sha256"] not in self._recent:
            pixels = textures.decode(self._bytes(record))
            pixels.flags.writeable = False  # several pairs see it
            if len(self._recent) >= RECENT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[record["sha256"]] = pixels
        return self._recent[record["sha256"]]
