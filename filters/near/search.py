"""The way from thumbnails to near copies: hashes propose, waves prove; nothing depends on an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.near import hamming, hashes, likeness
from filters.near.clusters import Clusters
from filters.near.thumbnails import Thumbnails

WHOLES = 1 << 13  # photos whose proposals are looked at together


class Proposed(NamedTuple):
    """Pairs whose hashes are near: a crop of `cropped[i]` may be `whole[j]`."""

    cropped: NDArray[np.intp]
    whole: NDArray[np.intp]
    number: NDArray[np.intp]  # of the hash that came nearest


def clusters(thumbnails: Thumbnails) -> Clusters:
    """Return which photos are near copies of one another, or of a third.

    Pairs that are linked already are not proven again: what is connected does not depend on it.
    """
    linked = Clusters(len(thumbnails))
    for proposed in propose(thumbnails, thumbnails):
        roots = linked.roots()
        fresh = np.flatnonzero(roots[proposed.cropped] != roots[proposed.whole])
        for part in np.array_split(fresh, -(-len(fresh) // likeness.BLOCK) or 1):
            pairs = Proposed(*(column[part] for column in proposed))
            roots = linked.roots()
            pairs = Proposed(*(column[roots[pairs.cropped] != roots[pairs.whole]] for column in pairs))
            like = likeness.likeness(thumbnails[pairs.cropped], thumbnails[pairs.whole], pairs.number)
            for at in np.flatnonzero(like >= likeness.LEAST):
                linked.link(int(pairs.cropped[at]), int(pairs.whole[at]))
    return linked


def matches(thumbnails: Thumbnails, guarded: Thumbnails) -> dict[int, tuple[int, float]]:
    """Return, for each photo that is a near copy of a guarded one, which it is most like, and how like (0.965 to 1).

    Either may be a crop of the other.
    """
    best: dict[int, tuple[int, float]] = {}
    for crop_is_ours in (True, False):
        sides = (guarded, thumbnails) if crop_is_ours else (thumbnails, guarded)
        for proposed in propose(*sides):
            like = likeness.likeness(sides[0][proposed.cropped], sides[1][proposed.whole], proposed.number)
            ours, theirs = (proposed.whole, proposed.cropped) if crop_is_ours else (proposed.cropped, proposed.whole)
            for at in np.flatnonzero(like >= likeness.LEAST):
                one, other, value = int(ours[at]), int(theirs[at]), float(like[at])
                held = best.get(one)
                if held is None or (value, -other) > (held[1], -held[0]):
                    best[one] = (other, value)
    return best


def propose(cropped: Thumbnails, whole: Thumbnails) -> Iterator[Proposed]:
    """Yield pairs whose hashes are near, each once, in parts; a photo is not paired with itself where both are one array."""
    speaking = np.flatnonzero(likeness.telling(whole))
    telling = np.flatnonzero(likeness.telling(cropped))
    table = hamming.Table(hashes.of_crops(cropped[telling]).ravel(), hashes.RADIUS)
    for at in range(0, len(speaking), WHOLES):
        asked = speaking[at : at + WHOLES]
        found = list(table.near(hashes.of_whole(whole[asked])))
        rows, queries, bits = (np.concatenate([part[column] for part in found] or [np.empty(0, np.intp)]) for column in range(3))
        which, number = rows // hashes.FRAMES, rows % hashes.FRAMES
        ours, theirs = telling[which], asked[queries]
        if cropped is whole:
            other = ours != theirs
            ours, theirs, number, bits = ours[other], theirs[other], number[other], bits[other]
        order = np.lexsort((number, bits, ours, theirs))
        ours, theirs, number = ours[order], theirs[order], number[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (ours[1:] != ours[:-1]) | (theirs[1:] != theirs[:-1])
        yield Proposed(ours[first], theirs[first], number[first])
