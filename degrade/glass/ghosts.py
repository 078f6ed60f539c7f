"""Ghosts: every surface of a window mirrors the scene once, and the images do not fall on one another.

The back of a pane of thickness d sends a ray out beside the one from its front, by d sin(2 a) / sqrt(n^2 - sin^2 a) at
incidence a (Shih et al., CVPR 2015); seen from a scene at distance D that is an angle of one over the other. A second
pane is such a gap with n = 1, and because two panes are never quite parallel its image is turned by twice the wedge,
whatever the distance: the double lamps of every double window. We take the shift at the optical axis for the whole
frame, which is exact for the wedge and within a pixel for a pane that is looked at from the front.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.contract import Linear
from degrade.glass.fresnel import GRAZING, INDEX, Pane, normal, surface

UNSEEN_PX = 0.15  # images nearer than this are one


class Ghost(NamedTuple):
    """A second image."""

    right_px: float
    down_px: float
    strength: float  # relative to the first


def parallax_mm(thickness_mm: float, index: float, cosine: float) -> float:
    """Return how far beside the first image's ray the second one leaves a plate of some index, at an incidence."""
    sine = math.sqrt(1.0 - cosine * cosine)
    return thickness_mm * 2.0 * sine * cosine / math.sqrt(index * index - sine * sine)


def of(pane: Pane, side: int, distance_m: float, focal_px: float) -> list[Ghost]:
    """Return the ghosts of a pane: the back of the glass, then, for two panes, all of it once more.

    Args:
        pane: the glass.
        side: 1, or -1 for a pane that is turned the other way.
        distance_m: from the camera by way of the pane to what is mirrored.
        focal_px: distance of the image plane in pixels.
    """
    right, down, ahead = normal(pane, side)
    cosine = max(abs(ahead), GRAZING)
    away = math.hypot(right, down)
    direction = (right / away, down / away) if away > 1e-6 else (0.0, 0.0)
    front = float(np.mean(surface(np.full(1, cosine, np.float32))))
    twice = pane.clarity**2  # the way in and out again
    back = (1.0 - front) ** 2 * twice
    beside = parallax_mm(pane.thickness_mm, INDEX, cosine) * 1e-3 / distance_m * focal_px
    ghosts = [Ghost(beside * direction[0], beside * direction[1], back)]
    if pane.glazing is not None:
        beside = parallax_mm(pane.glazing.gap_mm, 1.0, cosine) * 1e-3 / distance_m * focal_px
        turned = 2e-3 * pane.glazing.wedge_mrad * focal_px
        opens = math.radians(pane.glazing.wedge_deg)
        passed = ((1.0 - front) / (1.0 + front)) ** 2 * twice
        across, along = beside * direction[0] + turned * math.cos(opens) * side, beside * direction[1] + turned * math.sin(opens)
        ghosts.append(Ghost(across, along, passed))
    return ghosts


def reach_px(ghosts: list[Ghost]) -> int:
    """Return how many rows away from a point its farthest ghost lies."""
    return sum(math.ceil(abs(ghost.down_px)) + 1 for ghost in ghosts)


def moved(picture: Linear, right_px: float, down_px: float) -> Linear:
    """Return a picture moved by any part of a pixel, interpolated linearly; what comes in repeats the border."""
    height, width = picture.shape[:2]
    right, down = (math.floor(min(max(by, 2 - size), size - 2)) for by, size in ((right_px, width), (down_px, height)))
    across, along = min(max(right_px - right, 0.0), 1.0), min(max(down_px - down, 0.0), 1.0)
    inner = picture[max(-1 - down, 0) : height - max(down, 0), max(-1 - right, 0) : width - max(right, 0)]
    wide = cv2.copyMakeBorder(inner, max(down + 1, 0), max(-down, 0), max(right + 1, 0), max(-right, 0), cv2.BORDER_REPLICATE)
    taps = np.outer(np.array([along, 1 - along]), np.array([across, 1 - across]))
    return cv2.filter2D(wide, -1, taps, anchor=(1, 1))[1:, 1:]


def add(picture: Linear, ghosts: list[Ghost]) -> Linear:
    """Return a picture with its ghosts, as bright on average as before; the picture given is used up.

    Each ghost repeats all that was there before it.
    """
    for ghost in ghosts:
        if math.hypot(ghost.right_px, ghost.down_px) < UNSEEN_PX:
            continue
        share = ghost.strength / (1.0 + ghost.strength)
        second = moved(picture, ghost.right_px, ghost.down_px)
        picture = cv2.addWeighted(picture, 1.0 - share, second, share, 0.0, dst=picture)
    return picture
