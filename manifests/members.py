"""Reads the pictures of rows out of a run's shards, one pread each, and proves every byte on its way out."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from degrade.errors import CorruptRun
from manifests import commit, pictures, png, shards

SIDES = ("clean", "degraded")
AVIF = "image/avif"


class Stored(NamedTuple):
    """Where a picture lies in its shard, and what it is."""

    shard: str
    offset: int
    length: int
    sha256: str
    media_type: str

    @property
    def extension(self) -> str:
        """Return the extension under which it is exported."""
        return "png" if self.turned else pictures.EXTENSIONS[self.media_type]

    @property
    def turned(self) -> bool:
        """Whether it is exported as a PNG of the same pixels: most trainers' libraries open no AVIF."""
        return self.media_type == AVIF


def stored(row: dict[str, Any]) -> dict[str, Stored]:
    """Return the pictures of a row by role: clean, degraded, and its layers by name.

    Args:
        row: prepared by `formats.rows.rows`.
    """
    sides = {side: Stored(row["shard"], *(row[f"{side}_{what}"] for what in ("offset", "length", "sha256", "type"))) for side in SIDES}
    layers = {name: Stored(row["shard"], layer["offset"], layer["length"], layer["sha256"], png.MEDIA_TYPE) for name, layer in row["layers"].items()}
    return {**sides, **layers}


class Members:
    """The pictures of a run; keeps the shard open that it read last, because rows of a shard stand together.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._shard, self._file = "", -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def read(self, picture: Stored) -> bytes:
        """Return the bytes of a picture as they are exported; raises CorruptRun as `raw` does."""
        data = self.raw(picture)
        return png.encode(pictures.decode(data)) if picture.turned else data

    def raw(self, picture: Stored) -> bytes:
        """Return the bytes of a picture as they are stored.

        Raises:
            CorruptRun: they are not what the row says.
        """
        path = shards.tar_path(self._run, picture.shard)
        if picture.shard != self._shard:
            self._close()
            try:
                self._shard, self._file = picture.shard, os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise CorruptRun(f"{path} is gone: `patina verify {self._run}` names what is missing") from None
        data = os.pread(self._file, picture.length, picture.offset)
        if commit.sha256(data) != picture.sha256:
            raise CorruptRun(f"{path} has other bytes at {picture.offset} than its row says: `patina verify {self._run}` names every such pair")
        return data

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._shard, self._file = "", -1
