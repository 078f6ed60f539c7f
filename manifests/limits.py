"""Limits over whole columns: which rows lie below, and which above. The same answers as `filters.limits.decide`, in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

Limit = Mapping[str, tuple[float, float]]  # [lowest, highest] by task; `default` for the others
EVERY = "default"


class Outside(NamedTuple):
    """Boolean columns; a row without the number, or of a task without a limit, is in neither."""

    below: pa.ChunkedArray
    above: pa.ChunkedArray
    low: pa.ChunkedArray  # the row's own limit
    high: pa.ChunkedArray


def outside(value: pa.ChunkedArray, tasks: pa.ChunkedArray, limit: Limit) -> Outside:
    """Return the rows that a limit takes.

    Args:
        value: the number, by row; null where there is none.
        tasks: of the rows.
        limit: for these tasks.
    """
    named = [task for task in limit if task != EVERY]
    ends = [limit[task] for task in named] + [limit.get(EVERY)]
    place = pc.fill_null(pc.index_in(pc.cast(tasks, pa.string()), value_set=pa.array(named, pa.string())), len(named))
    low, high = (pc.take(pa.array([end[at] if end else None for end in ends], pa.float64()), place) for at in (0, 1))
    return Outside(pc.fill_null(pc.less(value, low), False), pc.fill_null(pc.greater(value, high), False), low, high)
