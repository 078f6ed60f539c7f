"""Which highlights of a photo are lamps, and how bright they are behind the clip."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import strips
from degrade.camera import light_of, to_16_bit
from degrade.contract import Linear, Map, Srgb
from degrade.dark import lighting

KNEE = 0.95  # of the brightest: linear light above which a highlight may be a lamp
BODY = (0.78, 0.97)  # of the brightest: light from which, and above which wholly, a pixel near such a highlight belongs to the lamp
LEAST = 0.75  # a photo without anything as bright has no lamps
NIGHT, DAY = 0.08, 0.16  # mean linear light of photos
BY_DAY = 0.6  # share of the lamps' power, in its logarithm, by day: most are glints
AROUND_FRAC = 0.12  # reach of the surroundings, short sides
CLIPPED = (0.3, 0.6)  # share of the surroundings that is clipped where nothing is a lamp, by day and by night
BRIGHT = 1.2  # mean light of the surroundings where nothing would be one
REACH_FRAC = 0.006  # of a highlight's own body, short sides
GLOW = 0.012  # share of a lamp's light that is scattered nearby
GLOW_FRAC = (0.012, 0.05)  # reaches of it, short sides
UNSEEN = 1e-4  # light that nobody sees: where the tails of a glow end
WEAK = 0.5  # power of a highlight that is no lamp
FINER = 4  # lamps are sharper than the light on the scene: their step is so much smaller


class Lamps(NamedTuple):
    """What the highlights of a photo hold, at reduced size."""

    step: int  # px per node
    night: float  # 0 by day, 1 by night
    brightest: float
    power: Map | None  # (g^w - 1) l about a highlight, 0 elsewhere; nothing where the photo has no lamps
    glow: Linear | None  # scattered light, in display whites of the right exposure


class Lit(NamedTuple):
    """Columns of a photo that hold lamps, and how much brighter than they look their pixels are, less 1."""

    columns: slice
    power: Map


def found(photo: Linear | Srgb, table: NDArray[np.float32], gain: float) -> Lamps:
    """Find the lamps.

    Args:
        photo: HxWx3 linear light, or 8-bit sRGB.
        table: of `tone.tables`: scene light.
        gain: display whites of a clipped lamp in the dark.
    """
    height, width = photo.shape[:2]
    coarse, short = lighting.step_for(height, width), min(height, width)
    step = max(coarse // FINER, 1)
    seen = light_of(_every(photo, max(step // 2, 1)))
    small = _every(seen, min(step, 2))
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    night = min(max((DAY - cv2.mean(luma)[0]) / (DAY - NIGHT), 0.0), 1.0)
    shown = _brightness(small, night)
    highest = _every(cv2.dilate(_brightness(seen, night), np.ones((3, 3), np.uint8)), min(step, 2))
    brightest = 1.0 - night * (1.0 - min(max(float(highest.max()), LEAST), 1.0))
    excess = _ramp(highest, KNEE * brightest, brightest)
    if excess.max() <= 0.0:
        return Lamps(step, night, brightest, None, None)
    around = [_spread(strips.reduced(plane, coarse // step), AROUND_FRAC * short / coarse, cv2.BORDER_REFLECT) for plane in (excess, shown)]
    crowd = CLIPPED[0] + (CLIPPED[1] - CLIPPED[0]) * night
    share = np.clip(1.0 - around[0] / crowd - around[1] / BRIGHT, 0.0, 1.0) * (BY_DAY + (1.0 - BY_DAY) * night)
    power = np.power(np.float32(gain), share, dtype=np.float32) - np.float32(1.0)
    power = cv2.multiply(_grown(excess, REACH_FRAC * short / step), strips.enlarged(power, coarse // step, slice(0, luma.shape[0]), luma.shape[1]))
    power = cv2.threshold(power, WEAK, 0.0, cv2.THRESH_TOZERO)[1]
    if power.max() <= 0.0:
        return Lamps(step, night, brightest, None, None)
    lift = cv2.multiply(_ramp(shown, KNEE * brightest, brightest), power)
    return Lamps(step, night, brightest, power, _glow(cv2.LUT(to_16_bit(small), table), lift, coarse // step, short / step))


def _every(picture: NDArray[Any], step: int) -> NDArray[Any]:
    """Return one pixel of every step x step block, the middle one where the block is whole."""
    height, width = picture.shape[:2]
    if height % step == 0 and width % step == 0:  # four times as fast as slices
        return cv2.resize(picture, (width // step, height // step), interpolation=cv2.INTER_NEAREST_EXACT)
    rows, columns = (min(step // 2, (side - 1) % step) for side in (height, width))
    return np.ascontiguousarray(picture[rows::step, columns::step])


def lit(photo: Linear | Srgb, lamps: Lamps, rows: slice) -> Lit | None:
    """Return what the lamps on some rows are, or nothing where none is."""
    if lamps.power is None:
        return None
    power = lamps.power[_nodes(lamps, rows)]
    nodes = np.flatnonzero(power.max(axis=0))
    if not len(nodes):
        return None
    first, last = max(int(nodes[0]) - 1, 0), min(int(nodes[-1]) + 2, power.shape[1])
    columns = slice(first * lamps.step, min(last * lamps.step, photo.shape[1]))
    shown = _brightness(light_of(photo[rows, columns]), lamps.night)
    near = strips.enlarged(lamps.power[:, first:last], lamps.step, rows, columns.stop - columns.start)
    return Lit(columns, cv2.multiply(near, _ramp(shown, BODY[0] * lamps.brightest, BODY[1] * lamps.brightest)))


def glow_on(photo: Linear | Srgb, lamps: Lamps, rows: slice) -> Linear | None:
    """Return the light scattered onto some rows, or nothing where none is."""
    if lamps.glow is None or lamps.glow[_nodes(lamps, rows)].max() <= 0.0:
        return None
    return strips.enlarged(lamps.glow, lamps.step, rows, photo.shape[1])


def _nodes(lamps: Lamps, rows: slice) -> slice:
    return slice(max(rows.start // lamps.step - 1, 0), rows.stop // lamps.step + 2)


def _brightness(photo: Linear, night: float) -> Map:
    """Return luma by day, the strongest colour by night, HxW."""
    luma = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    if night <= 0.0:
        return luma
    red, green, blue = cv2.split(photo)
    return cv2.addWeighted(luma, 1.0 - night, cv2.max(cv2.max(red, green), blue), night, 0.0)


def _ramp(values: Map, low: float, high: float) -> Map:
    """Return 0 up to a low value, 1 from a high one, and a parabola between."""
    part = cv2.addWeighted(values, 1.0 / (high - low), values, 0.0, -low / (high - low))
    part = np.clip(part, 0.0, 1.0, out=part)
    return cv2.multiply(part, part, part)


def _glow(scene: Linear, lift: Map, coarser: int, short: float) -> Linear | None:
    """Return the light that the lens scatters about lamps; `short` is the short side in nodes."""
    if lift.max() <= 0.0:
        return None
    shining = cv2.multiply(scene, cv2.cvtColor(lift, cv2.COLOR_GRAY2RGB), scale=GLOW / 2.0)
    far = _spread(strips.reduced(shining, coarser), GLOW_FRAC[1] * short / coarser, cv2.BORDER_CONSTANT)
    near = _spread(shining, GLOW_FRAC[0] * short, cv2.BORDER_CONSTANT)
    both = cv2.add(near, strips.enlarged(far, coarser, slice(0, scene.shape[0]), scene.shape[1]), near)
    return cv2.threshold(both, UNSEEN, 0.0, cv2.THRESH_TOZERO, both)[1]


def _grown(excess: Map, reach: float) -> Map:
    """Return 1 about every highlight, fading to 0 over a few times the reach in nodes."""
    side = 2 * max(round(reach), 1) + 1
    near = cv2.dilate(excess, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return cv2.max(_spread(near, 2.0 * reach, cv2.BORDER_REFLECT), excess)


def _spread(light: NDArray[np.float32], sigma: float, border: int) -> NDArray[np.float32]:
    return cv2.GaussianBlur(light, (0, 0), max(sigma, 0.5), borderType=border)
