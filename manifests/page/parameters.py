"""Every parameter that was drawn for a task, as columns: for histograms, and for filters by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

MOST_ROWS = 20_000  # of one task; a histogram needs no more, and a person waits no longer

Values = dict[str, Any]


def flat(params: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single values of a record by path: `lens.burst.weight`, `passes[1].scale`; what is absent is left out."""
    if isinstance(params, dict):
        for name, value in params.items():
            yield from flat(value, f"{path}.{name}" if path else name)
    elif isinstance(params, list):
        for at, value in enumerate(params):
            yield from flat(value, f"{path}[{at}]")
    elif params is not None:
        yield path, params


def drawn(manifest: Path, task: str) -> Values:
    """Return the parameters of a task's own step.

    Seeds are left out; of a list (the hops of a chain, the passes of an upload) only the first counts.

    Args:
        manifest: the run's manifest.
        task: whose rows, and whose step in them.

    Returns:
        `rows`: row numbers in the manifest, at most MOST_ROWS, evenly spread, `of` so many; `numbers`, `words`: their values.
    """
    places, steps, of = _rows_of(manifest, task)
    numbers: dict[str, NDArray[np.float32]] = {}
    words: dict[str, list[str | None]] = defaultdict(lambda: [None] * len(places))
    for at, text in enumerate(steps):
        own = next((step for step in orjson.loads(text) if step["generator"] == task), None)
        for name, value in flat(own["params"] if own else None):
            if "seed" in name or ("[" in name and "[0]" not in name):
                continue
            if isinstance(value, (str, bool)):
                words[name][at] = str(value).lower() if isinstance(value, bool) else value
            else:
                if name not in numbers:
                    numbers[name] = np.full(len(places), np.nan, np.float32)
                numbers[name][at] = value
    return {"rows": places, "of": of, "numbers": dict(sorted(numbers.items())), "words": dict(sorted(words.items()))}


def _rows_of(manifest: Path, task: str) -> tuple[NDArray[np.int32], list[str], int]:
    """Return where a task's rows stand, their steps, and how many there are in all, reading only what is shown."""
    tasks = pc.equal(pq.read_table(manifest, columns=["task"], partitioning=None).column("task"), task).to_numpy()
    places = np.flatnonzero(tasks).astype(np.int32)
    of = len(places)
    if of > MOST_ROWS:
        places = places[np.linspace(0, of - 1, MOST_ROWS).astype(np.int64)]
    steps: list[str] = []
    begin = 0
    with pq.ParquetFile(manifest) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            here = places[np.searchsorted(places, begin) : np.searchsorted(places, end)]
            if len(here):
                steps += file.read_row_group(group, columns=["steps"]).column(0).take(pa.array(here - begin)).to_pylist()
            begin = end
    return places, steps, of
