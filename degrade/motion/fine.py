"""Maps of the scene at full size, on the photo's own edges: what blurs by depth or moves as a thing must end where it ends."""

from __future__ import annotations

import math

import cv2
import numpy as np

from degrade.arrays import guided, strips
from degrade.contract import Linear, Map

WORK_PX = 320  # long side at which a map meets the photo's edges
EPS = 1e-3  # variance of the guide below which a window counts as flat


def on_edges(coarse: Map, light: Linear) -> Map:
    """Return a proxy map at the photo's size, its jumps drawn to the photo's edges, in [0, 1].

    Args:
        coarse: hxw float32 in [0, 1] that covers the same view.
        light: HxWx3 linear light.
    """
    height, width = light.shape[:2]
    step = min(math.ceil(max(height, width) / WORK_PX), max(min(height, width) // 8, 1))
    small = strips.reduced(light, step)
    size = (small.shape[1], small.shape[0])
    cell = max(size[0] / coarse.shape[1], size[1] / coarse.shape[0], 1.0)  # working px per pixel of the map
    target = guided.steepened(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), max(round(1.5 * cell), 2))
    roots: Linear = cv2.sqrt(small)
    mix = guided.guide_mix(roots, target)
    guide: Map = cv2.transform(roots, mix.reshape(1, 3))
    slope, offset = guided.coefficients(guide, target, max(round(2 * cell), 2), EPS)
    rows = slice(0, height)
    fine = guided.mixed(light, mix)
    fine *= strips.enlarged(slope, step, rows, width)
    fine += strips.enlarged(offset, step, rows, width)
    return np.asarray(np.clip(fine, 0, 1, out=fine))
