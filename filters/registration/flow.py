"""What moved on its own: how far tiles still are apart when the whole picture has been put in its place.

The tiles' own moves (`tiles`), from a level four times as coarse down to the one that is believed, each warped by what the
last said: a thing that an editor put a few px beside its place is followed there, and what it painted anew correlates
with nothing and is not counted. Only tiles that know both directions have a say.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from degrade.contract import Map
from filters.registration import tiles
from filters.registration.fit import Fit, covered
from filters.registration.similarity import Similarity
from filters.registration.structure import Level
from filters.registration.tiles import Flags, Floats, Moves, Template

COARSER = 2  # levels above the one that is believed
ROUNDS = 2
FARTHEST_PX = 2.0  # that a tile may move in one round
FOLLOWED_PX = 1.0  # standard deviation up to which a tile is moved
KNOWN_PX = 0.3  # standard deviation up to which it is trusted, px of the level
SURELY = 2.0  # standard deviations that may be error
HALF = 0.5


class Flow(NamedTuple):
    """The moves of the tiles of the clean side that are left, RxC each."""

    length_px: Floats  # px of the finest level; what may be error is taken off
    trusted: Flags
    asked: Flags  # tiles that show something and lie in both photos
    likeness: Floats

    @property
    def share(self) -> float:
        """The share of the asked tiles that are trusted."""
        return float(self.trusted.sum() / max(self.asked.sum(), 1))


def flow(clean: list[Level], degraded: list[Level], believed: Fit) -> Flow:
    """Return what a fit leaves, at the finest level at which half of the tiles can be trusted.

    Args:
        clean: from `structure.pyramid`.
        degraded: the same, of equal size.
        believed: from `fit.best`; no finer level than its own is asked.
    """
    x, y = np.zeros((1, 1)), np.zeros((1, 1))
    told: Flow | None = None
    for level in range(min(believed.level + COARSER, len(clean) - 1), believed.level - 1, -1):
        template = tiles.template(clean[level].structure)
        found = believed.found.resized(2.0 ** (believed.level - level))
        size = template.x.shape[::-1]
        x, y = (cv2.resize(2 * part, size, interpolation=cv2.INTER_LINEAR) for part in (x, y))
        for _ in range(ROUNDS):
            moves = _moves(degraded[level].structure, template, found, x, y)
            sure = moves.heard & (moves.error < FOLLOWED_PX)
            x = np.where(sure, x + np.clip(moves.x, -FARTHEST_PX, FARTHEST_PX), x)
            y = np.where(sure, y + np.clip(moves.y, -FARTHEST_PX, FARTHEST_PX), y)
        length_px = np.maximum(np.hypot(x, y) - SURELY * np.sqrt(moves.xx + moves.yy), 0.0) * 2.0**level
        here = Flow(length_px, moves.heard & (moves.error < KNOWN_PX), moves.inside & moves.textured, moves.likeness)
        if told is None or here.share >= min(told.share, HALF):
            told = here
    assert told is not None
    return told


def _moves(other: Map, template: Template, found: Similarity, x: Floats, y: Floats) -> Moves:
    """Return what is left where each tile is looked for at its own move besides that of the picture."""
    height, width = other.shape
    rows, columns = x.shape
    side = template.side
    matrix = found.matrix(width, height)
    place_x, place_y = (np.pad(part, 1, mode="reflect", reflect_type="odd") for part in (template.x, template.y))
    place_x, place_y = place_x + np.pad(x, 1, mode="edge") + (width - 1) / 2, place_y + np.pad(y, 1, mode="edge") + (height - 1) / 2
    top, left = side - (height - rows * side) // 2, side - (width - columns * side) // 2
    size = (columns + 2) * side, (rows + 2) * side

    def everywhere(row: Floats) -> Map:  # a similarity is linear between the middles of tiles, and so is what is interpolated there
        nodes = (row[0] * place_x + row[1] * place_y + row[2]).astype(np.float32)
        return cv2.resize(nodes, size, interpolation=cv2.INTER_LINEAR)[top : top + height, left : left + width]

    warped = cv2.remap(other, everywhere(matrix[0]), everywhere(matrix[1]), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return tiles.moves(template, warped, covered(template, found))
