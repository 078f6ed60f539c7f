"""Looks through a clip once for the index: how fast its picture moves, where it is cut, which frames are sharp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from degrade import camera
from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from degrade.motion.clips import ClipMeter
from degrade.scene.proxy import proxy
from filters import cleanness
from filters.near.thumbnails import thumbnail
from pipelines.photos import clips
from pipelines.photos.decode import DecodeRules

LEAST_SIDE_PX = 16  # motion cannot be measured in less


def examine(data: bytes, rules: DecodeRules, max_frames: int) -> dict[str, Any]:
    """Return the columns of a clip's index row.

    Args:
        data: the whole file.
        rules: limits on what is decoded.
        max_frames: frames beyond it are not looked at, and not used.

    Raises:
        BadSample: it cannot be decoded, or nothing in it can be averaged (TOO_LITTLE_MOTION, TOO_FEW_FRAMES, TOO_SMALL).
    """
    head = clips.header(data, rules)
    meter, seen = ClipMeter(head.fps), 0
    first: Srgb | None = None
    notes: list[str] = []
    for picture in _usable(data, head, max_frames, notes):
        first = picture if first is None else first
        meter.add(picture)
        seen += 1
    if first is None or seen < 3:
        raise BadSample(Reason.TOO_FEW_FRAMES, "; ".join((f"{seen} frames: a shutter needs three", *notes)))
    motion = meter.result(head.width)
    if not motion.shots:
        raise BadSample(Reason.TOO_FEW_FRAMES, f"no run of sharp frames without a cut among {seen}")
    if not any(motion.speeds_px):
        raise BadSample(Reason.TOO_LITTLE_MOTION, f"nothing moves in {seen} frames")
    told = {"fps": motion.fps, "speeds_px": motion.speeds_px, "shots": motion.shots}
    return {
        "format": f"{clips.signature(data)}",
        "width": head.width,
        "height": head.height,
        "frames": seen,
        "notes": json.dumps(notes),
        "measures": sorted(cleanness.measure(first, b"").items()),
        "phash": cleanness.phash(first),
        "thumbnail": thumbnail(first),
        "motion": json.dumps(told),
        "sky_frac": 0.0,
        "luminance": float(np.mean(camera.to_linear(proxy(first)))),
        "far": False,
        "detail_grid": None,
        "distance_grid": None,
        "lights": "[]",
    }


def _usable(data: bytes, head: clips.Header, max_frames: int, notes: list[str]) -> Iterator[Srgb]:
    """Yield the frames that may be used, all of the header's size; note what ended them before the clip did."""
    if min(head.width, head.height) < LEAST_SIDE_PX:
        raise BadSample(Reason.TOO_SMALL, f"{head.width}x{head.height}: a clip has at least {LEAST_SIDE_PX} px a side")
    for seen, (number, picture) in enumerate(clips.numbered(data), 1):
        height, width = picture.shape[:2]
        if (width, height) != (head.width, head.height):
            raise BadSample(Reason.DECODE_FAILED, f"frame {seen - 1} is {width}x{height}, the clip {head.width}x{head.height}: a clip has one size")
        if number != seen - 1:
            notes.append(f"only the first {seen - 1} frames are used: after them, time stamps do not tell which frame is which")
            return
        yield picture
        if seen == max_frames:
            notes.append(f"only the first {max_frames} frames are used")
            return
