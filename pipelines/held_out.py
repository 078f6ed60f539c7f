"""Splits that never leak, over several runs: whatever holds one photo, one group or copies of one picture stays in one split.

Runs split their photos each for itself. Over all of them, photos are one family when they have the same bytes, the same group,
when a run kept them together as copies, or when they look like copies across runs (`filters/near`, from the thumbnails of the
indices). A family that several splits hold belongs to the one that is farthest from training, `test` before `val` before any
other before `train`: a pair in another split is refused, for moving it would make the test another one. A second photo (of
a reflection) counts as the first does: its light is in the pair as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from filters.near import search
from filters.near.clusters import Clusters
from filters.near.thumbnails import stack

FARTHEST = ("test", "val")  # from training; then any other by name, `train` last
_COLUMNS = ["sha256", "extra", "cluster", "thumbnail"]


class Moved(NamedTuple):
    """Why a pair cannot stay."""

    split: str  # where its family belongs
    run: str  # a run that holds it there
    photo: str  # sha256


def families(indices: Mapping[str, pa.Table]) -> dict[str, str]:
    """Return the family of every photo of some runs, by sha256: the smallest sha256 in it.

    Args:
        indices: by run; groups are told apart by name alone, so that one name is one group in all runs.
    """
    place: dict[str, int] = {}
    kept_together: dict[tuple[str, str, str], list[int]] = {}
    thumbnails: dict[int, bytes] = {}
    for run, index in indices.items():
        table = index.select(_COLUMNS).filter(pc.is_valid(index.column("sha256")))
        for row in table.to_pylist():
            at = place.setdefault(row["sha256"], len(place))
            if row["thumbnail"]:
                thumbnails.setdefault(at, row["thumbnail"])
            group = dict(row["extra"] or ()).get("group")
            for key in ([("group", "", group)] if group else []) + ([("cluster", run, row["cluster"])] if row["cluster"] else []):
                kept_together.setdefault(key, []).append(at)
    linked = Clusters(len(place))
    linked.link_all(kept_together.values())
    if thumbnails:
        seats = list(thumbnails)
        alike: dict[int, list[int]] = {}
        for seat, root in zip(seats, search.clusters(stack(list(thumbnails.values()))).roots().tolist(), strict=True):
            alike.setdefault(root, []).append(seat)
        linked.link_all(alike.values())
    roots = linked.roots().tolist()
    names: dict[int, str] = {}
    for sha256, root in zip(place, roots, strict=True):
        names[root] = min(names.get(root, sha256), sha256)
    return {sha256: names[root] for sha256, root in zip(place, roots, strict=True)}


def photos_of(table: pa.Table) -> list[list[str]]:
    """Return the photos of every row, its own first, then a second one; images of banks belong to no split."""
    others = table.column("others").to_pylist()
    own = table.column("photo_sha256").to_pylist()
    return [[sha256, *_second(told)] for sha256, told in zip(own, others, strict=True)]


def _second(others: str | None) -> list[str]:
    found: list[dict[str, Any]] = orjson.loads(others) if others and "partner" in others else []
    return [other["sha256"] for other in found if other["role"] == "partner"]


class Homes:
    """Where every family belongs.

    Args:
        family_of: from `families`; a photo that no index holds is a family of its own.
    """

    def __init__(self, family_of: Mapping[str, str]) -> None:
        self._family_of = family_of
        self._homes: dict[str, tuple[str, str]] = {}  # family -> split, run

    def add(self, run: str, splits: Iterable[str], photos: Sequence[Sequence[str]]) -> None:
        """Take the rows of a run into account: all that were planned, so that no verdict moves a photo."""
        for split, shown in zip(splits, photos, strict=True):
            for sha256 in shown:
                family = self._family_of.get(sha256, sha256)
                home = self._homes.get(family)
                if home is None or distance(split) < distance(home[0]):
                    self._homes[family] = (split, run)

    def moved(self, split: str, photos: Sequence[str]) -> Moved | None:
        """Return why a pair of a split cannot stay there; None where it can."""
        for sha256 in photos:
            home, run = self._homes[self._family_of.get(sha256, sha256)]
            if home != split:
                return Moved(home, run, sha256)
        return None


def distance(split: str) -> tuple[int, str]:
    """Return what splits are ordered by: the farthest from training first."""
    return (FARTHEST.index(split) if split in FARTHEST else len(FARTHEST) + (split == "train"), split)
