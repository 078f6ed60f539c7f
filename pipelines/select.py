"""The verb `select`: limits on numbers, and what reviewers said, applied to every committed row; no pixel, no model, as often as you like.

Writes `manifest.parquet`: all pairs of the run in the order of the plan, each with its verdict; and beside it the commit
record `manifest.json`: how many rows, and the hash of every Parquet file that they came from and went to.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from degrade.errors import Reason, RunError
from degrade.keys import nearest
from manifests import commit, shards
from manifests.page.reviews import ReviewLog
from manifests.schema import PAIR, PLAN
from pipelines import render, reviewed
from pipelines.run import Run


class Fallen(NamedTuple):
    """One line of the survival table: a limit, and the pairs it takes."""

    limit: str
    alone: int  # how many it would take if it were the only one
    in_order: int  # how many it took of those that earlier limits had left


def select(run: Run) -> list[Fallen]:
    """Write the manifest; answer the survival table."""
    alone: Counter[str] = Counter()
    in_order: Counter[str] = Counter()
    limits = run.recipe.select.limits
    standing = ReviewLog(run.folder).standing()
    hashes: dict[str, str] = {}
    with commit.atomic_file(run.manifest) as file, pq.ParquetWriter(file, PAIR, compression="zstd", write_page_checksum=True) as writer:
        for shard, table in render.committed_rows(run):
            hashes[shard] = commit.sha256(shards.rows_path(run.folder, shard).read_bytes())
            writer.write_table(reviewed.apply(_judged(table, limits, alone, in_order), standing))
        refused = commit.read_table(run.folder / "plan" / "refused.parquet")
        if refused.num_rows:
            writer.write_table(_refused(refused))
    told = {"rows": pq.read_metadata(run.manifest).num_rows, "sha256": commit.sha256(run.manifest.read_bytes()), "shards": hashes}
    commit.write_json(run.manifest_record, {**told, "fingerprint": run.fingerprint})
    return [Fallen(name, alone[name], in_order[name]) for name in limits]


def _judged(table: pa.Table, limits: dict[str, tuple[float, float]], alone: Counter[str], in_order: Counter[str]) -> pa.Table:
    """Return a shard's rows with the recipe's limits applied to those that rendering kept.

    Raises:
        RunError: a kept pair has no score of a limit's name.
    """
    for name, (low, high) in limits.items():
        value = pc.map_lookup(table.column("scores"), name, "first")
        kept = pc.equal(table.column("verdict"), "keep")
        if pc.any(pc.and_(kept, pc.is_null(value))).as_py():
            known = sorted({key for pairs in table.column("scores").to_pylist() for key, _ in pairs or []})
            raise RunError(f"`select.limits.{name}`: not every pair has this score; {nearest(name, known)}")
        below, above = pc.fill_null(pc.less(value, low), False), pc.fill_null(pc.greater(value, high), False)
        outside = pc.or_(below, above)
        falls = pc.and_(kept, outside)
        alone[name] += pc.sum(outside).as_py() or 0
        in_order[name] += pc.sum(falls).as_py() or 0
        detail = pc.binary_join_element_wise(name, pc.cast(value, pa.string()), f"outside [{low:g}, {high:g}]", " ")
        reason = pc.if_else(below, str(Reason.BELOW_LIMIT), str(Reason.ABOVE_LIMIT))
        for column, new in {"verdict": "reject", "decided_by": "select", "reason": reason, "detail": detail}.items():
            at = table.schema.get_field_index(column)
            old = pc.cast(table.column(column), pa.string())
            table = table.set_column(at, PAIR.field(column), pc.cast(pc.if_else(falls, new, old), PAIR.field(column).type))
    return table


def _refused(refused: pa.Table) -> pa.Table:
    """Return the rows that the plan refused, as rows of the manifest."""
    count = refused.num_rows
    constant: dict[str, Any] = {"verdict": "reject", "decided_by": "plan"}
    columns = [refused.column(field.name) if field.name in PLAN.names else pa.array([constant.get(field.name)] * count, field.type) for field in PAIR]
    return pa.Table.from_arrays(columns, schema=PAIR)


def manifest_counts(run: Run) -> dict[str, int]:
    """Return how many rows of the manifest ended how: the empty word stands for a kept pair."""
    table = commit.read_table(run.manifest, ["verdict", "reason"])
    reasons = pc.if_else(pc.equal(table.column("verdict"), "keep"), "", table.column("reason"))
    return dict(Counter(reason or "" for reason in reasons.to_pylist()))
