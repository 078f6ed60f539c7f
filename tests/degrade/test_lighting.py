"""A lamp falls off as it must, a lens darkens its corners, black bodies have their colours."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade.camera import LUMINANCE
from degrade.dark.lighting import WAVELENGTHS_M, Lighting, field, step_for, tint

LAMP = Lighting(0.0, 0.5, 0.2, 1.0, 0.0, 0.0, 0.0, 0.0)
EVEN = Lighting(0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def planck(kelvin: float, wavelength: float) -> float:
    """Return the radiance of a black body, but for a factor."""
    return wavelength**-5 / (math.exp(1.4388e-2 / (wavelength * kelvin)) - 1)


def test_a_lamp_falls_off_by_the_inverse_square_and_the_cosine() -> None:
    """Irradiance of a plane, far from a lamp above it, falls with the third power of the distance."""
    row = field(64, 64, LAMP._replace(lamp_height_frac=0.02))[32, :, 1]
    distance = (np.arange(64) + 0.5) / 64
    slope = np.polyfit(np.log(distance[20:]), np.log(row[20:]), 1)[0]
    assert abs(slope + 3) < 0.05
    height = field(64, 64, LAMP)[32, :, 1]
    at_height = int(0.2 * 64)
    assert abs(height[at_height] / height[0] - 0.5**1.5) < 0.02


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 97), (1024, 768), (300, 2000)])
def test_the_mean_light_is_one(height: int, width: int) -> None:
    """Uneven and coloured light does not change the exposure, at any size."""
    made = field(height, width, Lighting(1.2, 0.1, 0.6, 0.7, 1.0, 120.0, -40.0, 0.1))
    step = step_for(height, width)
    assert made.shape == (-(-height // step), -(-width // step), 3)
    assert abs(float((made @ np.array(LUMINANCE)).mean()) - 1) < 1e-5


def test_corners_lose_what_the_vignette_says() -> None:
    """A vignette of 1 EV halves the very corner."""
    made = field(64, 64, EVEN._replace(vignette_ev=1.0))[..., 1]
    assert abs(made[0, 0] / made[31, 31] - 0.5) < 0.02


@pytest.mark.parametrize("kelvin", [2000.0, 2850.0, 4000.0, 9000.0])
def test_colours_are_those_of_black_bodies(kelvin: float) -> None:
    """A shift in mired from daylight gives Planck's ratios of red and blue to green."""
    made = tint(1e6 / kelvin - 1e6 / 6504.0)
    exact = [planck(kelvin, at) / planck(6504.0, at) for at in WAVELENGTHS_M]
    assert np.allclose([made[0] / made[1], made[2] / made[1]], [exact[0] / exact[1], exact[2] / exact[1]], rtol=0.02)


def test_a_warm_lamp_in_a_cold_room_mixes_by_distance() -> None:
    """Near the lamp the light is warmer than far from it."""
    made = field(64, 64, LAMP._replace(lamp_share=0.7, lamp_mired=150.0, cast_mired=-40.0))
    assert made[32, 2, 0] / made[32, 2, 2] > 1.5 * made[32, 60, 0] / made[32, 60, 2]
