"""The tone curve of a camera, and how a photo that came out dark is brightened.

    shown = (1 - c) x + c x^2 (3 - 2 x),  x the sRGB value of scene light; c = 1 is the curve of Brooks et al. (CVPR 2019)

Cameras differ, and a full smoothstep crushes what is dark already, so the contrast c is drawn. Brightening by `ev` is
part gain, as an exposure slider does, and part gamma, as curves and phones do: it lifts shadows and keeps lights,

    lifted = (2^(ev (1 - share)) x)^gamma,

with the gamma that takes the photo's middle grey to the same place as gain alone would. Applied to scene light it is a
better table for `finish`; applied to the finished 8 bits it tears steps apart, which is seen as banding.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.camera import TOP, linear_to_srgb, shown_words, srgb_to_linear
from degrade.develop import WHITE

NODES = 4096  # of a curve; between them it is straight
GREY = 0.18  # middle grey of a right exposure
CLIPPED = 0.95  # scene light from which a photo may be clipped
OVERFLOW = 4.0  # light that such a pixel may send to the sensor
CODES = 32768  # of scene light

Curve = NDArray[np.float64]


class Lift(NamedTuple):
    """How much a dark photo is brightened."""

    ev: float
    gamma_share: float  # of the lift
    grey: float  # scene light of middle grey before

    def undone(self, light: Curve) -> Curve:
        """Return the scene light, from 0 up, that is lifted to this."""
        gain = 2.0 ** (self.ev * (1.0 - self.gamma_share))
        gamma = math.log(min(self.grey * 2.0**self.ev, 0.9)) / math.log(min(self.grey * gain, 0.9))
        return np.asarray(light ** (1.0 / gamma) / gain)


@functools.cache
def _values() -> Curve:
    return np.linspace(0.0, 1.0, NODES)


@functools.cache
def _light() -> Curve:
    return srgb_to_linear(_values())


@functools.cache
def _codes() -> NDArray[np.float64]:
    return np.arange(CODES) / WHITE


@functools.cache
def _words() -> NDArray[np.float64]:
    return np.arange(65536) / TOP


def toned(contrast: float) -> Curve:
    """Return the sRGB values shown for the values 0..1 of scene light, at NODES even steps."""
    value = _values()
    return np.asarray(value + contrast * (value * value * (3.0 - 2.0 * value) - value))


class Tables(NamedTuple):
    """What every 16-bit linear light of a photo stands for, 1x65536 each."""

    scene: NDArray[np.float32]  # light of the scene: the tone curve taken off
    lamp: NDArray[np.float32]  # the most that a lamp sends to the sensor

    def of_shown(self) -> Tables:
        """Return the same by 8-bit sRGB value, 1x256 each."""
        return Tables(cv2.LUT(shown_words(), self.scene), cv2.LUT(shown_words(), self.lamp))


def tables(contrast: float, lift: Lift) -> Tables:
    """Return what takes the tone curve off.

    A lamp that the photo shows unclipped is never shown brighter, brightened or not; one that is clipped overflows.
    """
    lamp = lift.undone(_light()) + OVERFLOW * np.clip((_light() - CLIPPED) / (1.0 - CLIPPED), 0.0, 1.0)
    both = np.interp(_words(), srgb_to_linear(toned(contrast)), _light() + 1j * lamp)  # as one complex table: one search for both
    return Tables(both.real.astype(np.float32).reshape(1, -1), both.imag.astype(np.float32).reshape(1, -1))


def finish_table(contrast: float, lift: Lift | None) -> NDArray[np.uint8]:
    """Return the 8-bit value of every code of scene light, 1x65536; negative codes last, as their bits read without a sign."""
    scene = _light() if lift is None else lift.undone(_light())
    shown = np.interp(_codes(), scene, toned(contrast)) * 255.0
    return np.concatenate([np.rint(shown).astype(np.uint8), np.zeros(CODES, np.uint8)]).reshape(1, -1)


def late_table(contrast: float, lift: Lift) -> NDArray[np.uint8]:
    """Return what brightening makes of the 256 values of a finished photo, 1x256."""
    before = linear_to_srgb(np.minimum(lift.undone(_light()), 1.0))
    curve = toned(contrast)
    shown = np.interp(np.arange(256) / 255.0, np.interp(before, _values(), curve), curve)
    return np.asarray(np.rint(shown * 255.0), np.uint8).reshape(1, -1)
