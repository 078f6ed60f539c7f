"""Which photos are copies of one another, and what follows: who stays, what belongs together, what must never be trained on.

Three kinds of copies. *Exact*: the same bytes, by sha256. *Near*: encoded again, resized, cropped by up to 8 % at any
side, brighter or paler; found by hashes of 64 crops and proven by waves, from a thumbnail in the index, without opening a
photo again (`filters/near`). *Semantic*: one scene seen twice, by the vectors of a network, where a recipe asks for it.

Copies in two splits make a test that has seen its answers; so whatever is linked, directly or through others, is one
family and goes into one split, drawn by its smallest sha256: a function of the photos, not of their order. A benchmark's
image among the photos is worse, and refused.

Not found as near: mirrored and turned copies, two crops that overlap while the whole photo is not there, collages, fine
regular texture whose period is that of the thumbnail (brick walls), and pictures that are nothing but a gradient.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from filters.near.clusters import Clusters


class Standing(NamedTuple):
    """What decides which of several copies stays."""

    pixels: int  # width * height
    jpeg_quality: float  # 100 where there was no JPEG
    sha256: str


def best(copies: Sequence[Standing]) -> int:
    """Return which of near copies stays: the largest, then the least compressed, then that of the smallest hash."""
    return min(range(len(copies)), key=lambda at: (-copies[at].pixels, -copies[at].jpeg_quality, copies[at].sha256))


def families(hashes: Sequence[str], groups: Sequence[str], linked: Clusters) -> list[str | None]:
    """Return, for each photo, the name of its family: the smallest sha256 in it.

    Args:
        hashes: sha256 of each photo.
        groups: what each is kept together with already: its group, or its own sha256.
        linked: copies; photos of one group are linked here too.

    Returns:
        None for a photo whose family is nothing but its group: that keeps its own name.
    """
    members: defaultdict[str, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        members[group].append(at)
    linked.link_all(members.values())
    roots = linked.roots().tolist()
    names: dict[int, str] = {}
    within: defaultdict[int, set[str]] = defaultdict(set)
    for root, sha256, group in zip(roots, hashes, groups, strict=True):
        names[root] = min(names.get(root, sha256), sha256)
        within[root].add(group)
    return [names[root] if len(within[root]) > 1 else None for root in roots]
