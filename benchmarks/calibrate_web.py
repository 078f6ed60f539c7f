"""Measure what shrinking, blur and JPEG cost photos: it prints the constants of `degrade/upload/resolution.py`.

    python -m benchmarks.calibrate_web FOLDER_OF_PHOTOS

Photos as in `calibrate_codecs`. Errors are geometric means over photos, in squares of 8-bit codes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.calibrate_codecs import centre
from degrade.coding.codecs import jpeg
from degrade.coding.resampling import resized
from degrade.contract import Srgb
from degrade.upload.resolution import JPEG_QUALITY

SCALES = (0.08, 0.1, 0.14, 0.2, 0.25, 0.35, 0.5, 0.6, 0.7)
SIGMAS_PX = (1.0, 1.5, 2.0, 3.0, 4.0)


def error(photos: list[Srgb], change: Callable[[Srgb], Srgb]) -> float:
    """Return the geometric mean over photos of the squared error of a change."""
    squares = [cv2.norm(photo, change(photo), cv2.NORM_L2SQR) / photo.size for photo in photos]
    return math.exp(float(np.log(squares).mean()))


def there_and_back(photo: Srgb, scale: float) -> Srgb:
    """Return a photo shrunk by averaging and grown by the cubic filter."""
    height, width = photo.shape[:2]
    return resized(resized(photo, (round(width * scale), round(height * scale)), "area"), (width, height), "cubic")


def softened(photo: Srgb, sigma_px: float) -> Srgb:
    """Return a photo blurred by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma_px), np.uint8)


def coded(photo: Srgb, quality: int) -> Srgb:
    """Return a photo after one JPEG."""
    return jpeg(photo, quality, "4:2:0", "baseline").pixels


def main() -> None:
    """Print B, P, its fall, and the errors of JPEG."""
    photos = [centre(path) for path in sorted(Path(sys.argv[1]).iterdir())]
    shrunk = [error(photos, partial(there_and_back, scale=scale)) for scale in SCALES]
    blurred = [error(photos, partial(softened, sigma_px=sigma)) for sigma in SIGMAS_PX]
    equal = np.exp(np.interp(np.log(blurred), np.log(shrunk[::-1]), np.log(SCALES[::-1])))
    print("B, px^2, by sigma:", dict(zip(SIGMAS_PX, (np.square(SIGMAS_PX) / (equal**-2 - 1)).round(3).tolist(), strict=True)))
    power, level = np.polyfit(np.log(SCALES), np.log(shrunk), 1)  # error = e^level * scale^power; its slope over scale^2 is the density
    print(f"P = {-power / 2 * math.exp(level):.1f} codes^2, spectrum falls with the power {power - 2:.2f}")
    print("JPEG:", {quality: round(error(photos, partial(coded, quality=quality)), 1) for quality in JPEG_QUALITY})


if __name__ == "__main__":
    main()
