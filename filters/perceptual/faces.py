"""Which faces are still there: YuNet (Wu et al., Machine Intelligence Research 2023) by OpenCV, on both sides of a pair.

An editor that "restores" a small or blurred face may remove it, move it or make two of it. A face of the degraded side is kept
where the clean side has one in the same place. Faces that only the clean side shows are counted and not judged: what is dark,
blurred or hazy hides faces from every detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb
from degrade.errors import MissingModel
from filters.perceptual import detector_files, shapes
from filters.perceptual.shapes import Sides

NAME: Final = "yunet"
LONGEST_PX: Final = 640  # the detector was trained for faces of 10 to 300 px
SURE, SAME, MOST = 0.7, 0.3, 500  # least score, overlap of doubles, candidates
SAME_PLACE: Final = 0.5  # intersection over union

Boxes = NDArray[np.float32]  # Nx4: left, top, width, height in px


class Faces:
    """A face detector, opened once; one thread at a time.

    Args:
        name: `yunet`, to be found in `$PATINA_MODELS`, or the path of an .onnx file with the same outputs.

    Raises:
        MissingModel: no such file, or it is no detector; says what to run.
    """

    def __init__(self, name: str = NAME) -> None:
        path, self.maker = detector_files.find(name, NAME)
        try:
            self._detector: Any = cv2.FaceDetectorYN.create(str(path), "", (LONGEST_PX, LONGEST_PX), SURE, SAME, MOST)
            self.boxes(np.zeros((64, 64, 3), np.uint8))
        except cv2.error as error:
            raise MissingModel(f"{path} holds no face detector like YuNet's: {error}") from error

    def prepare(self, clean: Srgb, degraded: Srgb) -> Sides:
        """Return both sides at the detector's size: 2xHxWx3."""
        return shapes.sides(clean, degraded, shapes.at_most(clean, LONGEST_PX))

    def boxes(self, picture: Srgb) -> Boxes:
        """Return the boxes of the faces in a picture, Nx4, px."""
        self._detector.setInputSize((picture.shape[1], picture.shape[0]))
        _, rows = self._detector.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return np.zeros((0, 4), np.float32) if rows is None else np.asarray(rows[:, :4], np.float32)

    def numbers(self, prepared: Sides) -> Mapping[str, float]:
        """Return how many faces each side has, and which share of the degraded side's was kept, if it has any."""
        clean, degraded = (self.boxes(side) for side in prepared)
        counts = {"faces_degraded": float(len(degraded)), "faces_clean": float(len(clean))}
        return {**counts, "faces_kept": kept(degraded, clean)} if len(degraded) else counts


def kept(before: Boxes, after: Boxes) -> float:
    """Return the share of `before` boxes that have an `after` box of their own in the same place, 0 to 1; largest overlaps first."""
    overlap = _overlap(before, after)
    count = 0
    while overlap.size and overlap.max() >= SAME_PLACE:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        overlap[row, :] = overlap[:, column] = 0
        count += 1
    return count / len(before)


def _overlap(one: Boxes, other: Boxes) -> NDArray[np.float32]:
    """Return the intersection over union of each box with each: NxM."""
    near = np.maximum(one[:, None, :2], other[None, :, :2])
    far = np.minimum(one[:, None, :2] + one[:, None, 2:], other[None, :, :2] + other[None, :, 2:])
    common = np.maximum(far - near, 0).prod(axis=2)
    both = one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None]
    return np.asarray(common / np.maximum(both - common, 1e-6), np.float32)
