"""Where a reflection ends: at the end of the glass, or where the mirrored world lies in the dark."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from degrade.contract import Map


class Edge(NamedTuple):
    """The glass covers one side of a line: an open window, a show-case."""

    angle_deg: float  # direction, from the right clockwise, in which the glass lies
    offset_frac: float  # of the line from the centre of the frame, in that direction, short sides


class Curtain(NamedTuple):
    """What is mirrored is dark on one side of a line: a curtain, a wall in shadow, the photographer's own coat."""

    angle_deg: float  # direction in which it is light
    offset_frac: float
    soft_frac: float  # width of the passage, short sides
    left: float  # share of the light that is left in the dark


def covered(shape: tuple[int, int], angle_deg: float, offset_frac: float, width_px: float, side: int) -> Map:
    """Return 1 on the side of a line to which its direction points, 0 on the other, with a smooth passage.

    Args:
        shape: rows and columns.
        angle_deg: direction, from the right clockwise.
        offset_frac: of the line from the centre in that direction, short sides.
        width_px: of the passage.
        side: 1, or -1 for the picture's mirror image.
    """
    height, width = shape
    right, down = side * math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) * np.float32(right)
    along = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) * np.float32(down) - np.float32(offset_frac * min(shape))
    inside = np.clip((across + along[:, None]) / np.float32(max(width_px, 1.0)) + np.float32(0.5), 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)
