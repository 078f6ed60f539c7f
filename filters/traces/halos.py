"""Halos: the bright and dark lines beside edges that sharpening leaves.

Lenses and pixels make edges that climb from one plateau to the other; unsharp masking, "clarity" and many upscalers make
them shoot over. Clear edges between two calm plateaus are laid over each other, dark side left, dark plateau 0, bright
plateau 1; their median profile has neither noise nor texture, and

    halo = the smaller of: how far it rises above the bright plateau, how far it dips below the dark one

in units of the edge: the smaller, because outlined letters and lit rims have one side, sharpening has two. Halos may be
several pixels wide: the photo is read at its own size, at a half and at a quarter, and the strongest speaks. Edges whose
plateaus have no room above or below are left out: clipping cuts their halos off.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb

SCALES = (1, 2, 4)
LINE_PX = 1 << 19  # pixels read in either direction at each scale
NEAR, FAR = 4, 12  # px from the edge: halos live up to the first, plateaus from there to the second
LEAST_STEP = 24  # levels between the plateaus
CALM = 0.35  # of the step, that a plateau may vary by
STEEP = 0.5  # of the step, that two pixels climb at the edge
ROOM = 0.25  # of the step, that must be free above and below
DARK, BRIGHT = 2, 253  # levels at which tones are cut
FEWEST = 100  # edges that can speak for a photo
MOST = 20_000  # edges that are looked at


def halo(pixels: Srgb) -> float:
    """Return the overshoot beside clear edges as a share of their height: 0 none, 0.05 a crisp camera, from 0.07 on sharpened.

    A photo with too few clear edges has none, 0; very strong sharpening leaves few that are calm enough to be clear.

    Args:
        pixels: HxWx3 uint8 sRGB at its own size.
    """
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    found = 0.0
    for scale in SCALES:
        size = (luma.shape[1] // scale, luma.shape[0] // scale)
        if min(size) <= 2 * FAR:
            break
        plane = luma if scale == 1 else cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
        step = max(1, math.ceil(plane.size / LINE_PX))
        profiles = np.concatenate([_profiles(plane[::step]), _profiles(np.ascontiguousarray(plane[:, ::step].T))])
        if len(profiles) >= FEWEST:
            found = max(found, _overshoot(np.median(profiles, axis=0)))
    return found


def _profiles(lines: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the clear edges along the rows, each normalised to rise from 0 to 1: N x (2 FAR + 1)."""
    rise = cv2.subtract(lines[:, 2:], lines[:, :-2], dtype=cv2.CV_16S)
    height = np.abs(rise).astype(np.uint16)
    peak = cv2.dilate(height, np.ones((1, 2 * NEAR + 1), np.uint8))
    rows, places = np.nonzero((height == peak) & (height >= STEEP * LEAST_STEP))
    whole = (places >= FAR) & (places < rise.shape[1] - FAR)
    rows, places = rows[whole][:: len(rows) // MOST + 1], places[whole][:: len(rows) // MOST + 1]
    windows = lines[rows[:, None], places[:, None] + np.arange(1 - FAR, FAR + 2)].astype(np.float32)
    upwards = rise[rows, places] > 0
    windows = np.where(upwards[:, None], windows, windows[:, ::-1])
    before, after = windows[:, : FAR - NEAR], windows[:, FAR + NEAR + 1 :]
    low, high = np.median(before, axis=1), np.median(after, axis=1)
    step = high - low
    calm = np.maximum(np.ptp(before, axis=1), np.ptp(after, axis=1)) < CALM * step
    free = (low - ROOM * step > DARK) & (high + ROOM * step < BRIGHT)
    clear = calm & free & (step >= LEAST_STEP) & (height[rows, places] >= STEEP * step)
    return np.asarray((windows[clear] - low[clear, None]) / step[clear, None], np.float32)


def _overshoot(profile: NDArray[np.float32]) -> float:
    """Return by how much a profile leaves its plateaus on both sides of the edge."""
    above = profile[FAR + 1 : FAR + NEAR + 1].max() - profile[FAR + NEAR + 1 :].mean()
    below = profile[: FAR - NEAR].mean() - profile[FAR - NEAR : FAR].min()
    return max(0.0, float(min(above, below)))
