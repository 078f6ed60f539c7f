"""The way from thumbnails to near copies: hashes propose, waves prove; nothing depends on an order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.near import hamming, hashes, likeness
from filters.near.clusters import Clusters
from filters.near.thumbnails import Thumbnails

IN_TABLE = 1 << 16  # photos whose hashes are held at once: half a gigabyte
TOGETHER = 1 << 12  # pairs that are proven before those that follow are looked at again


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
    for proposed in propose(thumbnails, thumbnails, linked):
        fresh = _apart(linked, proposed)
        ours, theirs, number = (column[fresh] for column in proposed)
        like = likeness.likeness(thumbnails[ours], thumbnails[theirs], number)
        for one, other in zip(ours[like >= likeness.LEAST], theirs[like >= likeness.LEAST], strict=True):
            linked.link(int(one), int(other))
    return linked


def matches(thumbnails: Thumbnails, guarded: Thumbnails) -> dict[int, tuple[int, float]]:
    """Return, for each photo that is a near copy of a guarded one, which it is most like, and how like (`likeness.LEAST` to 1).

    Either may be a crop of the other.
    """
    best: dict[int, tuple[int, float]] = {}
    for ours, theirs, like in itertools.chain(_proven(thumbnails, guarded), ((whole, part, like) for part, whole, like in _proven(guarded, thumbnails))):
        held = best.get(ours)
        if held is None or (like, -theirs) > (held[1], -held[0]):
            best[ours] = (theirs, like)
    return best


def _proven(cropped: Thumbnails, whole: Thumbnails) -> Iterator[tuple[int, int, float]]:
    """Yield (i, j, likeness) where a crop of `cropped[i]` is `whole[j]`."""
    for pairs in propose(cropped, whole):
        like = likeness.likeness(cropped[pairs.cropped], whole[pairs.whole], pairs.number)
        for at in np.flatnonzero(like >= likeness.LEAST):
            yield int(pairs.cropped[at]), int(pairs.whole[at]), float(like[at])


def propose(cropped: Thumbnails, whole: Thumbnails, linked: Clusters | None = None) -> Iterator[Proposed]:
    """Yield pairs whose hashes are near, each once, TOGETHER at most at a time; where both are one array, also each photo and itself.

    Args:
        cropped: photos of which a part may be another one.
        whole: the other ones.
        linked: pairs that are in one cluster by the time at which hits become pairs are left out.
    """
    telling = np.flatnonzero(likeness.telling(cropped))
    asked = telling if cropped is whole else np.flatnonzero(likeness.telling(whole))
    questions = hashes.of_whole(whole[asked])
    for begin in range(0, len(telling), IN_TABLE):
        held = telling[begin : begin + IN_TABLE]
        table = hamming.Table(hashes.of_crops(cropped[held]).ravel(), hashes.RADIUS)
        for part in table.cut(questions):
            rows, queries, bits = table.near(questions[part])
            hits = Proposed(held[rows // hashes.FRAMES], asked[part][queries], rows % hashes.FRAMES)
            if linked is not None:
                fresh = _apart(linked, hits)
                hits, bits = Proposed(*(column[fresh] for column in hits)), bits[fresh]
            nearest = _nearest(hits, bits)
            for at in range(0, len(nearest.whole), TOGETHER):
                yield Proposed(*(column[at : at + TOGETHER] for column in nearest))


def _apart(linked: Clusters, pairs: Proposed) -> NDArray[np.bool_]:
    """Return which pairs are not in one cluster."""
    roots = linked.roots()
    apart: NDArray[np.bool_] = roots[pairs.cropped] != roots[pairs.whole]
    return apart


def _nearest(pairs: Proposed, bits: NDArray[np.uint8]) -> Proposed:
    """Return each pair once, at the hash that is nearest."""
    order = np.lexsort((pairs.number, bits, pairs.cropped, pairs.whole))
    cropped, whole, number = (column[order] for column in pairs)
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(cropped) != 0) | (np.diff(whole) != 0)
    return Proposed(cropped[first], whole[first], number[first])
