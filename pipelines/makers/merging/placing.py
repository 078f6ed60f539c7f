"""Where each pixel of one photo of a scene stands in another: one similarity, and what tiles say besides.

The similarity (`filters.registration.match`) takes what the hand did. What it leaves open (a turn out of the plane, a rolling
shutter, depth) is smooth: tiles tell it by the least squares of Lucas and Kanade, and

    d = (sum of K P_i + 1/s^2)^-1 sum of K P_i d_i

joins them, P_i what a tile knows, K a Gaussian over its neighbours, s the length of what is likely at all. Tiles that disagree with
their neighbours (a thing that moved) lose their say by Cauchy's weights: such things are not followed, they are left out later.
The photo is warped by the answer and asked again, which gives back what the Gaussian took (Tukey's twicing).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Linear, Map, Srgb
from filters.registration import tiles
from filters.registration.match import LEAST_PX, match
from filters.registration.similarity import Similarity
from filters.registration.structure import pyramid
from filters.registration.tiles import Flags, Floats, Moves

ROUNDS = 3
LIKELY_PX = 0.5  # s, px of the level that the tiles are of
UNMODELLED_PX = 0.15  # what a tile may differ by for reasons of its own
FARTHEST_PX = 3.0  # a tile that says more has followed something else
CAUCHY = 4.0  # squared deviations at which a tile has half a say
MARGIN_PX = 8  # around what is read, for the kernel


class Box(NamedTuple):
    """A part of a photo, px; right and bottom are not in it."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of a picture."""
        return pixels[self.top : self.bottom, self.left : self.right]


