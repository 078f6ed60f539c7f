"""What passes and what is mirrored, summed in linear light and exposed anew.

    m = k (T i + c (R j + D))

i the scene behind the glass, j the scene before it, R and T the pane's Fresnel shares, D what dirt scatters, c the
ratio of both sides' exposures, k the camera's answer to the sum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.air.airlight import LUMINANCE
from degrade.arrays import strips
from degrade.arrays.bands import bands
from degrade.contract import Linear, Map, Srgb, Texture
from degrade.glass import border, dirt, focus, fresnel
from degrade.glass.border import Edge
from degrade.glass.dirt import Dirt, Placement
from degrade.glass.focus import Focus
from degrade.glass.fresnel import Pane
from degrade.glass.view import Mirrored, Seen, View

WORK_PX = (256, 512)  # long side at which the pane's maps are computed: what is smooth, and dirt and the glass's end
SMOOTH_STEP = 4  # of which the pane's angle is computed once
BAND_PIXELS = 1 << 16  # px of a band of rows
END_FRAC = 0.01  # width of the glass's end, short sides, at least: frames, seals and shadows lie along it
HIGHLIGHTS = (0.9, 1.5)  # light above which the photo's own highlights are clipped, and what white really is


class Glass(NamedTuple):
    """The pane, where it stands, what it mirrors, and what is on it."""

    pane: Pane
    focus: Focus
    mirrored: Mirrored
    edge: Edge | None
    dirt: Dirt | None


class Maps(NamedTuple):
    """What the pane does at every pixel, at 1/step of the frame's size."""

    passed: Map
    mirrored: Map
    scattered: Linear | None  # by dirt, in light of 1
    step: int


class Layers(NamedTuple):
    """Both lights at the sensor, not yet exposed."""

    passed: Linear
    mirrored: Linear
    passed_mean: float  # luminance
    mirrored_mean: float


def luminance(picture: Linear) -> float:
    """Return the mean luminance of linear light."""
    return float(np.dot(cv2.mean(picture)[:3], LUMINANCE))


