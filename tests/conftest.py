"""What every test may use: the real photos, where they are, and one thread per library."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OPENCV_IPP", "disabled")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb

cv2.setNumThreads(1)
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real photos, clips and awkward files; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("PATINA_TEST_DATA", HERE.parent.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test photos at {folder}: set PATINA_TEST_DATA to the folder that holds clean/, odd/, textures/")
    return folder


@pytest.fixture(scope="session")
def astronaut() -> Srgb:
    """A real 512x512 portrait that scikit-image ships."""
    from skimage import data as images

    return np.ascontiguousarray(images.astronaut())


@pytest.fixture(scope="session")
def rocket() -> Srgb:
    """A real 640x427 outdoor photo with sky that scikit-image ships."""
    from skimage import data as images

    return np.ascontiguousarray(images.rocket())
