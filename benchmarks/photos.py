"""The photos that everything is timed on: real ones, brought to 1024 x 1024 and saved as JPEG 92."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

SIDE = 1024
NAMES = ("street_london", "mountain_ryan_schroeder", "architecture_sky", "beach_rob_bye", "lake_village_depth4", "truck_street")


def prepare(folder: Path) -> list[Path]:
    """Write the photos into a folder; answer their paths. Without test data scikit-image's rocket stands in, enlarged."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "clean"
    found = [data / f"{name}.jpg" for name in NAMES if (data / f"{name}.jpg").exists()]
    if found:
        pictures = [cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) for path in found]
    else:
        from skimage import data as images

        print(f"no photos at {data} (set PATINA_TEST_DATA): timing on scikit-image's rocket instead")
        pictures = [cv2.cvtColor(images.rocket(), cv2.COLOR_RGB2BGR)]
    paths = []
    for at, picture in enumerate(pictures):
        side = min(picture.shape[:2])
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        square = cv2.resize(picture[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        path = folder / f"{at}.jpg"
        path.write_bytes(cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
        paths.append(path)
    return paths
