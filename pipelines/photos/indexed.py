"""Opens a photo that was indexed, or a frame of a clip: the one way from a row to pixels, and they are those that were indexed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from degrade.errors import BadSample, Reason
from manifests import commit
from pipelines.photos import clips, decode, sources
from pipelines.photos.decode import DecodeRules, Photo
from pipelines.photos.sources import Listed


class Indexed(NamedTuple):
    """Where it is, and what its bytes must be."""

    uri: str
    offset: int | None  # as in Listed
    size: int | None
    sha256: str
    frame: int | None = None  # of a clip; None: a photo

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the photo of a pair's row."""
        return cls(*(row[f"photo_{name}"] for name in cls._fields))

    def data(self, max_bytes: int) -> bytes:
        """Return the bytes of the file.

        Raises:
            BadSample: SOURCE_CHANGED, or what `sources.read` raises.
            RunError: they cannot be read now, and may be there soon.
        """
        data = sources.read(Listed(self.uri, self.offset, self.size, {}), max_bytes, known=True)
        if commit.sha256(data) != self.sha256:
            raise BadSample(Reason.SOURCE_CHANGED, f"{self.uri} holds other bytes than when it was indexed")
        return data

    def opened(self, rules: DecodeRules) -> tuple[Photo, bytes]:
        """Return a photo and its file, or a frame and no bytes; raises as `data` does, and BadSample where they cannot be decoded."""
        data = self.data(rules.max_bytes)
        if self.frame is None:
            return decode.decode(data, rules), data
        with contextlib.closing(clips.Reel(data)) as reel:
            return reel.frame(self.frame), b""
