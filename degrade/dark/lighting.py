"""What lights a dark scene: one lamp somewhere, the rest of the room, and the colour of both that is left in the photo.

    light(p) = v(p) ((1 - s) c_room + s c_lamp h^3 / (h^2 + r^2)^(3/2))

A lamp at height h above the plane of the picture, seen at distance r from its foot, falls off by the inverse square
and the cosine of incidence; s is its share where it is strongest. v is the lens's own: cos^4 of the angle, in the form
(1 + t r^2)^-2. Colours are black bodies by Wien's approximation, in which a shift in mired (1e6 / kelvin) is one factor
per channel, whatever it starts from: exp(c2 m (1 / green - 1 / wavelength)), equal to Planck's law within 1 % up to 6,500 K.

The published recipe (OneRestore, Guo et al., ECCV 2024) raises an estimated illumination map to a power, which
deepens the photo's own shading; we light the scene anew.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.camera import LUMINANCE
from degrade.contract import Linear

NODES = 64  # of the field, along the longer side at most: it is smooth
WAVELENGTHS_M = (605e-9, 540e-9, 455e-9)  # where red, green and blue of sRGB have their weight
C2 = 1.4388e-2  # second radiation constant, m K
RED, BLUE = (1e-6 * C2 * (1.0 / WAVELENGTHS_M[1] - 1.0 / wavelength) for wavelength in (WAVELENGTHS_M[0], WAVELENGTHS_M[2]))  # log per mired


class Lighting(NamedTuple):
    """How a dark scene is lit."""

    lamp_x_frac: float  # foot of the lamp, widths from the left edge; may lie outside
    lamp_y_frac: float  # heights from the top
    lamp_height_frac: float  # above the plane of the picture, short sides
    lamp_share: float  # of the light, where the lamp is strongest
    vignette_ev: float  # light that the corners lose in the lens
    cast_mired: float  # what white balance leaves of the room's colour: positive is warm
    lamp_mired: float  # by how much the lamp is warmer than the room
    green: float  # log of green over red and blue: fluorescent tubes and LEDs are off the black bodies' line


def tint(mired: float, green: float = 0.0) -> tuple[float, float, float]:
    """Return the colour of a light against a neutral one, linear RGB, of luminance 1.

    Args:
        mired: 1e6 / its temperature less that of the neutral one.
        green: log of green over red and blue.
    """
    red, middle, blue = math.exp(RED * mired), math.exp(green), math.exp(BLUE * mired)
    luminance = LUMINANCE[0] * red + LUMINANCE[1] * middle + LUMINANCE[2] * blue
    return red / luminance, middle / luminance, blue / luminance


def step_for(height: int, width: int) -> int:
    """Return the px of the photo per node of the field: a power of two, so that bands of it are cut exactly."""
    step = 1
    while step * NODES < max(height, width):
        step *= 2
    return step


def field(height: int, width: int, lighting: Lighting) -> Linear:
    """Return the light on the scene at reduced size, ceil(height / step) x ceil(width / step) x 3, of mean luminance 1."""
    step, short = step_for(height, width), min(height, width)
    rows = (np.arange(-(-height // step))[:, None] + 0.5) * step
    columns = (np.arange(-(-width // step))[None] + 0.5) * step
    off = (np.square(rows - lighting.lamp_y_frac * height) + np.square(columns - lighting.lamp_x_frac * width)) / short**2
    fall = (1.0 + off / lighting.lamp_height_frac**2) ** -1.5
    fall /= fall.max()  # the lamp's share is meant where the photo sees it strongest, also if it stands outside
    from_centre = (np.square(2.0 * rows / height - 1.0) + np.square(2.0 * columns / width - 1.0)) / 2.0
    lens = (1.0 + (2.0 ** (lighting.vignette_ev / 2.0) - 1.0) * from_centre) ** -2.0
    room = np.array(tint(lighting.cast_mired, lighting.green))
    lamp = np.array(tint(lighting.cast_mired + lighting.lamp_mired, lighting.green))
    light = (lens * (1.0 - lighting.lamp_share))[..., None] * room + (lens * fall * lighting.lamp_share)[..., None] * lamp
    return (light / (light @ np.array(LUMINANCE)).mean()).astype(np.float32)
