"""The best candidate of a photo: one that people accepted, else the largest weighted sum of its scores; the others say by how much.

It is chosen last, so that a candidate that people reject makes room for the next.

The rows of a photo stand in one shard (`pipelines/real/draw.py`), so that nothing but the piece at hand is needed. A candidate
without one of the scores stands behind those that have them all; of equals the first by pair_id is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np
import pyarrow as pa

from degrade.errors import Reason
from manifests.page.columns import score
from pipelines.real.pages import RealRecipe
from pipelines.rejecting import kept, rejected

NAME = "best"  # in `decided_by`


def apply(table: pa.Table, real: RealRecipe | None, accepted: AbstractSet[str] = frozenset()) -> pa.Table:
    """Return rows with all but the best candidate of every photo refused.

    Args:
        table: rows after the limits and the reviews.
        real: the recipe's section; None, or one that keeps all, changes nothing.
        accepted: pairs that people accepted.
    """
    if real is None or real.keep_all or not real.best:
        return table
    sums = weighted(table, real.best)
    ids = table.column("pair_id").to_pylist()
    photos: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    names = zip(table.column("photo_sha256").to_pylist(), table.column("photo_frame").to_pylist(), kept(table).to_pylist(), strict=True)
    for row, (photo, frame, stands) in enumerate(names):
        if stands:
            photos[photo, frame].append(row)
    details: list[str | None] = [None] * len(ids)
    for rows in photos.values():
        first, *others = sorted(rows, key=lambda row: (ids[row] not in accepted, -sums[row], ids[row]))
        for row in others:
            chosen = "was accepted by people" if ids[first] in accepted else f"has {sums[first]:.4g}"
            details[row] = f"{sums[row]:.4g}; {ids[first]} {chosen}"
    out = pa.chunked_array([[detail is not None for detail in details]])
    return rejected(table, out, {"decided_by": NAME, "reason": str(Reason.NOT_THE_BEST), "detail": pa.chunked_array([details], pa.string())})


def weighted(table: pa.Table, weights: Mapping[str, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the weighted sum of every row's scores; -inf where one is missing."""
    total = np.zeros(table.num_rows)
    for name, weight in weights.items():
        values = score(table, name).to_numpy(zero_copy_only=False).astype(float)
        total += weight * values
    return np.where(np.isfinite(total), total, -np.inf)
