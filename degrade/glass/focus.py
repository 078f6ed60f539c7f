"""What is in focus, with a pane in the way: the camera is set to what lies behind it.

A point at another distance becomes a disc of the angle A |1/d - 1/d_focus|, A the diameter of the aperture. A phone
shows the mirrored scene sharp, and so do most photos; a fast lens near a shop window does not.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear

LEAST_PX = 0.7  # a smaller disc is sharp
WORK_RADIUS_PX = 2.5  # a larger disc is drawn on a smaller picture


class Focus(NamedTuple):
    """Where things are, and the lens that sees them."""

    aperture_mm: float  # diameter
    pane_m: float  # from the camera to the glass
    behind_m: float  # from the glass to what the camera is focused on
    before_m: float  # from the glass to what it mirrors

    @property
    def mirrored_m(self) -> float:
        """The way from the camera to what is mirrored."""
        return self.pane_m + self.before_m


def disc_px(focus: Focus, distance_m: float, focal_px: float) -> float:
    """Return the diameter in pixels of what a point at a distance becomes."""
    return focus.aperture_mm * 1e-3 * abs(1.0 / distance_m - 1.0 / (focus.pane_m + focus.behind_m)) * focal_px


def work_step(disc: float) -> int:
    """Return by how much a picture may be reduced before a disc of this diameter is drawn into it."""
    return int(np.clip(round(disc / 2 / WORK_RADIUS_PX), 1, 8))


def aperture(disc: float) -> NDArray[np.float32]:
    """Return the psf of a round aperture, of a diameter in pixels: odd, square, of sum 1, its rim by coverage."""
    reach = int(disc / 2 + 1)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    psf = np.clip(disc / 2 + 0.5 - np.hypot(rows, columns), 0, 1)
    return np.asarray(psf / psf.sum(), np.float32)


def blurred(picture: Linear, disc: float) -> Linear:
    """Return the picture through a round aperture; a disc below `LEAST_PX` leaves it as it is."""
    if disc < LEAST_PX:
        return picture
    return cv2.filter2D(picture, -1, aperture(disc), borderType=cv2.BORDER_REFLECT_101)
