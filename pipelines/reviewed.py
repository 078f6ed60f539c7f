"""People's decisions over numbers: a pair that reviewers rejected is refused, one that a limit took and they accepted is kept."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import Reason
from manifests.page.reviews import Words, outcome
from manifests.schema import PAIR

NAME = "review"  # in `decided_by`


def apply(table: pa.Table, standing: Mapping[str, Words], needed: int = 1) -> pa.Table:
    """Return a shard's rows with the standing words of reviewers applied.

    Args:
        table: rows after the limits.
        standing: the last words on pairs, by pair.
        needed: how many accepts and rejects decide a pair; where there are fewer, the limits' verdict stands.
    """
    ended = {pair_id: word for pair_id, words in standing.items() if (word := outcome(words, needed))}
    told = [pair_id for pair_id in table.column("pair_id").to_pylist() if pair_id in ended] if ended else []
    if not told:
        return table
    place = pc.index_in(table.column("pair_id"), value_set=pa.array(told, pa.string()))
    said = pc.take(pa.array([ended[pair_id] for pair_id in told], pa.string()), place)
    story = pc.take(pa.array(["; ".join(word.story for _, word in sorted(standing[pair_id].items())) for pair_id in told], pa.string()), place)
    kept = pc.equal(table.column("verdict"), "keep")
    taken_by_limit = pc.equal(pc.cast(table.column("decided_by"), pa.string()), "select")
    out = pc.fill_null(pc.and_(pc.equal(said, "reject"), kept), False)
    back = pc.fill_null(pc.and_(pc.equal(said, "accept"), taken_by_limit), False)
    changed = pc.or_(out, back)
    nothing = pa.scalar(None, pa.string())
    new = {
        "verdict": pc.if_else(out, "reject", "keep"),
        "decided_by": NAME,
        "reason": pc.if_else(out, pa.scalar(str(Reason.REVIEWED_OUT)), nothing),
        "detail": story,
    }
    for column, value in new.items():
        at = table.schema.get_field_index(column)
        old = pc.cast(table.column(column), pa.string())
        table = table.set_column(at, PAIR.field(column), pc.cast(pc.if_else(changed, value, old), PAIR.field(column).type))
    return table
