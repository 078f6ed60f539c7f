"""What becomes of copies in an index: rows are refused or given a family, as a pure function of rows, recipe and guard list.

In order: the same bytes, images of the guard list, near copies. A row that was refused before for what it is takes no
part. Refused copies still tell what belongs together: a photo that came twice, in two groups, holds both in one split.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from degrade.errors import Reason
from filters.duplicates import Standing, best, families
from filters.near import search
from filters.near.clusters import Clusters
from filters.near.thumbnails import stack
from pipelines.duplicates.pages import DuplicatesRecipe

Row = dict[str, Any]


def settle(rows: list[Row], page: DuplicatesRecipe, guarded: list[Row]) -> None:
    """Refuse copies and name families, in place.

    Args:
        rows: of the index, sorted by uri.
        page: the recipe's.
        guarded: rows of the guard list, see `benchmarks.index`.
    """
    usable = [row for row in rows if row["verdict"] == "keep"]
    first: dict[str, Row] = {}
    for row in usable:
        kept = first.setdefault(row["sha256"], row)
        if kept is not row:
            _refuse(row, Reason.DUPLICATE, f"the same bytes as {kept['uri']}")
    _refuse_guarded([row for row in usable if row["verdict"] == "keep"], guarded)
    _gather(usable, first, page)


def _refuse(row: Row, reason: Reason, detail: str) -> None:
    row |= {"verdict": "reject", "reason": str(reason), "detail": detail}


def _refuse_guarded(rows: list[Row], guarded: list[Row]) -> None:
    """Refuse the images of the guard list, and photos that look like one."""
    if not guarded or not rows:
        return
    known = {row["sha256"]: row["uri"] for row in reversed(guarded)}
    alike = search.matches(stack([row["thumbnail"] for row in rows]), stack([row["thumbnail"] for row in guarded]))
    for at, row in enumerate(rows):
        if row["sha256"] in known:
            _refuse(row, Reason.BENCHMARK, f"the same bytes as {known[row['sha256']]} of the guard list")
        elif at in alike:
            which, likeness = alike[at]
            _refuse(row, Reason.BENCHMARK, f"looks like {guarded[which]['uri']} of the guard list (likeness {likeness:.3f})")


def _gather(usable: list[Row], first: dict[str, Row], page: DuplicatesRecipe) -> None:
    """Name families of copies; refuse all but the best of near ones, where the recipe says so."""
    single = [row for row in first.values() if row["verdict"] == "keep"]
    if not single:
        return
    linked = search.clusters(stack([row["thumbnail"] for row in single]))
    place = {row["sha256"]: at for at, row in enumerate(single)}
    again = [row for row in usable if row["sha256"] in place]  # and the copies of the same bytes
    everyone = Clusters(len(again))
    seats = [place[row["sha256"]] for row in again]
    roots = linked.roots().tolist()
    everyone.link_all(_alike([roots[seat] for seat in seats]))
    hashes = [row["sha256"] for row in again]
    for row, family in zip(again, families(hashes, [group_of(row) for row in again], everyone), strict=True):
        row["cluster"] = family
    if page.near == "refuse":
        for copies in _alike(roots):
            _refuse_all_but_one([single[at] for at in copies if single[at]["kind"] == "photo"])


def _alike(roots: list[int]) -> list[list[int]]:
    """Return the places that have the same root, for each root."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for at, root in enumerate(roots):
        places[root].append(at)
    return list(places.values())


def _refuse_all_but_one(copies: list[Row]) -> None:
    if len(copies) > 1:
        kept = copies[best([_standing(row) for row in copies])]
        for row in copies:
            if row is not kept:
                _refuse(row, Reason.DUPLICATE, f"a near copy of {kept['uri']}, which is {kept['width']}x{kept['height']}")


def _standing(row: Row) -> Standing:
    return Standing(row["width"] * row["height"], dict(row["measures"]).get("jpeg_quality", 100.0), row["sha256"])


def group_of(row: Row) -> str:
    """Return what a row is kept together with, copies aside."""
    return dict(row["extra"] or ()).get("group") or str(row["sha256"])
