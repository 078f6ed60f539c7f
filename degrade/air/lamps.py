"""Lamps in the haze: how bright they really are, and where they are at night.

A photo shows a lamp as white, however bright it is; haze must scatter the light that the lamp has (the saturation lift of
RSBlur, Rim et al., ECCV 2022). And at night every prior takes a lamp on a black sky for sky, at no distance that ends: it
would be the first thing to vanish in a fog in which it is the last thing to be seen.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade.air.airlight import LUMINANCE, SKY_OF_NIGHT
from degrade.contract import Linear, Map

KNEE = 0.5  # linear light above which a highlight may be a lamp
NIGHT_LIGHT = 0.06  # mean linear light of a photo above which it is no night
LEAST_SKY = 0.05  # share of the photo; a smaller sky tells nothing
DAYLIGHT = 0.03  # share of the lamps' gain that is left by day: glints, clipped clouds
INVERSE = 0.3  # inverse depth that a lamp has at least: what outshines a night is no star


def at_night(small: Linear, sky: Map) -> Map:
    """Return where lamps are in a dark photo, or under a sky that is dark against what is lit below it, 0..1; nowhere else.

    Args:
        small: hxwx3 linear light at low resolution.
        sky: hxw, 1 where sky, same size.
    """
    light = cv2.transform(small, LUMINANCE.reshape(1, 3))
    least = float(light.mean()) / NIGHT_LIGHT
    if float(sky.mean()) > LEAST_SKY:
        roots = cv2.sqrt(light)  # means of light are the lamps' own
        of_sky = float((roots * sky).sum()) / float(sky.sum())
        least = min(least, of_sky**2 / max(SKY_OF_NIGHT * float(roots.mean()) ** 2, 1e-6))
    if least >= 1.0:
        return np.zeros(small.shape[:2], np.float32)
    night = min(2.0 - 2.0 * least, 1.0)
    red, green, blue = cv2.split(small)
    shining = np.clip((cv2.max(cv2.max(red, green), blue) - KNEE) / (1 - KNEE), 0, 1) * np.float32(night)
    return cv2.dilate(shining, np.ones((3, 3), np.uint8))


def gain_of(lamp_gain: float, night: float) -> float:
    """Return how bright a clipped highlight really is, in display whites: by night as bright as a lamp, by day hardly brighter than it looks."""
    return 1.0 + (lamp_gain - 1.0) * max(night, DAYLIGHT)


def as_strong_as_they_are(light: Linear, through: Linear, gain: float) -> Linear:
    """Return the light with lamps lifted, but none that would arrive brighter than the photo shows it.

    Of what is lifted a share 1 - (1 - t) exp(-t (g - 1) e^4 / (1 - t)) arrives, all colours alike: from t at the knee it
    passes to 1 without the rim that a lift with a plain cap draws around a lamp's soft edge.

    Args:
        light: HxWx3 linear light; left untouched.
        through: HxWx3, the share t that arrives, alike in all channels.
        gain: g, how bright a clipped lamp really is, in display whites.
    """
    red, green, blue = cv2.split(light)
    brightest = cv2.max(cv2.max(red, green), blue)
    if brightest.max() <= KNEE:
        return light
    over: Map = cv2.threshold(brightest - np.float32(KNEE), 0.0, 0.0, cv2.THRESH_TOZERO)[1]
    squared = cv2.multiply(over, over, over, scale=(1 - KNEE) ** -2)  # of e
    part = cv2.max(cv2.min(cv2.extractChannel(through, 0), 1 - 1e-4), 1e-2)
    lost = cv2.subtract(1.0, part)
    power = cv2.multiply(cv2.multiply(squared, squared), cv2.divide(part, lost), scale=1 - gain)
    lift = cv2.divide(cv2.subtract(1.0, cv2.multiply(lost, cv2.exp(power))), part)
    return cv2.multiply(light, cv2.cvtColor(lift, cv2.COLOR_GRAY2RGB))
