"""Procedural patterns: two warped gratings that interfere, each colour a little behind the last.

    m_c = cos(p + h c) + r cos(q + h c) + i cos(p - q + h c)

p and q are phases of two families of bands, bent and swirled, h the lag between colours that makes a rainbow, i the share of
the beat between them. Patterns come and go over the frame, as moire does where a lens is sharper or the panel curves.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields
from degrade.contract import Map
from degrade.screen import geometry

STEPS = 256  # of a phase
FINEST_PX = 3.0  # from band to band
LEAST = 0.35  # of a pattern where it is faintest
SWIRL_FRAC = 0.6  # size of the swirls, short sides


class Grating(NamedTuple):
    """One pattern; phases in cycles."""

    bands: float  # across the short side
    angle_deg: float
    ratio: float  # bands of the second family to each of the first
    cross_deg: float  # between the two families
    bend: float  # how much closer the bands lie half a short side away
    swirl: float  # wandering of the phase, one sigma, cycles
    lag: float  # from colour to colour, cycles
    second: float  # strength of the second family
    beat: float  # strength of the interference
    weight: float  # among the patterns of a photo
    seed: int


class Pattern(NamedTuple):
    """A grating worked out for a photo."""

    table: NDArray[np.float32]  # 1 x 65,536 x 3, by both phases: mean 0, RMS 1
    nodes: NDArray[np.float32]  # of both phase maps, every `geometry.STEP` px
    envelope: Map  # at the same nodes, RMS 1


def pattern_of(grating: Grating, height: int, width: int) -> Pattern:
    """Work out a pattern for a photo of some size."""
    step, short = geometry.STEP, min(height, width)
    rows, columns = (-(-side // step) + 2 for side in (height, width))
    x = (step * (np.arange(columns) - 0.5) - width / 2)[None, :] / short
    y = (step * (np.arange(rows) - 0.5) - height / 2)[:, None] / short
    bands = min(grating.bands, short / FINEST_PX / max(grating.ratio, 1.0) / (1 + 2 * abs(grating.bend)))
    wander = fields.fractal(grating.seed, rows, columns, SWIRL_FRAC * short / step, 2)
    phases = [
        _phase(x, y, count, angle, grating.bend) + grating.swirl * wander
        for count, angle in ((bands, grating.angle_deg), (bands * grating.ratio, grating.angle_deg + grating.cross_deg))
    ]
    nodes = np.stack(phases, -1)
    nodes = (nodes + math.ceil(-float(nodes.min())) + 1) * STEPS
    return Pattern(_waveform(grating), np.asarray(nodes, np.float32), _envelope(grating.seed + 7, height, width))


def add(total: NDArray[np.float32], pattern: Pattern, part: slice, weight: float) -> None:
    """Add a pattern to the modulation of some rows, in place.

    Args:
        total: of the rows, hxWx3.
        pattern: of `pattern_of`.
        part: the rows; starts at a multiple of `geometry.STEP`.
        weight: RMS of what is added.
    """
    first, second = geometry.rows(pattern.nodes, part, total.shape[1])
    index = (((second & (STEPS - 1)) << 8) | (first & (STEPS - 1))).astype(np.uint16)
    wave = cv2.LUT(cv2.cvtColor(index, cv2.COLOR_GRAY2RGB), pattern.table)
    strength = geometry.enlarged(pattern.envelope, part, total.shape[1])
    cv2.accumulateProduct(wave, cv2.cvtColor(strength * np.float32(weight), cv2.COLOR_GRAY2RGB), total)


def _phase(x: NDArray[np.float64], y: NDArray[np.float64], bands: float, angle_deg: float, bend: float) -> NDArray[np.float64]:
    turn = math.radians(angle_deg)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return np.asarray(bands * (along + bend * (along**2 + across**2)))


def _waveform(grating: Grating) -> NDArray[np.float32]:
    phase = np.arange(STEPS) / STEPS
    first, second = phase[None, :, None], phase[:, None, None]
    behind = grating.lag * np.arange(3.0)
    wave = np.cos(2 * np.pi * (first + behind))
    wave = wave + grating.second * np.cos(2 * np.pi * (second + behind)) + grating.beat * np.cos(2 * np.pi * (first - second + behind))
    return np.asarray(wave / np.sqrt(np.mean(wave**2)), np.float32).reshape(1, -1, 3)


def _envelope(seed: int, height: int, width: int) -> Map:
    rows, columns = (-(-side // geometry.STEP) + 2 for side in (height, width))
    clouds = fields.fractal(seed, rows, columns, 0.7 * min(rows, columns), 2)
    strength = LEAST + (1 - LEAST) / (1 + np.exp(-2 * clouds))
    return np.asarray(strength / np.sqrt(np.mean(strength**2)), np.float32)
