"""Edge-aware upsampling: a coarse map gets the photo's own edges, so that no halo shows where it jumps.

The fast guided filter (He, Sun and Tang, TPAMI 2013; He and Sun, arXiv 1505.00996): in every small window the map is
taken to be linear in a guide, q = a g + b, with a = cov(g, p) / (var(g) + eps), b = mean(p) - a mean(g); a and b are
found at low resolution and applied to the full-size guide. We depart from it in two places. The guide is not plain
luminance but the mix of the three channels that best explains the map's own jumps in THIS photo (one 3x3 solve, a
linear discriminant), because blue sky and grey stone may be equally bright. And a and b are averaged with weights that
favour windows in which the line fits, as in the weighted aggregation of later work, so that an edge stays an edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map

RIDGE = 4e-4  # variance added to every channel: a colour difference below 2 % explains nothing
LUMINANCE = np.array([0.25, 0.5, 0.25])


def guide_mix(colours: NDArray[np.float32], target: Map) -> NDArray[np.float64]:
    """Return the channel weights (3,) whose mix follows the jumps of a map best; each |weight| sums to 1.

    Args:
        colours: hxwx3 float32 in [0, 1], perceptual (a square root of linear light will do).
        target: hxw float32, same size.
    """
    jump = cv2.morphologyEx(target, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    weight = (jump / max(float(jump.max()), 1e-6)).astype(np.float64).ravel() ** 2 + 1e-6
    weight /= weight.sum()
    flat = colours.reshape(-1, 3).astype(np.float64)
    flat = flat - weight @ flat
    centred = target.ravel().astype(np.float64)
    centred = centred - weight @ centred
    covariance = (flat * weight[:, None]).T @ flat + RIDGE * np.eye(3)
    mix = np.linalg.solve(covariance, (flat * weight[:, None]).T @ centred)
    if mix.sum() < 0:
        mix = -mix
    size = np.abs(mix).sum()
    # a photo without colour, or a map without jumps, leaves plain luminance
    return (mix + 1e-3 * LUMINANCE) / (size + 1e-3)


def mixed(linear: Linear, mix: NDArray[np.float64]) -> Map:
    """Return the guide HxW: a weighted mix of the perceptual (square-root) values of linear light, clipped at white."""
    roots = cv2.sqrt(cv2.min(linear, (1.0,) * 4))
    return cv2.transform(roots, mix.reshape(1, 3))  # type: ignore[return-value]


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
    variance = cv2.subtract(_mean(cv2.multiply(guide, guide), side), cv2.multiply(mean_guide, mean_guide))
    covariance = cv2.subtract(_mean(cv2.multiply(guide, target), side), cv2.multiply(mean_guide, mean_target))
    spread = cv2.subtract(_mean(cv2.multiply(target, target), side), cv2.multiply(mean_target, mean_target))
    slope = cv2.divide(covariance, cv2.add(cv2.max(variance, 0.0), eps))
    offset = cv2.subtract(mean_target, cv2.multiply(slope, mean_guide))
    misfit = cv2.max(cv2.subtract(spread, cv2.multiply(slope, covariance)), 0.0)
    trust = cv2.divide(1.0, cv2.add(misfit, 1e-4))
    total = _mean(trust, side)
    return (
        cv2.divide(_mean(cv2.multiply(slope, trust), side), total),
        cv2.divide(_mean(cv2.multiply(offset, trust), side), total),
    )


def apply(slope: Map, offset: Map, guide: Map) -> Map:
    """Return slope * guide + offset at the guide's size; slope and offset are enlarged linearly."""
    size = (guide.shape[1], guide.shape[0])
    if slope.shape != guide.shape:
        slope = cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        offset = cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return cv2.add(cv2.multiply(slope, guide), offset)  # type: ignore[return-value]


def _mean(values: NDArray[np.float32], side: tuple[int, int]) -> Map:
    return cv2.blur(values, side, borderType=cv2.BORDER_REPLICATE)  # type: ignore[return-value]
