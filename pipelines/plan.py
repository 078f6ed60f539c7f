"""The verb `plan`: every pair of the run as a row, drawn from the index and the recipe (see `draw`) and committed.

A row group of the plan is a shard, a part is a file; what was refused before rendering stands in a file of its own.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from degrade.errors import RunError
from manifests import commit
from manifests.schema import PLAN
from pipelines import banks
from pipelines.draw import draw_rows
from pipelines.duplicates import meaning
from pipelines.real.draw import draw_rows as real_rows
from pipelines.run import Run, require
from pipelines.usable import Photo

SHARDS_PER_PART = 64  # a row group is a shard; a part is a file
_NAMES = PLAN.names
_REASON = _NAMES.index("reason")
_SHARD = _NAMES.index("shard")


def plan(run: Run) -> dict[str, Any]:
    """Write the plan of a run; answer its record: counts by task, stratum, split and reason, and the shards."""
    require(run.index, "index", run.folder)
    if not run.plan_record.exists():
        with without_collector():
            record = write(run, _rows(run))
        commit.write_json(run.plan_record, {**record, "fingerprint": run.fingerprint})
    return read_record(run)


def _rows(run: Run) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the plan: drawn, or what the gate lets through."""
    usable = meaning.joined(run, photos(run))
    return real_rows(run, usable) if run.recipe.real is not None else draw_rows(run.recipe, usable, banks.read(run))


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Hold the cycle collector off: rows are tuples of text and numbers by the million, and looking through them costs an eighth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_record(run: Run) -> dict[str, Any]:
    """Return what the plan committed."""
    require(run.plan_record, "plan", run.folder)
    record: dict[str, Any] = json.loads(run.plan_record.read_text(encoding="utf-8"))
    if record["fingerprint"] != run.fingerprint:
        raise RunError(f"{run.plan_record} belongs to another recipe than {run.folder / 'run.json'}: use a new --out")
    return record


def photos(run: Run) -> list[Photo]:
    """Return the usable photos of a run's index; raises RunError for one that did not look for copies."""
    if "cluster" not in pq.read_schema(run.index).names:
        raise RunError(f"{run.index} was written by an older Patina, which did not look for near copies: index again in a new --out")
    names = [*Photo._fields, "verdict"]
    table = commit.read_table(run.index, names)
    kept = table.filter(pa.compute.equal(table.column("verdict"), "keep"))
    return [Photo(*row) for row in zip(*(kept.column(name).to_pylist() for name in Photo._fields), strict=True)]


def write(run: Run, rows: Iterator[tuple[Any, ...]]) -> dict[str, Any]:
    """Write a plan in parts; answer its record.

    Args:
        run: whose plan it is.
        rows: of `draw.draw_rows`, in the order of `schema.PLAN`.
    """
    commit.clear_temporaries(run.folder / "plan")
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("task", "stratum", "split", "reason")}
    refused: list[tuple[Any, ...]] = []

    def rendered() -> Iterator[tuple[Any, ...]]:
        for row in rows:
            if row[_REASON] is None:
                for name in ("task", "stratum", "split"):
                    counts[name][str(row[_NAMES.index(name)])] += 1
                yield row
            else:
                counts["reason"][row[_REASON]] += 1
                refused.append(row)

    shards: list[list[str]] = []
    sizes: dict[str, int] = {}
    groups = itertools.groupby(rendered(), key=lambda row: row[_SHARD])
    for part in itertools.count():
        written = _write_part(run, part, itertools.islice(groups, SHARDS_PER_PART), sizes)
        if not written:
            break
        shards.append(written)
    commit.write_table(run.folder / "plan" / "refused.parquet", table_of(refused))
    planned = sum(sizes.values())
    hashes = [commit.sha256(run.plan_part(part).read_bytes()) for part in range(len(shards))]
    told = {name: dict(count) for name, count in counts.items()}
    return {"planned": planned, "refused": len(refused), "parts": shards, "sha256": hashes, "rows": sizes, "counts": told}


def _write_part(run: Run, part: int, groups: Any, sizes: dict[str, int]) -> list[str]:
    """Write up to SHARDS_PER_PART shards as the row groups of one file; answer their names."""
    names: list[str] = []
    first = next(groups, None)
    if first is None:
        return names
    with commit.atomic_file(run.plan_part(part)) as file, pq.ParquetWriter(file, PLAN, compression="zstd", write_page_checksum=True) as writer:
        for shard, group in itertools.chain([first], groups):
            table = table_of(list(group))
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            names.append(shard)
            sizes[shard] = table.num_rows
    return names


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Return plan rows as an Arrow table."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(_NAMES)
    return pa.Table.from_arrays([pa.array(column, field.type) for column, field in zip(columns, PLAN, strict=True)], schema=PLAN)


def shard_rows(run: Run, part: int, group: int) -> list[dict[str, Any]]:
    """Return the plan's rows of one shard."""
    with pq.ParquetFile(run.plan_part(part), page_checksum_verification=True) as file:
        rows: list[dict[str, Any]] = file.read_row_group(group).to_pylist()
    return rows
