"""The long streak of an anamorphic lens: a cylinder in front of the iris smears a light along one line, tinted by its coating.

    S(u, v) = exp(-v^2 / 2 w^2) / (1 + (u / L)^2),    u along, v across

with a fine grain along u, because no cylinder is even (Hullin et al., SIGGRAPH 2011, trace the same surfaces).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Linear, Map

LONG_PX, WIDE_PX = 512, 33  # of the template
SIGMAS = 3.2  # widths that it shows on each side
FINEST_PX = 0.7  # one sigma of the canvas itself: no streak is thinner


class Streak(NamedTuple):
    """A streak through a light."""

    weight: float
    angle_deg: float
    length_frac: float  # half width at half height
    width_frac: float  # one sigma
    colour: tuple[float, float, float]
    seed: int  # of its unevenness


def draw(canvas: Linear, streak: Streak, light: tuple[float, float], energy: tuple[float, float, float]) -> None:
    """Add a streak to a canvas, in place.

    Args:
        canvas: HxWx3 linear light.
        streak: what to add.
        light: where the light lies, px; may be outside.
        energy: sum over the streak's pixels per weight, for each channel.
    """
    short, diagonal = min(canvas.shape[:2]), math.hypot(*canvas.shape[:2])
    length, width = streak.length_frac * short, math.hypot(streak.width_frac * short, FINEST_PX)
    shape = _template(streak, diagonal / length)
    along, across = 2 * diagonal / LONG_PX, 2 * SIGMAS * width / WIDE_PX
    cosine, sine = math.cos(math.radians(streak.angle_deg)), math.sin(math.radians(streak.angle_deg))
    middle = (LONG_PX - 1) / 2, (WIDE_PX - 1) / 2
    matrix = np.array([[along * cosine, -across * sine, 0.0], [along * sine, across * cosine, 0.0]])
    matrix[:, 2] = np.array(light) - matrix[:, :2] @ np.array(middle)
    placed = cv2.warpAffine(shape, matrix, canvas.shape[1::-1], flags=cv2.INTER_LINEAR)
    total = math.pi * length * width * math.sqrt(2 * math.pi)
    strength = np.array(energy) * np.array(streak.colour) * (streak.weight / total)
    canvas += placed[..., None] * strength.astype(np.float32)


def _template(streak: Streak, reach: float) -> Map:
    """Return a streak along the rows, WIDE_PX x LONG_PX, 1 in the middle.

    Args:
        streak: its seed.
        reach: half of the template's length, in half widths of the streak.
    """
    u = np.linspace(-reach, reach, LONG_PX, dtype=np.float32)
    v = np.linspace(-SIGMAS, SIGMAS, WIDE_PX, dtype=np.float32)[:, None]
    uneven = cv2.GaussianBlur(fields.gaussian(streak.seed, 1, LONG_PX), (0, 0), 12.0) * np.float32(1.6)
    faded = np.clip((reach - np.abs(u)) / np.float32(0.2 * reach), 0, 1)
    return np.asarray(cv2.exp(-0.5 * v * v) * (faded * np.clip(1 + 0.5 * uneven[0], 0.2, 2) / (1 + u * u)), np.float32)
