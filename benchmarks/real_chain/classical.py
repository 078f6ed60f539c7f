"""A restorer without weights, as a second voice: `python classical.py INPUT OUTPUT ORDERS`, the program of a maker `command`.

Noise and blocks: non-local means (Buades, Coll and Morel, CVPR 2005) as strong as the noise that it measures. Low light: one gain in
linear light that lifts the median to middle grey, and the same smoothing after it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = 0.18  # of linear light
MOST_GAIN = 24.0
LAPLACE = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])


def restored(photo: NDArray[np.uint8], task: str) -> NDArray[np.uint8]:
    """Return a photo of its task restored, HxWx3 uint8."""
    if task == "low_light":
        photo = lifted(photo)
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY).astype(np.float32)
    found = np.abs(cv2.filter2D(grey, -1, LAPLACE))
    sigma = float(np.sqrt(np.pi / 2) / 6 * found.mean())  # Immerkaer, CVIU 1996
    strength = 4.0 if task == "compression" else min(0.9 * sigma, 12.0)
    return np.asarray(cv2.fastNlMeansDenoisingColored(photo, None, strength, strength, 5, 15), np.uint8)


def lifted(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a dark photo as bright as photos are, HxWx3 uint8."""
    linear = (photo / 255.0) ** 2.2
    gain = float(np.clip(GREY / max(float(np.median(linear.mean(2))), 1e-4), 1.0, MOST_GAIN))
    bright = linear * gain
    rolled = bright * (1 + bright / max(gain, 1.0)) / (1 + bright)  # lamps stay below white: Reinhard et al., SIGGRAPH 2002
    return np.asarray(np.clip(rolled / max(float(rolled.max()), 0.5), 0, 1) ** (1 / 2.2) * 255 + 0.5, np.uint8)


def main(source: Path, target: Path, orders: Path) -> None:
    """Restore every photo that is ordered."""
    for line in orders.read_text(encoding="utf-8").splitlines():
        order = json.loads(line)
        photo = np.asarray(cv2.imread(str(source / order["file"])), np.uint8)
        cv2.imwrite(str(target / f"{order['key']}.png"), restored(photo, order["task"]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
