"""Which frames of a clip to average, so that the blur has the length that was asked for.

The shutter opens and closes at equal times before and after a frame, the clean side; between frames the speed is taken to be
even. Its opening may be a fraction of the time between two frames where a clip is fast.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Motion
from degrade.errors import BadSample, Reason

MOST_FRAMES = 25  # of one exposure
MOST_S = 0.25  # nobody holds a shutter open for longer and calls it a photo; but three frames are always allowed
TRIES = 4  # of which the evenest is taken
EVEN = 0.15  # |before - after| / length below which a window is even enough


class Window(NamedTuple):
    """One exposure of a clip."""

    first: int
    centre: int
    last: int
    shutter_frames: float  # how long the shutter is open, in times between two frames
    length_px: float  # of the clean side


class _Centres(NamedTuple):
    frame: NDArray[np.int64]
    reach: NDArray[np.int64]  # frames on each side that may be used
    most_px: NDArray[np.float64]  # length if all of them are


@functools.lru_cache(maxsize=256)
def _centres(motion: Motion) -> _Centres:
    frames, reaches = [], []
    longest = _longest(motion)
    for first, last in motion.shots:
        inside = np.arange(first + 1, last)
        frames.append(inside)
        reaches.append(np.minimum(np.minimum(inside - first, last - inside), longest))
    frame = np.concatenate([np.zeros(0, np.int64), *frames])
    reach = np.concatenate([np.zeros(0, np.int64), *reaches])
    travelled = np.concatenate([[0.0], np.cumsum(motion.speeds_px)])
    return _Centres(frame, reach, travelled[frame + reach] - travelled[frame - reach])


def _longest(motion: Motion) -> int:
    """Return how many frames on each side an exposure may use."""
    return min(max(int(motion.fps * MOST_S / 2), 1), MOST_FRAMES // 2)


def choose(rng: np.random.Generator, motion: Motion, low_px: float, length_px: float) -> Window:
    """Return a window whose blur has a length, or the most that the clip can give above a lower bound.

    Args:
        rng: of the row.
        motion: of the clip.
        low_px: the least length that will do, px of the clean side.
        length_px: the length to aim at.

    Raises:
        BadSample: no run of three frames, or none that moves enough.
    """
    centres = _centres(motion)
    if not len(centres.frame):
        raise BadSample(Reason.TOO_FEW_FRAMES, "no run of three usable frames without a cut")
    fastest = float(centres.most_px.max())
    if fastest < low_px:
        raise BadSample(Reason.TOO_LITTLE_MOTION, f"at most {fastest:.1f} px in {2 * _longest(motion) + 1} frames, {low_px:.1f} px are wanted")
    wanted = min(length_px, fastest)
    able = np.flatnonzero(centres.most_px >= wanted * (1 - 1e-12))
    best: tuple[float, Window] | None = None
    for place in rng.random(TRIES).tolist():
        at = able[int(place * len(able))]
        window, unevenness = _opened(motion.speeds_px, int(centres.frame[at]), int(centres.reach[at]), wanted)
        if best is None or unevenness < best[0]:
            best = unevenness, window
        if unevenness < EVEN:
            break
    assert best is not None
    return best[1]


def _opened(speeds: tuple[float, ...], centre: int, most: int, length_px: float) -> tuple[Window, float]:
    """Return the window around a frame that reaches a length, and how unevenly it does so."""
    before = after = half = 0.0
    reach = 0
    while True:
        left, right = speeds[centre - reach - 1], speeds[centre + reach]
        missing = length_px - before - after
        reach += 1
        if left + right >= missing or reach == most:
            share = min(missing / (left + right), 1.0) if left + right > 0 else 1.0
            before, after, half = before + share * left, after + share * right, half + share
            break
        before, after, half = before + left, after + right, half + 1.0
    return Window(centre - reach, centre, centre + reach, 2 * half, length_px), abs(before - after) / length_px
