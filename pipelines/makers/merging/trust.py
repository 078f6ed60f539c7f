"""Where two photos of a scene show the same thing: where they differ by no more than noise, at any size.

    E_s = mean nearby of D_s^2 / (V_s(light) + (t |grad|)^2),    trust = 1 / (1 + 2 (E - 1.3)) for the largest E_s, 0 from E = 4

D_s is the difference of linear light, reduced s times by half; V_s its variance, measured from the photos themselves: by
brightness the median of means nearby, which neither long tails nor what moved in less than half of the picture lead astray.
The rejection per pixel follows Wronski et al. (SIGGRAPH 2019); we ask at several sizes, because what moved may be fainter than the
noise of one pixel, and still a ghost. t allows for what placing leaves. Half of V is the other photo's: what differs by more counts
as more noise of its own, 2 (E - 1) times as much. Where most of a picture is detail that its pixels cannot hold (a pin-sharp lens,
foliage everywhere), that passes for noise here; the merge is held to the photo afterwards (`held`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map

LEVELS = 4
LEAST_SIDE_PX = 24  # of a level
NEARBY_PX = (5, 5)
AGREES, DIFFERS = 1.3, 4.0  # E: what chance does to the mean of 25 pixels, and what no noise does
FADES = 1.0  # E below `DIFFERS` from which trust goes to nothing
PLACED_PX = 0.05  # t at full size
CEILING = 0.97  # of white: what either photo would clip is not compared above it
SAMPLES, BINS = 1 << 15, 16
FEWEST = 128  # samples of a bin
ROUNDING = 1.5e-8  # variance of the difference of two 8-bit files, in their shadows
STEPS = 256  # of brightness, by its root


class Curve(NamedTuple):
    """Variance of the difference of two photos by brightness."""

    light: NDArray[np.float64]
    variance: NDArray[np.float64]

    def table(self) -> NDArray[np.float32]:
        """Return the variance for every step of the root of brightness."""
        grid = np.linspace(0, 1, STEPS) ** 2
        return np.interp(grid, self.light, self.variance).astype(np.float32)


class Trust(NamedTuple):
    """What comparing two photos gave."""

    share: Map  # HxW, 0 to 1
    noise: tuple[Curve, Curve, Curve]  # of single pixels, by colour


def trust(photo: Linear, other: Linear, gain: NDArray[np.float32]) -> Trust:
    """Return where another photo shows what a photo shows.

    Args:
        photo: HxWx3 linear light.
        other: in its place, as it was recorded.
        gain: 3, by how much it is brighter.
    """
    ceiling = CEILING * np.minimum(1, 1 / gain)
    brightness = float(gain.mean())
    here, there = np.minimum(photo, ceiling), np.minimum(other / gain, ceiling)
    difference = there - here
    light = (here + np.float32(brightness) * there) / np.float32(1 + brightness)  # by photons: the brighter photo knows better
    size = difference.shape[1::-1]
    worst, noise, before = np.zeros(size[::-1], np.float32), None, None
    for level in range(LEVELS):
        if level:
            half = (difference.shape[1] // 2, difference.shape[0] // 2)
            if min(half) < LEAST_SIDE_PX:
                break
            difference, light = (cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in (difference, light))
        smooth, squares = cv2.blur(light, NEARBY_PX), cv2.blur(cv2.multiply(difference, difference), NEARBY_PX)
        red, green, blue = (measured(squares[:, :, channel], smooth[:, :, channel]) for channel in range(3))
        curves = red, green, blue
        noise = noise or curves
        tables = np.stack([curve.table() for curve in curves], 1)
        tables = tables if before is None else np.minimum(tables, before)
        before = tables
        energy = _energy(squares, smooth, tables, PLACED_PX / 2**level)
        worst = np.maximum(worst, energy if level == 0 else cv2.resize(energy, size, interpolation=cv2.INTER_LINEAR))
    assert noise is not None
    say = 1 / (1 + 2 * np.maximum(worst - np.float32(AGREES), 0))
    return Trust(say * np.clip((np.float32(DIFFERS) - worst) / np.float32(FADES), 0, 1), noise)


def measured(squares: Map, light: Map) -> Curve:
    """Return the variance of a difference by brightness; up to half of the places may show something else.

    Args:
        squares: HxW, means nearby of the squared difference.
        light: HxW, what its noise depends on.
    """
    every = max(squares.size // SAMPLES, 1)
    values, places = squares.ravel()[::every], light.ravel()[::every]
    order = np.argsort(places, kind="stable")
    bins = np.array_split(order, max(min(BINS, len(order) // FEWEST), 1))
    middles = np.array([np.median(places[inside]) for inside in bins], np.float64)
    return Curve(middles, np.array([np.median(values[inside]) for inside in bins], np.float64) + ROUNDING)


def _energy(squares: Linear, light: Linear, tables: NDArray[np.float32], placed_px: float) -> Map:
    """Return the mean square of a difference in units of what is expected of it, HxW."""
    steps = np.sqrt(np.clip(light, 0, 1)) * np.float32(STEPS - 1)
    expected = cv2.LUT(np.rint(steps).astype(np.uint8), tables.reshape(1, STEPS, 3))
    for axis in ((1, 0), (0, 1)):
        slope = cv2.Scharr(light, cv2.CV_32F, *axis, scale=placed_px / 32)
        expected = cv2.add(expected, cv2.multiply(slope, slope))
    return cv2.transform(cv2.divide(squares, expected), np.full((1, 3), 1 / 3, np.float32))
