"""Puts picture files where a format wants them: kept if they lie there, linked if another export has them, else written.

A file counts as the picture only if its bytes have the picture's hash, so a half-written or edited one is never used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from manifests import commit
from manifests.members import Members, Stored


class Placer:
    """Fills one folder with pictures.

    Args:
        folder: that is being built.
        members: the run's pictures.
    """

    def __init__(self, folder: Path, members: Members) -> None:
        self.folder, self._members = folder, members
        self._made: set[Path] = set()
        self.written = 0  # files that are new bytes on the disk

    def place(self, picture: Stored, path: str, twins: Iterable[Path]) -> None:
        """See to it that a picture lies at a path.

        Args:
            picture: in its shard.
            path: relative to the folder.
            twins: files that may be the same picture, on the same disk or not.
        """
        target = self.folder / path
        if target in self._made:
            return
        self._made.add(target)
        data = self._members.read(picture) if picture.turned else None
        length, sha256 = (picture.length, picture.sha256) if data is None else (len(data), commit.sha256(data))
        if _is(target, length, sha256):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        for twin in twins:
            if _is(twin, length, sha256):
                with contextlib.suppress(OSError):  # another disk, no hard links there, or too many of them: a copy is as good
                    os.link(twin, target)
                    return
        target.write_bytes(self._members.read(picture) if data is None else data)
        self.written += 1


def _is(path: Path, length: int, sha256: str) -> bool:
    """Whether a file holds exactly these bytes."""
    try:
        if path.stat().st_size != length:
            return False
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False
