"""Whether local means are kept, in light and in colour: what blurs, codes, aliases or adds noise moves light by little, and repaints nothing.

    kept = 1 - sum |M_D - M_C|^2 / sum |M_C - mean|^2,    M the means of tiles a sixteenth of the short side wide

in square roots of linear light, once for grey and once for the two colour differences; the smaller counts. The denominators hold at least
the spread of a nearly even photo, so that what is too small to be seen is not held against anyone.
"""

from __future__ import annotations

import cv2
import numpy as np

from filters.explain.passage import tiles
from filters.explain.sides import Both

OPPONENT = np.array([[0.25, 0.5, 0.25], [0.5, -0.5, 0.0], [-0.25, -0.25, 0.5]], np.float32)  # grey, red - green, blue - yellow
LEAST_SPREAD = (0.03, 0.01)  # of grey and of each colour difference, root mean square


def kept(both: Both) -> float:
    """Return the share of the clean side's layout of tones and colours that the degraded side repeats, 0..1."""
    clean, degraded = (np.dstack([tiles(plane) for plane in cv2.split(cv2.transform(cv2.sqrt(side), OPPONENT))]) for side in both)
    moved = ((degraded - clean) ** 2).mean(axis=(0, 1))
    spread = ((clean - clean.mean(axis=(0, 1))) ** 2).mean(axis=(0, 1)) + np.square([LEAST_SPREAD[0], LEAST_SPREAD[1], LEAST_SPREAD[1]])
    shares = 1 - moved[0] / spread[0], 1 - moved[1:].sum() / spread[1:].sum()
    return float(np.clip(min(shares), 0, 1))
