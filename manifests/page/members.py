"""Stored pictures and layers, as a browser shows them: pictures are the member's own bytes, layers are made visible."""

from __future__ import annotations

import colorsys
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.errors import CorruptRun, RunError
from degrade.keys import nearest
from manifests import png, shards
from manifests.commit import sha256

SIDES = ("clean", "degraded")
LABELS = "segments"
COLUMNS = ["pair_id", "reason", "shard", "layers", *(f"{side}_{what}" for side in SIDES for what in ("offset", "length", "type", "sha256"))]


def picture(run: Path, row: Mapping[str, Any], side: str) -> tuple[bytes, str]:
    """Return the stored bytes of one side, checked against the row, and their media type.

    Raises:
        RunError: the pair has no pictures.
        CorruptRun: the bytes are not what the row says.
    """
    if row[f"{side}_length"] is None:
        raise RunError(f"pair {row['pair_id']} was refused ({row['reason']}): it has no pictures")
    return _stored(run, row["shard"], row[f"{side}_offset"], row[f"{side}_length"], row[f"{side}_sha256"]), row[f"{side}_type"]


def layer(run: Path, row: Mapping[str, Any], name: str) -> bytes:
    """Return a side product as an 8-bit PNG for eyes; raises RunError for one that the pair does not have."""
    known = {record["name"]: record for record in json.loads(row["layers"] or "[]")}
    if name not in known:
        raise RunError(f"pair {row['pair_id']} has no layer `{name}`; {nearest(name, known)}")
    record = known[name]
    data = _stored(run, row["shard"], record["offset"], record["length"], record["sha256"])
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise CorruptRun(f"layer `{name}` of {row['pair_id']} cannot be decoded: run `patina verify {run}`")
    return png.encode(visible(name, values))


def visible(name: str, values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return a stored layer as eyes want it.

    Args:
        name: of the layer; segments are labels and get a colour each.
        values: HxW, a map, shown as it is; or HxWx3 BGR as OpenCV reads it, linear light, of which most is dark: it is
            brightened until its brightest thousandth is white. uint16.

    Returns:
        HxW or HxWx3 RGB, uint8.
    """
    if name == LABELS:
        return _coloured(values)
    if values.ndim == 2:
        return np.rint(values / 257.0).astype(np.uint8)
    level = np.clip(values / max(float(np.percentile(values, 99.9)), 1.0), 0.0, 1.0)
    encoded = np.where(level <= 0.0031308, 12.92 * level, 1.055 * level ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    return np.rint(encoded[..., ::-1] * 255).astype(np.uint8)


def _coloured(labels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return labels as quiet colours; neighbours in number are far apart in hue, by the golden ratio."""
    hues = (np.arange(int(labels.max()) + 1) * 0.618033988749895) % 1.0
    palette = np.array([colorsys.hsv_to_rgb(hue, 0.45, 0.55 + 0.35 * ((at * 7) % 5) / 4) for at, hue in enumerate(hues)])
    coloured: NDArray[np.uint8] = np.rint(palette * 255).astype(np.uint8)[labels]
    return coloured


def _stored(run: Path, shard: str, offset: int, length: int, known_sha256: str) -> bytes:
    try:
        with open(shards.tar_path(run, shard), "rb") as file:
            data = os.pread(file.fileno(), length, offset)
    except FileNotFoundError as error:
        raise CorruptRun(f"{shard}.tar is gone: run `patina verify {run}`") from error
    if sha256(data) != known_sha256:
        raise CorruptRun(f"a picture in {shard}.tar is damaged: run `patina verify {run}`")
    return data
