"""The light that drops send us: a drop is a lens that sees 165 degrees of what is behind it, sky and ground and lamps.

Garg and Nayar (IJCV 2007) found its brightness to be about the mean of what it sees, whatever is straight behind: a streak is
bright before a dark wall, and cannot be told from the sky. So E is half the air's own light and half the blurred bright
surroundings, of the photo with its clipped lamps as strong as they are: streaks light up around a street lamp. A photo leaves out
most of what a drop sees, the sky above it first, so E may be brighter; but it nears `LIMIT` times the brighter of air and
surroundings, and no more.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import lamps
from degrade.air.airlight import LUMINANCE, airlight, darkness, towards
from degrade.arrays import strips
from degrade.contract import Linear
from degrade.drops.sight import Sight

STEP = 4  # it is soft: a quarter of the working size
WIDE, CLOSE = 0.2, 0.06  # radii of the surroundings in short sides
FOLLOW = 0.6  # how far the airlight follows the sky in its own direction: it rains from an even one
UNLIT = 0.92  # of the airlight that a night takes from rain: fog hangs among the lamps, rain comes from a dark sky
SCATTERED = 0.12  # of the lamps' blurred light, by the veil
LAMPLIT = 0.3  # of the photo's own light around, which a night's veil nears and does not pass
COLOURED = 0.3  # share of its colour that the light of a night keeps in the veil: it comes from lamps of all colours, many out of sight
LIMIT, KNEE = 1.2, 8  # of a drop's light, in parts of the brightest that it sees, and how late it bends there


class Glow(NamedTuple):
    """What the air and the drops send us in each direction, at a quarter of the working size."""

    step: int  # px of the photo per pixel
    air: Linear
    drops: Linear


def glow(seen: Sight, horizon_frac: float, level: float, tint: float, brightness: float, lamp_gain: float) -> Glow:
    """Return the light of air and drops.

    Args:
        seen: the scene.
        horizon_frac: row of the horizon in heights.
        level: brightness of the air against what the scene suggests.
        tint: share of the sky's colour that the air keeps.
        brightness: of a drop against the mean of what it sees.
        lamp_gain: how bright a clipped lamp really is at night, in display whites.
    """
    colours, sky = strips.reduced(seen.light, STEP), strips.reduced(seen.sky, STEP)
    everywhere = airlight(colours, sky, horizon_frac, 1.0 - float(seen.coarse.mean()), level, tint, 0.0)
    night = max(darkness(everywhere), everywhere.night)
    air = _paler(towards(everywhere, colours, sky, FOLLOW) * np.float32(1.0 - UNLIT * night), 1.0 - (1.0 - COLOURED) * night)
    gain = lamps.gain_of(lamp_gain, night)
    strong = camera.recover_highlights(colours, gain, lamps.KNEE)
    short = min(colours.shape[:2])
    wide, close = _blurred(strong, WIDE * short), _blurred(strong, CLOSE * short)
    around = np.maximum(wide, np.float32(0.5) * (wide + close))
    shown = _blurred(colours, WIDE * short)
    lamplight = np.maximum(wide - shown, 0)
    drops = _limited(np.float32(0.5 * brightness) * (air + around), np.float32(LIMIT) * np.maximum(air, around))
    return Glow(STEP * seen.step, air + _scattered(lamplight, shown), drops)


def _scattered(lamplight: Linear, around: Linear) -> Linear:
    """Return the light of lamps that the veil sends: paler than they are, and no brighter than what the photo is exposed for."""
    light = np.asarray(np.float32(SCATTERED) * lamplight, np.float32)
    level = _luminance(light)
    limited = _limited(level, np.float32(LAMPLIT) * _luminance(around))
    return _paler(np.asarray(light * (limited / np.maximum(level, np.float32(1e-6))), np.float32), COLOURED)


def _paler(light: Linear, colour: float) -> Linear:
    """Return light that keeps a share of its colour, and its luminance."""
    grey = _luminance(light)
    return np.asarray(grey + np.float32(colour) * (light - grey), np.float32)


def _luminance(light: Linear) -> NDArray[np.float32]:
    """Return hxwx1."""
    return cv2.transform(light, LUMINANCE.reshape(1, 3))[..., None]


def _limited(light: Linear, most: Linear) -> Linear:
    """Return light that nears a limit smoothly."""
    over = light / np.maximum(most, np.float32(1e-6))
    return np.asarray(light * (1 + over**KNEE) ** np.float32(-1 / KNEE), np.float32)


def _blurred(light: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(light, (0, 0), max(sigma, 0.4), borderType=cv2.BORDER_REFLECT)
