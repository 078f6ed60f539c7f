"""Refuses rows of a manifest in bulk: who decided, the reason, and what was seen."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from manifests.schema import PAIR


def rejected(table: pa.Table, rows: pa.ChunkedArray, told: dict[str, Any]) -> pa.Table:
    """Return the table with some rows refused.

    Args:
        table: rows of a manifest.
        rows: which, as booleans.
        told: `decided_by`, `reason`, `detail`: a text for all of them, or a column.
    """
    for column, new in {"verdict": "reject", **told}.items():
        at = table.schema.get_field_index(column)
        old = pc.cast(table.column(column), pa.string())
        table = table.set_column(at, PAIR.field(column), pc.cast(pc.if_else(rows, new, old), PAIR.field(column).type))
    return table


def kept(table: pa.Table) -> pa.ChunkedArray:
    """Return which rows are kept so far."""
    return pc.equal(pc.cast(table.column("verdict"), pa.string()), "keep")
