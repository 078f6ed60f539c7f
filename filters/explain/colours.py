"""By how much colours turned: a change of light scales and tints them, but does not rotate the colour circle.

With u and v the fine parts of the two colour differences of linear light, the 2x2 matrix M that takes the clean side's to the degraded
side's by least squares is a mixture of scaling, a cast, and a turn by atan2(M21 - M12, M11 + M22). Physics gives the first two;
a clean side whose hue was edited gives the third.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from filters.explain.means import OPPONENT
from filters.explain.sides import Both, fine_part

WIDE_PX = 6.0  # one sigma, of a copy 256 px short: what is wider may be a cast
RIDGE = 4e-6  # mean square of colour, below which a photo is grey and turns by nothing


def turned_deg(both: Both) -> float:
    """Return the angle by which colours turned, 0..180 degrees; 0 for a photo without colour."""
    clean, degraded = ([fine_part(plane, WIDE_PX) for plane in cv2.split(cv2.transform(side, OPPONENT[1:]))] for side in both)
    told = np.array([[float((one * other).mean()) for other in clean] for one in clean])
    seen = np.array([[float((one * other).mean()) for other in clean] for one in degraded])
    matrix = seen @ np.linalg.inv(told + RIDGE * np.eye(2))
    rotated, scaled = matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]
    return math.degrees(abs(math.atan2(rotated, scaled))) if told.trace() > RIDGE else 0.0
