"""The nine degradations, the web tail, and the camera they share; knows nothing of rows, files or jobs.

The catalogue is a table that you can read: a degradation is a file, an import and an entry.
"""

from __future__ import annotations

import os
from typing import Any

# Before anything imports cv2: Intel's IPP resizes and filters with other bits than OpenCV's own code, on some machines
# and in some versions; the same row must give the same pixels here, in a worker, and in a notebook.
os.environ.setdefault("OPENCV_IPP", "disabled")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # or it says so at every start

import cv2

from degrade import blur, compression, flare, haze, low_light, moire, noise, rain, reflection, web
from degrade.contract import Generator
from degrade.errors import RecipeError
from degrade.keys import nearest

cv2.ipp.setUseIPP(False)  # where cv2 was imported before Patina

GENERATORS: tuple[Generator[Any, Any], ...] = (
    blur.GENERATOR,
    compression.GENERATOR,
    flare.GENERATOR,
    haze.GENERATOR,
    low_light.GENERATOR,
    moire.GENERATOR,
    noise.GENERATOR,
    rain.GENERATOR,
    reflection.GENERATOR,
    web.GENERATOR,
)
NAMES = tuple(generator.name for generator in GENERATORS)
_BY_NAME = {generator.name: generator for generator in GENERATORS}


def by_name(name: str) -> Generator[Any, Any]:
    """Return a generator of the catalogue; raises RecipeError with the nearest name."""
    if name not in _BY_NAME:
        raise RecipeError(f"no degradation `{name}`; {nearest(name, NAMES)}")
    return _BY_NAME[name]
