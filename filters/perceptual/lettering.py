"""Where writing is still writing: a differentiable-binarisation text detector (Liao et al., AAAI 2020; PP-OCRv3) by OpenCV.

The network says for every place how likely it lies inside a line of text. Writing of the degraded side is kept where the clean
side has writing too; an editor that smears a sign into texture, or paints it over, loses it. Letters are not read: a sign that
was rewritten in other words counts as kept here, and falls by `dino_worst` or `lpips_worst`.

OpenCV's own TextDetectionModel_DB is left aside: in 5.0 it refuses maps of four dimensions, and boxes are not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb
from degrade.errors import MissingModel
from filters.perceptual import detector_files, shapes
from filters.perceptual.shapes import Sides

NAME: Final = "ppocr"
SIDE_PX: Final = 736  # both sides of what the network gets
MEAN = np.array([123.675, 116.28, 103.53], np.float32)  # 8-bit codes, in the order of the network's channels
STD = np.array([58.395, 57.12, 57.375], np.float32)
LIKELY: Final = 0.3  # what counts as text, as published
REACH_PX: Final = 9  # lines are detected a little thinner, wider or aside when sharpness changes
LEAST_FRAC: Final = 2e-4  # of the picture; less is no line of text


class Lettering:
    """A text detector, opened once; one thread at a time.

    Args:
        name: `ppocr`, to be found in `$PATINA_MODELS`, or the path of an .onnx file that gives one map of probabilities.

    Raises:
        MissingModel: no such file, or it is no such detector; says what to run.
    """

    def __init__(self, name: str = NAME) -> None:
        path, self.maker = detector_files.find(name, NAME)
        try:
            self._network = cv2.dnn.readNetFromONNX(str(path))
            found = self._map(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
        except cv2.error as error:
            raise MissingModel(f"{path} holds no text detector that OpenCV can run: {error}") from error
        if found.ndim != 2:
            raise MissingModel(f"{path} holds no text detector: it gives an array of {found.shape}, not a map")

    def prepare(self, clean: Srgb, degraded: Srgb) -> Sides:
        """Return both sides at the network's size: 2x736x736x3."""
        return shapes.sides(clean, degraded, (SIDE_PX, SIDE_PX))

    def numbers(self, prepared: Sides) -> Mapping[str, float]:
        """Return which share of each side is writing, and how much of the degraded side's was kept, if it has any."""
        clean, degraded = (np.asarray(self._map(side) > LIKELY, np.uint8) for side in prepared)
        shares = {"text_degraded_frac": float(degraded.mean()), "text_clean_frac": float(clean.mean())}
        return {**shares, "text_kept": kept(degraded, clean)} if shares["text_degraded_frac"] >= LEAST_FRAC else shares

    def _map(self, picture: Srgb) -> NDArray[np.float32]:
        """Return how likely each place is text: hxw, 0 to 1."""
        # the published network takes the channels in OpenCV's order, with the constants in the order given
        planes = (picture[..., ::-1].astype(np.float32) - MEAN) / STD
        self._network.setInput(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]))
        return np.squeeze(np.asarray(self._network.forward(), np.float32))


def kept(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the share of `before`, a mask of 0 and 1 with some 1, that lies on or beside `after`: 0 to 1."""
    near = cv2.dilate(after, np.ones((REACH_PX, REACH_PX), np.uint8))
    return float((before & near).sum() / before.sum())
