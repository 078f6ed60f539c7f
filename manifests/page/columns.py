"""The light columns of a manifest, as the page filters, sorts and counts them: a few bytes for a pair.

The browser holds them all (100,000 pairs are about 6 MB over the loopback) and answers every drag of a histogram itself;
the same file of JavaScript then serves the page that opens from disk. What is heavy comes later: scores one by one, see
`scored`, steps one pair at a time, see `row`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.commit import read_table

WORDS = ("task", "origin", "split", "verdict", "reason", "decided_by", "unit", "photo_uri", "detail")
NUMBERS = ("stratum", "width", "height")
_COLUMNS = ["pair_id", *WORDS, *NUMBERS, "severity", "extra", "clean_length"]


def light(manifest: Path) -> pa.Table:
    """Read the columns that the page needs of every pair."""
    return read_table(manifest, _COLUMNS)


def packed(table: pa.Table, chosen: Any = None) -> dict[str, Any]:
    """Return the columns as JSON values; numpy arrays stand for lists of numbers, NaN for a number that is not there.

    Args:
        table: what `light` returned.
        chosen: row numbers to take, in this order; default all.

    Returns:
        `rows`, `pair_id`, `words` {name: {values, codes}} (code -1 where there is none), `numbers` {name: numbers},
        `pictures` (1 where there is something to see). A number alone stands for all rows.
    """
    if chosen is not None:
        table = table.take(pa.array(chosen, pa.int64()))
    words = {name: _coded(table.column(name)) for name in WORDS}
    words["extra"] = _coded(_told(table.column("extra")))
    return {
        "rows": table.num_rows,
        "pair_id": table.column("pair_id").to_pylist(),
        "words": words,
        "numbers": {**{name: _numbers(table.column(name)) for name in NUMBERS}, "severity": _numbers(table.column("severity"))},
        "pictures": _short(pc.is_valid(table.column("clean_length")).to_numpy().astype(np.uint8)),
    }


def score_names(table: pa.Table) -> list[str]:
    """Return the names of all scores that any pair has, sorted; of a table with its scores."""
    keys: set[str] = set()
    for chunk in table.column("scores").chunks:
        keys.update(pc.unique(chunk.keys).to_pylist())
    return sorted(keys)


def score(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return one score of every pair."""
    return pc.map_lookup(table.column("scores"), name, "first")


def _coded(column: pa.ChunkedArray) -> dict[str, Any]:
    """Return a column of words as its values and a code for each row."""
    column = pc.cast(column, pa.string()).combine_chunks()
    coded = column.dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    return {"values": coded.dictionary.to_pylist(), "codes": _short(codes)}


def _numbers(column: pa.ChunkedArray) -> Any:
    return _short(pc.cast(column, pa.float32()).to_numpy())


def _short(values: NDArray[Any]) -> Any:
    """Return a column whose rows are all equal as one number."""
    return values[0] if len(values) and (values == values[0]).all() else values


def _told(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return what came with the photos (licence, source...) as text to search in."""
    chunks = []
    for chunk in column.chunks:
        pairs = pc.binary_join_element_wise(chunk.keys, pc.fill_null(chunk.items, ""), ": ")
        lists = pa.ListArray.from_arrays(chunk.offsets, pairs)
        chunks.append(pc.if_else(pc.greater(pc.list_value_length(lists), 0), pc.binary_join(lists, "; "), pa.scalar(None, pa.string())))
    return pa.chunked_array(chunks, pa.string())
