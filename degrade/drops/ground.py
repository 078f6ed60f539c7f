"""What looks like ground, among all that a depth map takes for it: cars, rocks and hedges are no puddles.

Most of what faces up in a photo is ground, so the commonest of its calm colours is the ground's; what differs in hue, is much
lighter or darker, is finely structured (a grille, a crown of leaves) or lies apart from it is something that stands on it. Depth from a
plane (`degrade.scene.depth.geometric`) knows no object, and networks smear the low ones into the road.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map

TONE, HUE = 22.0, 9.0  # CIELAB: differences in lightness and in a, b at which half is believed
CALM, RESTLESS = 5.0, 13.0  # deviation of lightness nearby: asphalt and lawn, and what is no surface
NEARBY_PX = 3  # of the working picture
WORK_PX = 128  # its long side, at most
FACING, LIKELY = 0.5, 0.3  # from which it counts
LEAST_PX = 25
APART = 0.15  # of the largest patch, below which a patch lies apart: a windscreen is dark and calm too


def alike(light: Linear, facing: Map) -> Map:
    """Return how much each pixel looks like the ground, hxw in 0..1.

    Args:
        light: hxwx3 linear light at working size.
        facing: hxw, where the scene faces up (`degrade.drops.splashes.upward`).
    """
    full = (facing.shape[1], facing.shape[0])
    if (fraction := WORK_PX / max(full)) < 1:
        size = (max(round(full[0] * fraction), 8), max(round(full[1] * fraction), 8))
        light, facing = (cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (light, facing))
    candidates = facing > FACING
    if int(candidates.sum()) < LEAST_PX:
        return np.zeros(full[::-1], np.float32)
    lab = cv2.cvtColor(np.minimum(cv2.pow(np.maximum(light, 0), 1 / 2.2), 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    side = (NEARBY_PX, NEARBY_PX)
    lightness = np.ascontiguousarray(lab[..., 0])
    mean = cv2.blur(lightness, side)
    deviation = cv2.sqrt(np.maximum(cv2.blur(lightness * lightness, side) - mean * mean, 0))
    reference = candidates & (deviation <= np.median(deviation[candidates]))
    usual = np.median(lab[reference], axis=0)
    off = (cv2.blur(lab, (3, 3)) - usual) / np.array([TONE, HUE, HUE], np.float32)
    squared = np.einsum("ijk,ijk->ij", off, off)
    calm = np.clip((RESTLESS - deviation) / (RESTLESS - CALM), 0, 1)
    likeness: Map = cv2.blur((calm / (1 + squared * squared)).astype(np.float32), side)
    return cv2.resize(likeness * _together(likeness * facing > LIKELY), full, interpolation=cv2.INTER_LINEAR)


def _together(likely: NDArray[np.bool_]) -> Map:
    """Return 1 but for patches that are small against the largest; soft ends of a patch belong to it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    area[0] = 0
    apart = (area < APART * area.max()).astype(np.uint8)
    apart[0] = 0
    return (1 - cv2.dilate(apart[labels], np.ones((NEARBY_PX, NEARBY_PX), np.uint8))).astype(np.float32)