def maps(glass: Glass, placements: tuple[Placement, ...], bank: tuple[Texture, ...], chosen: View, frame: tuple[int, int], focal_px: float) -> Maps:
    """Return the pane's maps for a frame of (rows, columns) pixels."""
    step = math.ceil(max(frame) / WORK_PX[bool(glass.edge or glass.dirt or placements)])
    shape, focal = (-(-frame[0] // step), -(-frame[1] // step)), focal_px / step
    side = chosen.side
    share = _fresnel(glass.pane, side, shape, focal)
    passed = (1 - share) * np.float32(glass.pane.clarity)
    scattered = None
    soft = focus.disc_px(glass.focus, glass.focus.pane_m, focal)
    covered, shown = _dirt(glass.dirt, placements, bank, shape, soft)
    if covered is not None and shown is not None:
        passed *= 1 - covered
        share *= 1 - covered
        scattered = shown
    share *= _fall_off(shape, glass.mirrored.vignette)
    for curtain in filter(None, (glass.mirrored.curtain, chosen.lit)):
        angle, offset, width, left = curtain
        lit = left + (1 - left) * border.covered(shape, angle, offset, width * min(shape), side)
        share *= lit
        scattered = scattered if scattered is None else scattered * lit.mean()  # dirt sees all of the mirrored side
    if glass.edge is not None:
        glazed = border.covered(shape, *glass.edge, max(soft, END_FRAC * min(shape)), side)
        passed = 1 + (passed - 1) * glazed
        share *= glazed
        scattered = scattered if scattered is None else scattered * glazed[..., None]
    return Maps(passed, share, scattered, step)


def _fresnel(pane: Pane, side: int, shape: tuple[int, int], focal_px: float) -> Map:
    """Return the share that the pane mirrors, computed where it is needed: it is as smooth as the angle."""
    coarse = -(-shape[0] // SMOOTH_STEP), -(-shape[1] // SMOOTH_STEP)
    cosine = fresnel.cosines(pane, side, coarse, focal_px / SMOOTH_STEP)
    return strips.enlarged(fresnel.mirrored(cosine, 1 if pane.glazing is None else 2), SMOOTH_STEP, slice(0, shape[0]), shape[1])


def _fall_off(shape: tuple[int, int], vignette: float) -> Map:
    """Return the light's fall towards the corners: 1 in the middle, 1 - vignette in the corners."""
    rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
    return 1 - np.float32(vignette / 2) * (rows[:, None] ** 2 + columns**2)


def _dirt(
    made_up: Dirt | None, placements: tuple[Placement, ...], bank: tuple[Texture, ...], shape: tuple[int, int], soft_px: float
) -> tuple[Map | None, Linear | None]:
    """Return what dirt covers and what it scatters, out of focus."""
    if placements:
        covered, shown = (_soft(one, soft_px) for one in dirt.laid(bank, placements, shape))
    elif made_up is not None:
        covered = _soft(dirt.soiled(made_up, shape), soft_px)
        shown = cv2.cvtColor(covered, cv2.COLOR_GRAY2RGB)
    else:
        return None, None
    return covered, shown * np.float32(dirt.ALBEDO)


def _soft(values: Map, soft_px: float) -> Map:
    return cv2.GaussianBlur(values, (0, 0), max(soft_px / 4, 0.3), borderType=cv2.BORDER_REFLECT_101)


def layers(light: Linear, seen: Seen, pane: Maps) -> Layers:
    """Return both lights at the sensor; `light` is left untouched.

    Dirt stands in the mirrored scene's typical light.
    """
    passed, mirrored = np.empty_like(light), np.empty_like(light)
    scattered = None if pane.scattered is None else pane.scattered * seen.typical()
    sums, (height, width) = np.zeros(2), light.shape[:2]
    whole = math.lcm(pane.step, seen.step, 4)
    for band in bands(height, seen.reach_px, max(BAND_PIXELS // width, 2 * seen.reach_px, whole) // whole * whole):
        rows = band.made
        shares = (cv2.cvtColor(strips.enlarged(one, pane.step, rows, width), cv2.COLOR_GRAY2RGB) for one in (pane.passed, pane.mirrored))
        cv2.multiply(_with_highlights(light[rows]), next(shares), dst=passed[rows])
        cv2.multiply(seen.rows(band), next(shares), dst=mirrored[rows])
        if scattered is not None:
            cv2.add(mirrored[rows], strips.enlarged(scattered, pane.step, rows, width), dst=mirrored[rows])
        sums += (band.bottom - band.top) * np.array([luminance(passed[rows]), luminance(mirrored[rows])])
    of_passed, of_mirrored = (sums / height).tolist()
    return Layers(passed, mirrored, of_passed, of_mirrored)


def _with_highlights(light: Linear) -> Linear:
    """Return light in which white is brighter than white again, so that a shorter exposure does not turn it grey."""
    knee, gain = HIGHLIGHTS
    if light.max() <= knee:
        return light
    over = np.clip(light, np.float32(knee), 1)
    over -= np.float32(knee)
    return cv2.add(light, cv2.multiply(over, over, scale=(gain - 1) / (1 - knee) ** 2))


def through(
    light: Linear, shown: Srgb, gain: float, glass: Glass, chosen: View, placements: tuple[Placement, ...], bank: tuple[Texture, ...], focal_px: float
) -> tuple[Layers, float]:
    """Return both lights of one view, and the mean share that the pane mirrors.

    Args:
        light: HxWx3 linear light behind the glass.
        shown: HxWx3, of `view.cut`: the part of the partner that is mirrored.
        gain: of `view.highlights`.
        glass: the pane and its surroundings.
        chosen: how the pane is turned.
        placements: of the bank's images on the pane; instead of made-up dirt.
        bank: an image for each placement.
        focal_px: distance of the image plane in pixels.
    """
    seen = Seen(shown, chosen.side, glass.pane, glass.focus, glass.mirrored, gain, focal_px)
    pane = maps(glass, placements, bank, chosen, (light.shape[0], light.shape[1]), focal_px)
    return layers(light, seen, pane), float(pane.mirrored.mean(dtype=np.float64))
