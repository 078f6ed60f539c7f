"""Measure which JPEG quality hurts a photo as much as each setting of the other codecs, and each resizing.

It prints the knots of `degrade/codec_quality.py`:

    python benchmarks/calibrate_codecs.py FOLDER_OF_PHOTOS

Every photo is shrunk to 1,024 px (which wipes out its own JPEG history) and cut to its central 512x512. PSNR over RGB
against JPEG 4:2:0 at 1-100; for each setting the median over photos of the JPEG quality of equal PSNR.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.coding import codecs, video_codecs
from degrade.coding.codec_quality import RESIZED
from degrade.coding.resampling import GROW, SHRINK
from degrade.contract import Srgb

SETTINGS = {
    "webp": (0, 5, 10, 20, 35, 50, 65, 75, 85, 95, 100),
    "avif": (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100),
    "h264": (10, 15, 20, 25, 30, 35, 40, 45, 51),
    "h265": (10, 15, 20, 25, 30, 35, 40, 45, 51),
    "mpeg4": (2, 3, 4, 6, 8, 11, 15, 20, 25, 31),
    "mpeg2": (2, 3, 4, 6, 8, 11, 15, 20, 25, 31),
}
MODES = {"webp": "method-1", "avif": "speed-9", "h264": "superfast", "h265": "ctu-16", "mpeg4": "h263", "mpeg2": "dc-8"}


def recode(photo: Srgb, codec: str, setting: float, mode: str) -> Srgb:
    """Return the photo after one codec."""
    if codec in video_codecs.CODERS:
        return video_codecs.frame(photo, codec, setting, mode)
    still = codecs.webp if codec == "webp" else codecs.avif
    return still(photo, setting, "4:2:0", mode).pixels


def centre(path: Path) -> Srgb:
    """Return the central 512x512 of a photo shrunk to 1,024 px."""
    photo = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    if photo is None:
        sys.exit(f"{path} is not a picture")
    scale = 1024 / max(photo.shape[:2])
    if scale < 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (max(0, (side - 512) // 2) for side in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + 512, left : left + 512], np.uint8)


def jpeg_ladder(photo: Srgb) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the PSNR of a photo after JPEG, rising, and the qualities that give it."""
    qualities = np.array([*range(1, 20, 2), *range(20, 90, 5), *range(90, 101, 2)])
    psnr = [cv2.PSNR(photo, codecs.jpeg(photo, quality, "4:2:0", "baseline").pixels) for quality in qualities]
    return np.maximum.accumulate(psnr), qualities


def equal_jpeg(photo: Srgb, codec: str, mode: str) -> NDArray[np.float64]:
    """Return the JPEG quality of equal PSNR for each of a codec's settings."""
    psnr = [cv2.PSNR(photo, recode(photo, codec, setting, mode)) for setting in SETTINGS[codec]]
    return np.asarray(np.interp(psnr, *jpeg_ladder(photo)))


def equal_resizing(photo: Srgb, shrink: str, grow: str) -> NDArray[np.float64]:
    """Return the JPEG quality of equal PSNR for each scale of a round trip through two resampling filters."""
    height, width = photo.shape[:2]
    psnr = []
    for scale in RESIZED:
        small = cv2.resize(photo, (round(width * scale), round(height * scale)), interpolation=SHRINK[shrink])
        psnr.append(cv2.PSNR(photo, cv2.resize(small, (width, height), interpolation=GROW[grow])))
    return np.asarray(np.interp(psnr, *jpeg_ladder(photo)))


def main() -> None:
    """Print the knots of every codec, with the middle half of the photos around them, then those of resizing."""
    photos = [centre(path) for path in sorted(Path(sys.argv[1]).iterdir())]
    for codec, mode in MODES.items():
        found = np.array([equal_jpeg(photo, codec, mode) for photo in photos])
        low, middle, high = np.percentile(found, (25, 50, 75), axis=0).round(1)
        print(f"{codec} {mode}, {len(photos)} photos")
        for row in zip(SETTINGS[codec], middle, low, high, strict=True):
            print("  setting {:5g} = JPEG {:5.1f}   (middle half {:.1f} to {:.1f})".format(*row))
    for shrink in SHRINK:
        for grow in ("linear", "cubic", "lanczos"):
            middle = np.median([equal_resizing(photo, shrink, grow) for photo in photos], axis=0).round(1)
            print(f"{shrink} down, {grow} up:", ", ".join(f"{scale:g} = {equal:g}" for scale, equal in zip(RESIZED, middle, strict=True)))


if __name__ == "__main__":
    main()
