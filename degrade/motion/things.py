"""Which part of a photo could have moved: a thing, its outline, and what is behind it.

Segments of a network are things already; superpixels are pieces, so a thing is grown from each piece over neighbours of its colour and
distance. Of all that is found, those are kept that end where the photo has edges, are neither specks nor half the photo, and
do not run out of the frame.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map

SIMILAR = 14.0  # CIELAB distance of pieces that belong together
SAME_DISTANCE = 0.12  # of inverse depth
LEAST_FRAC, MOST_FRAC = 0.02, 0.3  # share of the photo
FEW = 4  # best candidates, of which one moves

Labels = NDArray[np.int32]


class _Pieces(NamedTuple):
    """Segments, by label."""

    area: NDArray[np.float64]  # px
    colour: NDArray[np.float64]  # nx3 CIELAB
    inverse: NDArray[np.float64]
    border: NDArray[np.float64]  # nxn, px of common border
    rim: NDArray[np.float64]  # px of the photo's rim


def thing(small: Linear, labels: Labels, inverse: Map, pick: float) -> NDArray[np.bool_]:
    """Return the mask of a thing that could move, hxw.

    Args:
        small: hxwx3 linear light, of the labels' size.
        labels: hxw, 0..n-1.
        inverse: hxw inverse depth, 1 nearest.
        pick: 0..1, which of the best candidates.
    """
    pieces = _pieces(small, labels, inverse)
    found: dict[frozenset[int], float] = {}
    for piece in range(len(pieces.area)):
        members = _grown(pieces, piece)
        found[members] = _merit(pieces, members, labels.size)
    best = sorted(found, key=lambda members: (-found[members], sorted(members)))[:FEW]
    chosen = best[min(int(pick * len(best)), len(best) - 1)]
    return np.isin(labels, list(chosen))


def _pieces(small: Linear, labels: Labels, inverse: Map) -> _Pieces:
    count = int(labels.max()) + 1
    flat = labels.ravel()
    area = np.bincount(flat, minlength=count).astype(np.float64)
    shown = cv2.cvtColor(np.minimum(np.power(small, np.float32(1 / 2.2)), 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    divisor = np.maximum(area, 1)
    colour = np.stack([np.bincount(flat, plane.ravel(), count) / divisor for plane in cv2.split(shown)], 1)
    border = np.zeros((count, count))
    for first, second in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        pairs = first.ravel() * np.int64(count) + second.ravel()
        border += np.bincount(pairs, minlength=count * count).reshape(count, count)
    border += border.T
    np.fill_diagonal(border, 0)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return _Pieces(area, colour, np.bincount(flat, inverse.ravel(), count) / divisor, border, np.bincount(rim, minlength=count).astype(np.float64))


def _grown(pieces: _Pieces, seed: int) -> frozenset[int]:
    """Return the pieces that belong with one: connected, of its colour and distance."""
    alike = np.linalg.norm(pieces.colour - pieces.colour[seed], axis=1) < SIMILAR
    alike &= np.abs(pieces.inverse - pieces.inverse[seed]) < SAME_DISTANCE
    members, front = {seed}, [seed]
    while front:
        for other in np.flatnonzero(alike & (pieces.border[front.pop()] > 0)).tolist():
            if other not in members:
                members.add(other)
                front.append(other)
    return frozenset(members)


def _merit(pieces: _Pieces, members: frozenset[int], total_px: int) -> float:
    """Return how well pieces look like a thing: contrast along their outline, compact, within the frame, near."""
    inside = np.zeros(len(pieces.area), bool)
    inside[list(members)] = True
    area = float(pieces.area[inside].sum())
    share = area / total_px
    outline = pieces.border[np.ix_(inside, ~inside)]
    length = float(outline.sum())
    rim = float(pieces.rim[inside].sum())
    if not length:
        return -2.0
    steps = np.linalg.norm(pieces.colour[inside][:, None] - pieces.colour[~inside][None], axis=2)
    contrast = float((outline * np.minimum(steps, 60.0)).sum()) / length
    compact = 4 * np.pi * area / (length + rim) ** 2
    near = float((pieces.area * pieces.inverse)[inside].sum()) / max(area, 1.0)
    merit = share**0.35 * contrast * (0.3 + min(compact, 1.0)) * (0.4 + near) * (1 - min(3 * rim / (length + rim), 0.95))
    return merit if LEAST_FRAC <= share <= MOST_FRAC else merit * 1e-3 - 1.0
