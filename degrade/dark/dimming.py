"""The light that reaches the sensor in the dark: the photo's own scene, dimmed, and its lamps as bright as they are.

    light = field 2^-EV x (1 + (g^w - 1) l),    but no more than what the photo shows of a lamp

A clipped pixel may hide a lamp a hundred times as bright as a sheet of paper, which goes on saturating the sensor when
all else has gone dark (the saturation lift of RSBlur, Rim et al., ECCV 2022). The lamp is l, 0..1: bright pixels about a
clipped one. A clipped sky or a white wall hides no such thing: w falls from 1 to 0 as the surroundings are clipped too,
or bright. By day pixels are judged by luma, as paint that is clipped in one colour is no lamp; by night by their
strongest colour, as neon is, against the brightest of the photo. What the lens scatters stays about a lamp as a glow, or it
would look cut out.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from degrade import develop
from degrade.arrays import strips
from degrade.camera import to_16_bit
from degrade.contract import Linear, Srgb
from degrade.dark import lighting, shining
from degrade.dark.lighting import Lighting
from degrade.dark.shining import Lamps
from degrade.dark.tone import Tables

FULL = int(develop.WHITE)  # code of a sensor that overflows


class Dark(NamedTuple):
    """A dark scene before a sensor; bands of it are made when they are asked for."""

    photo: Linear | Srgb
    tables: Tables  # by value of the photo
    step: int  # px per node of the field
    field: Linear  # light on the scene, times the exposure, at reduced size
    lamps: Lamps


def darkened(photo: Linear | Srgb, tables: Tables, exposure_ev: float, light: Lighting, lamp_gain: float) -> Dark:
    """Return the scene of a photo with less light on it.

    Args:
        photo: HxWx3 linear light, or 8-bit sRGB; what exceeds display white is taken for clipped.
        tables: of the camera's tone.
        exposure_ev: below right exposure.
        light: what lights it.
        lamp_gain: display whites of a clipped lamp in the dark.
    """
    height, width = photo.shape[:2]
    field = lighting.field(height, width, light) * np.float32(2.0**-exposure_ev)
    lamps = shining.found(photo, tables.scene, lamp_gain)
    return Dark(photo, tables.of_shown() if photo.dtype == np.uint8 else tables, lighting.step_for(height, width), field, lamps)


def write(dark: Dark, rows: slice, to: develop.Codes) -> None:
    """Write the light of some rows as codes; lamps saturate."""
    for strip in strips.rows_of(to.shape):
        _write(dark, slice(rows.start + strip.start, rows.start + strip.stop), to[strip])


def _write(dark: Dark, rows: slice, to: develop.Codes) -> None:
    photo = dark.photo[rows]
    words = photo if photo.dtype == np.uint8 else to_16_bit(np.asarray(photo, np.float32))
    light = cv2.LUT(words, dark.tables.scene)
    field = strips.enlarged(dark.field, dark.step, rows, light.shape[1])
    lit, glow = shining.lit(dark.photo, dark.lamps, rows), shining.glow_on(dark.photo, dark.lamps, rows)
    if lit is None and glow is None:
        cv2.multiply(light, field, to, scale=develop.WHITE, dtype=cv2.CV_16S)
        return
    cv2.multiply(light, field, light)
    if lit is not None:
        room = np.ascontiguousarray(light[:, lit.columns])
        most = cv2.max(cv2.LUT(words[:, lit.columns], dark.tables.lamp), room)  # the room does not dim for its lamps
        bright = cv2.multiply(room, cv2.cvtColor(lit.power + np.float32(1.0), cv2.COLOR_GRAY2RGB), room)
        light[:, lit.columns] = cv2.min(bright, most)
    if glow is not None:
        cv2.accumulateProduct(glow, field, light)
    to[:] = develop.to_codes(light)


def refill(before: develop.Codes, codes: develop.Codes) -> None:
    """Saturate, in place, what was saturated before noise was added: a well that overflows shows none."""
    if before.max() == FULL:
        cv2.max(codes, cv2.threshold(before, FULL - 1, FULL, cv2.THRESH_BINARY)[1], codes)
