"""Edge-aware upsampling: a coarse map gets the photo's own edges, so that no halo shows where it jumps.

The fast guided filter (He, Sun and Tang, TPAMI 2013; He and Sun, arXiv 1505.00996): in every small window the map is
taken to be linear in a guide, q = a g + b, with a = cov(g, p) / (var(g) + eps), b = mean(p) - a mean(g); a and b are
found at low resolution and applied to the full-size guide. We depart from it in two places. The guide is not plain
luminance but the mix of the three channels that best explains the map's own jumps in THIS photo (one 3x3 solve, a
linear discriminant), because blue sky and grey stone may be equally bright. And the blurred jumps of the coarse map are
made vertical first (toggle mapping, Kramer and Bruckner, Pattern Recognition 1975): otherwise every window that
holds part of the blur passes it on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map

RIDGE = 4e-4  # variance added to every channel: a colour difference below 2 % explains nothing
LEAST_JUMP = 0.08  # a smaller change is a slope
MIX_PX = 96  # the mix is found at most at this size
LUMINANCE = np.array([0.25, 0.5, 0.25])


def guide_mix(colours: NDArray[np.float32], target: Map) -> NDArray[np.float64]:
    """Return the channel weights (3,) whose mix follows the jumps of a map best; each |weight| sums to 1.

    Args:
        colours: hxwx3 float32 in [0, 1], perceptual (a square root of linear light will do).
        target: hxw float32, same size.
    """
    size = (min(colours.shape[1], MIX_PX), min(colours.shape[0], MIX_PX))
    if size != colours.shape[1::-1]:
        colours = cv2.resize(colours, size, interpolation=cv2.INTER_LINEAR)
        target = cv2.resize(target, size, interpolation=cv2.INTER_LINEAR)
    jump = cv2.morphologyEx(target, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    weight = (jump / max(float(jump.max()), 1e-6)).astype(np.float64).ravel() ** 2 + 1e-6
    weight /= weight.sum()
    rows = np.empty((4, weight.size))  # of red, green, blue and the map
    rows[:3], rows[3] = colours.reshape(-1, 3).T, target.ravel()
    rows -= (rows @ weight)[:, None]
    covariance = (rows * weight) @ rows.T
    mix = np.linalg.solve(covariance[:3, :3] + RIDGE * np.eye(3), covariance[:3, 3])
    if mix.sum() < 0:
        mix = -mix
    # a photo without colour, or a map without jumps, leaves plain luminance
    weights: NDArray[np.float64] = (mix + 1e-3 * LUMINANCE) / (np.abs(mix).sum() + 1e-3)
    return weights


def mixed(linear: Linear, mix: NDArray[np.float64]) -> Map:
    """Return the guide HxW: a weighted mix of the perceptual (square-root) values of linear light."""
    return cv2.transform(cv2.sqrt(linear), mix.reshape(1, 3))


def steepened(target: Map, reach_px: int) -> Map:
    """Return the map with its jumps made vertical and its slopes left alone.

    A pixel within a jump takes the lowest or the highest value near it, whichever is closer. A jump is where the
    values change within the reach about as much as within three times the reach.

    Args:
        target: hxw float32.
        reach_px: half the width of a blurred jump.
    """
    low, high = _extremes(target, reach_px)
    wide_low, wide_high = _extremes(target, 3 * reach_px)
    wide = cv2.scaleAdd(wide_low, -1.0, wide_high)
    jumps = cv2.compare(high - low, np.maximum(np.float32(0.6) * wide, np.float32(LEAST_JUMP)), cv2.CMP_GT)
    nearer = cv2.copyTo(low, cv2.compare(2 * target, low + high, cv2.CMP_LT), high)
    return cv2.copyTo(nearer, jumps, target.copy())


def coefficients(guide: Map, target: Map, radius_px: int, eps: float) -> tuple[Map, Map]:
    """Return the smoothed slope and offset maps of the guided filter, at the size of its inputs.

    Args:
        guide: hxw float32.
        target: hxw float32, same size.
        radius_px: half the window's side.
        eps: variance of the guide below which a window counts as flat.
    """
    side = (2 * radius_px + 1,) * 2
    mean_guide, mean_target = _mean(guide, side), _mean(target, side)
    variance = _mean(guide * guide, side) - mean_guide * mean_guide
    covariance = _mean(guide * target, side) - mean_guide * mean_target
    slope = np.asarray(covariance / (np.maximum(variance, 0) + np.float32(eps)), np.float32)
    return _mean(slope, side), _mean(mean_target - slope * mean_guide, side)


def _extremes(values: Map, reach_px: int) -> tuple[Map, Map]:
    window = np.ones((2 * reach_px + 1,) * 2, np.uint8)
    return cv2.erode(values, window), cv2.dilate(values, window)


def _mean(values: NDArray[np.float32], side: tuple[int, int]) -> Map:
    return cv2.blur(values, side, borderType=cv2.BORDER_REPLICATE)
