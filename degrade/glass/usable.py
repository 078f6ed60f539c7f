"""Is a mixture worth training on? Neither invisible nor destructive: that is measured, on a small copy.

By the structural similarity (SSIM, Wang et al., TIP 2004) of mixture and clean side. The study of Kee et al. (CVPR 2025)
keeps a tenth of its mixtures by a mean over the frame; but a reflection need not fill the frame to be seen, and a mean
calls a lamp in one corner invisible. So the mean says what is destroyed, and the quarter of the frame that changed most
says what is invisible: mild mixtures stay. And a mirrored sky or wall that ends at a shadow's or the glass's edge is a coloured
rectangle: views in which most of the light comes from even places give way to others.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air.airlight import LUMINANCE
from degrade.contract import Linear, Map, Srgb

DESTRUCTIVE = 0.55  # mean similarity below which too little is left to restore
INVISIBLE = 0.985  # similarity where most has changed above which nothing is there to remove
BLANK = 0.25  # contrast of the mirrored scene below which it is a veil, not a reflection
FLAT = 0.6  # share of the mirrored light that comes from even places above which they are all that one sees
LIFT = 6.0  # by how much a dark photo may be lifted before its 8 bits show

_STABLE = (0.01**2, 0.03**2)  # constants of the measure for values in [0, 1]
_WINDOW_PX = 1.5
_EVEN = 0.08  # contrast within a tile of the frame below which it is even: sky, a wall
_TILES = 8  # a side
_CELLS = 16  # the frame is looked at in so many rows and columns


def luma(picture: Srgb) -> Map:
    """Return the luma of a photo, HxW in [0, 1]."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)


def _mean(values: Map) -> Map:
    return cv2.GaussianBlur(values, (0, 0), _WINDOW_PX, borderType=cv2.BORDER_REFLECT_101)


def ssim(first: Map, second: Map) -> Map:
    """Return the structural similarity of two maps in [0, 1] at every pixel, with the usual Gaussian window."""
    ours, theirs = _mean(first), _mean(second)
    both = ours * theirs
    squares = ours * ours + theirs * theirs
    variances = _mean(first * first + second * second) - squares
    covariance = _mean(first * second) - both
    alike = (2 * both + np.float32(_STABLE[0])) * (2 * covariance + np.float32(_STABLE[1]))
    return np.asarray(alike / ((squares + np.float32(_STABLE[0])) * (variances + np.float32(_STABLE[1]))), np.float32)


def where_most_changed(similarity: Map) -> float:
    """Return the mean similarity of that quarter of the frame in which it is lowest."""
    cells = np.sort(cv2.resize(similarity, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA), axis=None)
    return float(cells[: cells.size // 4].mean(dtype=np.float64))


def contrast(shown: Srgb) -> float:
    """Return how uneven the light of a photo is: deviation over mean of its linear luminance, 0 for a black one."""
    light = cv2.cvtColor(camera.to_linear(shown), cv2.COLOR_RGB2GRAY)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(light))
    return deviation / mean if mean > 1e-5 else 0.0


def flatness(shown: Srgb, mirrored: Linear) -> float:
    """Return the share of mirrored light that comes from places of the mirrored scene where nothing is to be seen.

    Args:
        shown: the scene, as its photo shows it: shadows that fall on it are no content.
        mirrored: HxWx3 linear light that arrives from it, same size.
    """
    side = (4 * _TILES, 4 * _TILES)
    scene = _tiles(camera.to_linear(cv2.resize(shown, side, interpolation=cv2.INTER_AREA)))
    light = _tiles(cv2.resize(mirrored, side, interpolation=cv2.INTER_AREA))
    even = scene.std(1) < _EVEN * scene.mean(1)
    return float(light[even].sum() / max(float(light.sum()), 1e-9))


def _tiles(small: Linear) -> NDArray[np.float64]:
    """Return the luminance of each tile's 4x4 parts, (tiles, 16)."""
    luminance = cv2.transform(small, LUMINANCE.reshape(1, 3))
    return luminance.reshape(_TILES, 4, _TILES, 4).swapaxes(1, 2).reshape(_TILES * _TILES, 16).astype(np.float64)


class Verdict(NamedTuple):
    """What was measured on a mixture."""

    objection: str | None  # None: it can be used
    similarity: float  # mean SSIM to the clean side


def judge(clean: Map, passed: Linear, mirrored: Linear, passed_gain: float, mirrored_gain: float) -> Verdict:
    """Return what speaks against a mixture, if anything.

    Args:
        clean: luma of the clean side, HxW in [0, 1].
        passed: HxWx3 linear light that came through the glass.
        mirrored: HxWx3 linear light that the glass added.
        passed_gain: what `passed` is multiplied by.
        mirrored_gain: what `mirrored` is multiplied by.
    """
    similarity = ssim(clean, luma(camera.to_srgb(cv2.addWeighted(passed, passed_gain, mirrored, mirrored_gain, 0.0))))
    overall = float(similarity.mean(dtype=np.float64))
    if overall < DESTRUCTIVE:
        return Verdict(f"destructive: ssim {overall:.3f}", overall)
    if where_most_changed(similarity) > INVISIBLE:
        return Verdict(f"invisible: ssim {overall:.3f}", overall)
    return Verdict(None, overall)
