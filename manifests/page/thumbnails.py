"""Small pictures of pairs, made once: degraded and clean side by side in one JPEG, kept in `RUN/page/`.

A cache and nothing more: it may be deleted at any time, and a file that a crash left empty is made again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from manifests import pictures
from manifests.page import members

SIDE_PX = 320  # the longer side of one half
QUALITY = 85
FOLDER = "page"


def path_of(run: Path, pair_id: str) -> Path:
    """Return where a pair's thumbnail lies; 256 folders keep each of them short."""
    return run / FOLDER / f"thumbnails-{SIDE_PX}" / pair_id[:2] / f"{pair_id}.jpg"


def thumbnail(run: Path, row: Mapping[str, Any]) -> bytes:
    """Return a pair's thumbnail, making it if nobody has; raises what `members.picture` raises."""
    data = kept(run, row["pair_id"])
    if not data:
        data = made(run, row)
        _keep(path_of(run, row["pair_id"]), data)
    return data


def kept(run: Path, pair_id: str) -> bytes:
    """Return a thumbnail from the cache, empty where there is none."""
    try:
        return path_of(run, pair_id).read_bytes()
    except FileNotFoundError:
        return b""


def made(run: Path, row: Mapping[str, Any]) -> bytes:
    """Return a JPEG of the degraded and the clean side, each at most SIDE_PX on its longer side."""
    halves = [_small(pictures.decode(members.picture(run, row, side)[0])) for side in ("degraded", "clean")]
    _, data = cv2.imencode(".jpg", np.hstack(halves)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[np.uint8] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return small


def _keep(path: Path, data: bytes) -> None:
    """Put a file into the cache; on a read-only disk there is none, and the page works without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError:
        return
