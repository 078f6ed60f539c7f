"""What a clip is good for: how fast it moves, where it is cut, and which of its frames are sharp.

Frames come one by one, reduced; two of them are held at a time. A cut is where neither the colours nor, after motion is taken out, the
picture agree; fades and flashes are cuts too. A frame that is much softer than its neighbours was blurred when it was taken and is no
clean side: it ends a run as a cut does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Motion, Srgb

LONG_SIDE_PX = 320  # at most, of the frames that are measured
SPEED_QUANTILE = 0.9
STILL_PX = 0.05  # measured px below which nothing moves
SAME = 1.5  # grey levels; what changes less has not moved, whatever the flow makes of an empty wall
DETAILED = 0.5  # share of the pixels, those with the most detail, whose motion counts: only they show it
CUT_COLOURS = 0.35  # histogram distance (0..1) of a cut, where the picture does not agree either
CUT_RESIDUAL = 0.5  # share of the contrast that motion does not explain, at a cut whatever the colours
SOFT_RESIDUAL = 0.25  # with other colours
LOST_FRAC = 0.2  # of the long side: faster flow than this is not measured but guessed
SOFT = 0.6  # of the median sharpness around it: a frame that was blurred when it was taken
AROUND = 7  # frames on each side
LEAST_RUN = 3


@dataclass(slots=True)
class ClipMeter:
    """Measures a clip frame by frame.

    Attributes:
        fps: frames per second of the clip.
    """

    fps: float
    _width: int = 0
    _speeds: list[float] = field(default_factory=list)
    _cuts: list[bool] = field(default_factory=list)  # after each frame
    _sharpness: list[float] = field(default_factory=list)
    _colours: NDArray[np.float32] | None = None
    _grey: NDArray[np.uint8] | None = None
    _search: cv2.DISOpticalFlow = field(default_factory=lambda: cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM))

    def add(self, frame: Srgb) -> None:
        """Take the next frame.

        Args:
            frame: hxwx3 uint8 sRGB, all of one size, best at most 320 px on the long side (a larger one is reduced).

        Raises:
            ValueError: a frame of another size than those before.
        """
        small = _reduced(frame)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        colours = _histogram(small)
        self._sharpness.append(_sharpness(grey))
        if self._grey is not None and self._colours is not None:
            if grey.shape != self._grey.shape:
                raise ValueError(f"a frame of {frame.shape}, after frames of another size: a clip has one size")
            speed, residual = _change(self._search, self._grey, grey)
            distance = float(cv2.compareHist(self._colours, colours, cv2.HISTCMP_BHATTACHARYYA))
            self._cuts.append(residual > CUT_RESIDUAL or (residual > SOFT_RESIDUAL and distance > CUT_COLOURS) or speed > LOST_FRAC * max(grey.shape))
            self._speeds.append(speed if speed > STILL_PX else 0.0)
        self._width, self._grey, self._colours = grey.shape[1], grey, colours

    def result(self, native_width: int) -> Motion:
        """Return what was measured so far.

        Args:
            native_width: px, of the pictures in which speeds are to be given.
        """
        scale = native_width / max(self._width, 1)
        speeds = tuple(round(scale * speed, 3) for speed in self._speeds)
        return Motion(self.fps, speeds, tuple(_runs(self._cuts, _usable(self._sharpness, self._cuts))))


def _reduced(frame: Srgb) -> Srgb:
    height, width = frame.shape[:2]
    scale = LONG_SIDE_PX / max(height, width)
    if scale >= 1:
        return frame
    return cv2.resize(frame, (max(round(width * scale), 16), max(round(height * scale), 16)), interpolation=cv2.INTER_AREA)


def _histogram(small: Srgb) -> NDArray[np.float32]:
    colours = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
    return np.asarray(colours / max(float(colours.sum()), 1.0), np.float32)


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the strength of the finest detail over that of coarser detail: blur lowers it, an empty sky does not."""
    fine = cv2.Laplacian(grey, cv2.CV_32F)
    coarse = cv2.GaussianBlur(grey, (0, 0), 2.0).astype(np.float32)
    coarse = cv2.magnitude(cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1))
    return float(np.abs(fine).mean() / (coarse.mean() + 0.5))


def _change(search: cv2.DISOpticalFlow, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the speed in px, and the share of the contrast that motion does not explain."""
    flow: NDArray[np.float32] = search.calc(after, before, None)
    height, width = after.shape
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    explained = cv2.remap(before, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    off: Map = cv2.absdiff(explained, after).astype(np.float32)
    return _speed(flow, before, after), float(off.mean()) / (float(after.std()) + 4.0)


def _speed(flow: NDArray[np.float32], before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the speed that a tenth of the picture's detail exceeds, px."""
    change = cv2.blur(cv2.absdiff(before, after).astype(np.float32), (5, 5))
    detail = cv2.magnitude(cv2.Sobel(after, cv2.CV_32F, 1, 0), cv2.Sobel(after, cv2.CV_32F, 0, 1))
    speed: Map = cv2.magnitude(*cv2.split(flow)) * (change > SAME)
    shown = speed[detail >= np.quantile(detail, 1 - DETAILED)]
    rank = int(SPEED_QUANTILE * (shown.size - 1))
    return float(np.partition(shown, rank)[rank])


def _usable(sharpness: list[float], cuts: list[bool]) -> list[bool]:
    """Return which frames are about as sharp as those around them, within their shot."""
    usable = []
    for at, sharp in enumerate(sharpness):
        first = next((i + 1 for i in range(at - 1, max(at - AROUND, 0) - 1, -1) if cuts[i]), max(at - AROUND, 0))
        last = next((i for i in range(at, min(at + AROUND, len(cuts))) if cuts[i]), min(at + AROUND, len(cuts)))
        usable.append(sharp >= SOFT * float(np.median(sharpness[first : last + 1])))
    return usable


def _runs(cuts: list[bool], usable: list[bool]) -> list[tuple[int, int]]:
    """Return (first, last) of every run of usable frames without a cut that is long enough for one exposure."""
    found, first = [], 0
    for at, sharp in enumerate(usable):
        if not sharp:
            first = at + 1
        elif (at == len(usable) - 1 or cuts[at] or not usable[at + 1]) and at - first + 1 >= LEAST_RUN:
            found.append((first, at))
        if at < len(cuts) and cuts[at]:
            first = at + 1
    return found