class Place(NamedTuple):
    """The way from pixels of one photo to places in another of the same size."""

    matrix: NDArray[np.float64]  # 2x3, from pixel to pixel
    x: Map  # RxC, px: what tiles are to the right of where the matrix has them
    y: Map
    left: float = 0.0  # middle of the first tile, px of the photo
    top: float = 0.0
    side_px: float = 1.0  # from tile to tile

    def maps(self, box: Box) -> tuple[Map, Map]:
        """Return where the pixels of a box stand, HxW each, for `cv2.remap`."""
        across, down = np.meshgrid(np.arange(box.left, box.right, dtype=np.float32), np.arange(box.top, box.bottom, dtype=np.float32))
        column, row = (across - np.float32(self.left)) / self.side_px, (down - np.float32(self.top)) / self.side_px
        x, y = (cv2.remap(part, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in (self.x, self.y))
        x, y = across + x, down + y
        (xx, xy, x0), (yx, yy, y0) = self.matrix.tolist()
        return (xx * x + xy * y + x0).astype(np.float32), (yx * x + yy * y + y0).astype(np.float32)


def found(photo: Srgb, other: Srgb, *, other_is_quieter: bool) -> Similarity | None:
    """Return where what a photo shows at x stands in another, or None if that cannot be told.

    Args:
        photo: HxWx3 uint8 sRGB.
        other: the same size.
        other_is_quieter: it was exposed longer; structure is looked up in the quieter photo.
    """
    seen = match(other, photo) if other_is_quieter else match(photo, other)
    if seen is None:
        return None
    return seen.found if other_is_quieter else seen.found.inverse()


def placed(photo: Srgb, other: Srgb, similarity: Similarity, box: Box, *, other_is_quieter: bool) -> Place:
    """Return where the pixels of a box stand in another photo.

    Args:
        photo: HxWx3 uint8 sRGB.
        other: the same size.
        similarity: from `found`.
        box: of the photo; the tiles are those of its inside.
        other_is_quieter: as for `found`.
    """
    matrix, none = similarity.matrix(photo.shape[1], photo.shape[0]), np.zeros((1, 1), np.float32)
    place = Place(matrix, none, none)
    if min(box.right - box.left, box.bottom - box.top) < LEAST_PX:
        return place
    step, levels = pyramid(np.ascontiguousarray(box.of(photo)))
    own = levels[0].structure
    for _ in range(ROUNDS):
        maps = place.maps(box)
        there = cv2.remap(other, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        theirs = pyramid(there)[1][0].structure
        template = tiles.template(theirs if other_is_quieter else own)
        inside = _covered(covered(*maps, other), template.x.shape, template.side * step)
        moves = tiles.moves(template, own if other_is_quieter else theirs, inside)
        if place.x.shape != template.x.shape:
            place = _tiled(place, box, template, step)
        place = _moved(place, moves, -step if other_is_quieter else step)
    return place


def covered(across: Map, down: Map, other: Srgb) -> Flags:
    """Return which pixels another photo shows at all, HxW."""
    height, width = other.shape[:2]
    return (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)


def brought(other: Srgb, place: Place, box: Box) -> tuple[Linear, Flags]:
    """Return another photo's linear light at the pixels of a box, and which of them it shows.

    Lanczos' kernel over 8 px: a shorter one would take fine detail with it, merge after merge.
    """
    across, down = place.maps(box)
    seen = covered(across, down, other)
    height, width = other.shape[:2]
    left, top = (max(int(part.min()) - MARGIN_PX, 0) for part in (across, down))
    right, bottom = min(int(across.max()) + MARGIN_PX, width), min(int(down.max()) + MARGIN_PX, height)
    if left >= right or top >= bottom:
        return np.zeros((*across.shape, 3), np.float32), np.zeros_like(seen)
    part = camera.to_linear(np.ascontiguousarray(other[top:bottom, left:right]))
    light = cv2.remap(part, across - np.float32(left), down - np.float32(top), cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return light, seen


def _covered(seen: Flags, shape: tuple[int, ...], side_px: int) -> Flags:
    """Return which tiles are seen wholly, RxC."""
    height, width = seen.shape
    rows, columns = shape
    top, left = (height - rows * side_px) // 2, (width - columns * side_px) // 2
    inner = seen[top : top + rows * side_px, left : left + columns * side_px]
    return np.asarray(inner.reshape(rows, side_px, columns, side_px).all((1, 3)))


def _tiled(place: Place, box: Box, template: tiles.Template, step: int) -> Place:
    """Return a place with a tile for each of a template's."""
    none = np.zeros(template.x.shape, np.float32)
    left, top = (box.left + box.right - 1) / 2 + template.x[0, 0] * step, (box.top + box.bottom - 1) / 2 + template.y[0, 0] * step
    return Place(place.matrix, none, none, float(left), float(top), float(template.side * step))


def _moved(place: Place, moves: Moves, step: int) -> Place:
    """Return a place with what the tiles still said added to it, where they agree with their neighbours."""
    heard = moves.heard & (np.hypot(moves.x, moves.y) < FARTHEST_PX)
    said = np.where(heard, moves.x, 0.0), np.where(heard, moves.y, 0.0)
    xx, yy = moves.xx + UNMODELLED_PX**2, moves.yy + UNMODELLED_PX**2
    trust = np.where(heard, 1 / (xx * yy - moves.xy**2), 0.0)
    own = trust * yy, -trust * moves.xy, trust * xx
    weight = np.ones_like(trust)
    for _ in range(3):
        x, y = _joined(said, [weight * part for part in own])
        ahead, below = said[0] - x, said[1] - y
        weight = 1 / (1 + (own[0] * ahead**2 + 2 * own[1] * ahead * below + own[2] * below**2) / CAUCHY)
    return place._replace(x=place.x + (x * step).astype(np.float32), y=place.y + (y * step).astype(np.float32))


def _joined(said: tuple[Floats, Floats], trust: list[Floats]) -> tuple[Floats, Floats]:
    """Return the moves that a tile's neighbourhood agrees on; nothing, where nothing is known."""
    products = trust[0] * said[0] + trust[1] * said[1], trust[1] * said[0] + trust[2] * said[1]
    xx, xy, yy, ahead, below = (cv2.GaussianBlur(part, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE) for part in (*trust, *products))
    xx, yy = xx + 1 / LIKELY_PX**2, yy + 1 / LIKELY_PX**2
    determinant = xx * yy - xy * xy
    return (yy * ahead - xy * below) / determinant, (xx * below - xy * ahead) / determinant
