"""Airlight: the colour and the level of the light that haze sends towards the camera.

Droplets scatter all colours alike, so haze takes the mean colour of what lights it: the sky near the horizon, washed
towards white, under a low sun warmer. Its level belongs to the scene (Narasimhan and Nayar, IJCV 2002: the airlight is
the radiance of the sky at the horizon); at night there is no sky to speak of, and it is what lamps and city put into
the air. We depart from the usual random grey of 0.7-1.0, which turns night to day.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
WHITE = 0.88  # no haze outshines this: the camera meters it
LEAST = 0.004  # the darkest air, a starlit night
AMBIENT = 1.3  # air in a scene without sky, in typical radiances of the scene


def airlight(colours: NDArray[np.float32], sky: Map, horizon_frac: float, level: float, tint: float, warmth: float) -> NDArray[np.float64]:
    """Return the airlight, linear RGB (3,).

    Args:
        colours: hxwx3 linear light at low resolution.
        sky: hxw, 1 where sky, same size.
        horizon_frac: row of the horizon in heights.
        level: brightness relative to what the scene suggests.
        tint: how much of the sky's own colour the air keeps, 0 (grey) to 1.
        warmth: colour of the sun, -1 (cold) to 1 (low sun).
    """
    rows = (np.arange(colours.shape[0]) + 0.5) / colours.shape[0]
    near_horizon = np.exp(-np.abs(rows - horizon_frac) / 0.25)[:, None]
    mean = colours.reshape(-1, 3).mean(0, dtype=np.float64)
    weight = sky * near_horizon
    total = float(weight.sum())
    seen = min(total / (0.01 * float(near_horizon.sum()) * sky.shape[1]), 1.0)  # how far the sky can be relied on
    of_sky = np.einsum("ijk,ij->k", colours, weight) / max(total, 1e-6)
    base = seen * of_sky + (1.0 - seen) * mean
    typical = float(np.sqrt(np.maximum(colours @ LUMINANCE, 0.0)).mean()) ** 2  # a mean that lamps do not rule
    ambient = AMBIENT * typical
    brightness = max(float(base @ LUMINANCE), ambient, LEAST)
    hue = base / max(float(base @ LUMINANCE), 1e-6)
    hue = 1.0 + tint * (np.clip(hue, 0.3, 3.0) - 1.0)
    hue *= np.exp(warmth * np.array([0.12, 0.0, -0.2]))
    hue /= hue @ LUMINANCE
    air = np.asarray(level * min(brightness, WHITE) * hue)
    return air * min(1.0, WHITE / float(air.max()))


def darkness(air: NDArray[np.float64]) -> float:
    """Return how much night it is, 0..1, from the airlight: lamps only matter in dark air."""
    return math.exp(-float(air @ LUMINANCE) / 0.1)
