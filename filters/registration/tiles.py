"""How far each tile of one structure has moved in another, and how well that is known.

For a tile the least squares of Lucas and Kanade (IJCAI 1981), with a gain of the tile's own:

    A d = sum of grad T (T - g I(x + ...)),    A = sum of grad T grad T',    g = sum T^2 / sum T I
    covariance of d = A^-1 * mean (T - g I)^2 / independent samples

T is the clean side, whose gradients hold little noise, so that noise in I widens the answer but does not pull it. An edge
tells its own normal only: A says so, and nothing here asks a tile for more than it knows.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map

SIDE_PX, SMALL_SIDE_PX = 32, 16
SMALL_BELOW_PX = 192  # a level with a shorter side takes small tiles, to have enough of them
SAMPLE_PX2 = 8.0  # area of one independent sample: structure is smoother than pixels
TEXTURED = 0.05  # mean square of normalised structure from which a tile shows something
LIKE = 0.25  # correlation from which a tile shows the same thing
FLAT = 1e-5  # of A: keeps it invertible

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Template(NamedTuple):
    """The clean side's part of the equations, once per level. Sums are means over tiles, RxC."""

    structure: Map
    across: Map  # gradient, per px
    down: Map
    x: Floats  # RxC: middles of the tiles, from the middle of the level, px
    y: Floats
    side: int
    xx: Floats
    xy: Floats
    yy: Floats
    x_own: Floats  # gradient times structure
    y_own: Floats
    power: Floats


class Moves(NamedTuple):
    """What the tiles say, RxC each."""

    x: Floats  # px of the level
    y: Floats
    xx: Floats  # covariance, px^2
    xy: Floats
    yy: Floats
    likeness: Floats  # correlation, -1 to 1
    response: Floats  # share of the clean side's structure that the degraded side shows
    inside: Flags  # wholly in the other photo
    textured: Flags

    @property
    def heard(self) -> Flags:
        """The tiles that show the same thing in both photos."""
        return self.inside & self.textured & (self.likeness > LIKE)

    @property
    def error(self) -> Floats:
        """Standard deviation of the move, px: of its worse direction."""
        half, difference = (self.xx + self.yy) / 2, (self.xx - self.yy) / 2
        return np.sqrt(half + np.hypot(difference, self.xy))


def template(structure: Map) -> Template:
    """Return the equations of a clean side's level; at least one small tile must fit into it."""
    height, width = structure.shape
    side = SIDE_PX if min(height, width) >= SMALL_BELOW_PX else SMALL_SIDE_PX
    rows, columns = height // side, width // side
    across = cv2.Scharr(structure, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(structure, cv2.CV_32F, 0, 1, scale=1 / 32)
    x, y = np.meshgrid(side * (np.arange(columns) - (columns - 1) / 2), side * (np.arange(rows) - (rows - 1) / 2))
    left, top = width - columns * side, height - rows * side
    places = x - left % 2 / 2, y - top % 2 / 2
    products = ((across, across), (across, down), (down, down), (across, structure), (down, structure), (structure, structure))
    return Template(structure, across, down, *places, side, *(_means(one, other, side) for one, other in products))


def moves(clean: Template, warped: Map, inside: Flags) -> Moves:
    """Return how far the tiles of the clean side have still moved.

    Args:
        clean: from `template`.
        warped: the degraded side's structure, brought to the clean side's grid as far as is known, HxW.
        inside: RxC, the tiles that it covers wholly.
    """
    pairs = ((clean.across, warped), (clean.down, warped), (clean.structure, warped), (warped, warped))
    x_other, y_other, common, power = (_means(one, other, clean.side) for one, other in pairs)
    likeness = common / np.sqrt(clean.power * power + 1e-9)
    gain = clean.power / np.maximum(common, 1e-6)
    left = np.maximum(clean.power * (1 / np.maximum(likeness, 1e-3) ** 2 - 1), 1e-3) * SAMPLE_PX2 / clean.side**2
    xx, yy, xy = clean.xx + FLAT, clean.yy + FLAT, clean.xy
    determinant = xx * yy - xy * xy
    ahead, below = clean.x_own - gain * x_other, clean.y_own - gain * y_other
    return Moves(
        (yy * ahead - xy * below) / determinant,
        (xx * below - xy * ahead) / determinant,
        left * yy / determinant,
        -left * xy / determinant,
        left * xx / determinant,
        likeness,
        common / np.maximum(clean.power, 1e-9),
        inside,
        clean.power > TEXTURED,
    )


def _means(one: Map, other: Map, side: int) -> Floats:
    """Return the mean product in each tile; what is over is left off around them, evenly."""
    height, width = one.shape
    rows, columns = height // side, width // side
    top, left = (height - rows * side) // 2, (width - columns * side) // 2
    product = cv2.multiply(one, other)[top : top + rows * side, left : left + columns * side]
    return cv2.resize(product, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64)
