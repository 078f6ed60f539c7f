"""Airlight: the colour and the level of the light that haze sends towards the camera.

Droplets scatter all colours alike, so haze takes the mean colour of what lights it: the sky near the horizon, washed
towards white, under a low sun warmer. Its level belongs to the scene (Narasimhan and Nayar, IJCV 2002: the airlight is
the radiance of the sky at the horizon); at night there is no sky to speak of, and it is what lamps and city put into
the air. We depart from the usual random grey of 0.7-1.0, which turns night to day, and from its being one colour: haze is
brighter towards the bright side of the sky (`towards`), and the thinner it is, the more it is the sky that the photo shows
already, neither whiter nor lit by anything else.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Linear, Map

LUMINANCE = np.array(camera.LUMINANCE)
WHITE = 0.88  # no haze outshines this: the camera meters it
LEAST = 0.004  # the darkest air, a starlit night
AMBIENT = 1.3  # air lit by lamps, in typical radiances of the scene
SUNLIT = 1.0  # by how much more, relatively, sunlit fog outshines what it hides
DAY = 0.1  # typical radiance at which it is half day
SKY_OF_NIGHT = 0.3  # light of the sky at the horizon, in typical radiances, below which it begins to be one
NIGHT_AMBIENT, NIGHT_HUE = 0.35, 0.4  # parts of ambient light and of hue that are left under it: lamps light the street more than the air
DENSE = 0.6  # mean opacity from which haze has a light of its own
REACH_FRAC = 0.2  # short sides from which the sky tells how bright the air is in front of it
HUES = (0.3, 3.0)  # channels over luminance that air can take: no more colourful than that
GRID_PX = 24  # it is soft: at most this many places a side are looked at
LAMPLIT_FRAC = 0.2  # short sides over which lamps light the air at night
LAMPLIT = (0.35, 3.0)  # darkest and brightest night air, in its mean
FOLLOWED = (0.4, 2.0)  # darkest and brightest of the sky's places, in skies near the horizon, that the air follows


class Air(NamedTuple):
    """What the air sends."""

    colour: NDArray[np.float64]  # (3,) linear RGB, where nothing better is known
    horizon: NDArray[np.float64]  # (3,) of the sky near the horizon, as the photo shows it
    own: float  # how far the haze has a light of its own, 0 (thin: the sky's) to 1 (dense: white, evenly lit)
    night: float = 0.0  # how surely the sky is that of a night, 0..1, by what is lit under it


def airlight(colours: Linear, sky: Map, horizon_frac: float, opacity: float, level: float, tint: float, warmth: float) -> Air:
    """Return the airlight.

    Args:
        colours: hxwx3 linear light at low resolution.
        sky: hxw, 1 where sky, same size.
        horizon_frac: row of the horizon in heights.
        opacity: of the haze, 0..1, on average over the picture.
        level: brightness relative to what the scene suggests.
        tint: how much of the sky's own colour dense haze keeps, 0 (grey) to 1.
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
    shown = float(base @ LUMINANCE)
    own = 1.0 - seen * (1.0 - min(opacity / DENSE, 1.0))  # how far the haze is more than the sky's
    typical = float(np.sqrt(np.maximum(colours @ LUMINANCE, 0.0)).mean()) ** 2  # a mean that lamps do not rule
    night = 1.0 - min(shown / max(SKY_OF_NIGHT * typical, 1e-6), 1.0)
    ambient = AMBIENT * typical * (1.0 + SUNLIT * typical / (typical + DAY)) * (1.0 - (1.0 - NIGHT_AMBIENT) * night)
    brightness = max(shown + own * max(ambient - shown, 0.0), LEAST)
    hue = np.clip(base / max(shown, 1e-6), *HUES)
    hue = 1.0 + (1.0 - own * (1.0 - tint)) * (1.0 - (1.0 - NIGHT_HUE) * night) * (hue - 1.0)
    hue *= np.exp(own * warmth * np.array([0.12, 0.0, -0.2]))
    hue /= hue @ LUMINANCE
    air = np.asarray(level * min(brightness, WHITE) * hue)
    return Air(air * min(1.0, WHITE / float(air.max())), base, own, night)


def towards(air: Air, colours: Linear, sky: Map, follow: float) -> Linear:
    """Return the airlight in each direction, hxwx3: brighter where the sky around is brighter than at the horizon, and of its colour.

    Args:
        air: of `airlight`.
        colours: hxwx3 linear light at low resolution.
        sky: hxw, 1 where sky, same size.
        follow: how far, 0 (one airlight everywhere) to 1.
    """
    shape = (sky.shape[0], sky.shape[1])
    size = (min(shape[1], GRID_PX), min(shape[0], GRID_PX))
    colours, sky = cv2.resize(colours, size, interpolation=cv2.INTER_AREA), cv2.resize(sky, size, interpolation=cv2.INTER_AREA)
    reach = [REACH_FRAC * min(shape) * side / full for side, full in zip(size, shape[::-1], strict=True)]
    of_sky = cv2.GaussianBlur(colours * sky[..., None], (0, 0), reach[0], sigmaY=reach[1], borderType=cv2.BORDER_REFLECT)
    share = cv2.GaussianBlur(sky, (0, 0), reach[0], sigmaY=reach[1], borderType=cv2.BORDER_REFLECT)[..., None]
    horizon = np.maximum(air.horizon, LEAST).astype(np.float32)
    doubt = np.float32(0.1)  # where little sky is near, the horizon's is taken
    around = (of_sky + doubt * horizon) / (share + doubt)
    brightness, usual = (around @ LUMINANCE.astype(np.float32))[..., None], float(horizon @ LUMINANCE)
    brighter = np.clip(brightness / np.float32(usual), *FOLLOWED) ** np.float32(follow * (1.0 - 0.5 * air.own))
    level = float(air.colour @ LUMINANCE)
    other = np.clip(around / brightness, *HUES) - np.clip(horizon / np.float32(usual), *HUES)
    hue = air.colour / level + follow * (1.0 - air.own) * (1.0 - air.night) * other
    light = np.maximum(hue * level, 0) * brighter
    even: Linear = np.minimum(light, WHITE).astype(np.float32)
    return cv2.resize(even, shape[::-1], interpolation=cv2.INTER_LINEAR)


def lamplit(light: Linear, colours: Linear, night: float) -> Linear:
    """Return the air's light, hxwx3, as lamps give it at night: more about them and less away from them, on average the same.

    Without it a lamp's own cone would be a dark hole in a fog that shines evenly.

    Args:
        light: of `towards`.
        colours: hxwx3 linear light of the scene, same size.
        night: how much night it is, of `darkness`.
    """
    around = cv2.sqrt(cv2.transform(colours, LUMINANCE.reshape(1, 3)))  # roots: lamps must not rule
    around = cv2.GaussianBlur(around, (0, 0), LAMPLIT_FRAC * min(around.shape), borderType=cv2.BORDER_REFLECT)
    share = np.clip(around / max(float(around.mean()), 1e-6), *LAMPLIT)
    return light * (1 + np.float32(night) * (share - 1))[..., None]


def darkness(air: Air) -> float:
    """Return how much night it is, 0..1, from the airlight: lamps only matter in dark air."""
    return math.exp(-float(air.colour @ LUMINANCE) / 0.1)
