"""The plans, lists and indices of several runs, written as those of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests import commit
from manifests.schema import BANK, INDEX, LISTING, PLAN
from pipelines import plan
from pipelines.run import Run


class Member(NamedTuple):
    """One of the runs that are joined."""

    name: str  # in names of shards
    run: Run
    manifest_sha256: str


def shard_name(member: str, shard: str) -> str:
    """Return the name of a run's shard in a joined run."""
    split, _, rest = shard.partition("-")
    return f"{split}-{member}-{rest}"


def renamed(table: pa.Table, member: str) -> pa.Table:
    """Return rows with the shards' new names."""
    at = table.schema.get_field_index("shard")
    old = pc.cast(table.column(at), pa.string()).to_pylist()
    names = {shard: shard_name(member, shard) if shard else shard for shard in set(old)}
    new = pa.chunked_array([[names[shard] for shard in old]], pa.string())
    return table.set_column(at, table.schema.field(at), new.cast(table.schema.field(at).type))


def write_plan(run: Run, members: Sequence[Member]) -> None:
    """Write the runs' plans as one."""
    if run.plan_record.exists():
        return
    parts: list[list[str]] = []
    sizes: dict[str, int] = {}
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("task", "stratum", "split", "reason")}
    refused: list[pa.Table] = []
    for member in members:
        record = plan.read_record(member.run)
        for part, names in enumerate(record["parts"]):
            _plan_part(run, len(parts), member, part)
            parts.append([shard_name(member.name, shard) for shard in names])
        sizes |= {shard_name(member.name, shard): rows for shard, rows in record["rows"].items()}
        for name, told in record["counts"].items():
            counts[name].update(told)
        refused.append(_own_ids(commit.read_table(member.run.folder / "plan" / "refused.parquet").select(PLAN.names), member.name))
    gone = pa.concat_tables([table.cast(PLAN) for table in refused])
    commit.write_table(run.folder / "plan" / "refused.parquet", gone)
    hashes = [commit.sha256(run.plan_part(part).read_bytes()) for part in range(len(parts))]
    told_counts = {name: dict(count) for name, count in counts.items()}
    whole = {"planned": sum(sizes.values()), "refused": gone.num_rows, "parts": parts, "sha256": hashes, "rows": sizes, "counts": told_counts}
    commit.write_json(run.plan_record, {**whole, "fingerprint": run.fingerprint})


def _own_ids(refused: pa.Table, member: str) -> pa.Table:
    """Return refused rows under ids of their own: two runs may have refused one photo under one id, and no picture bears it."""
    ids = [commit.short_hash(f"{member} {pair_id}") for pair_id in refused.column("pair_id").to_pylist()]
    return refused.set_column(refused.schema.get_field_index("pair_id"), "pair_id", pa.array(ids, pa.string()))


def _plan_part(run: Run, number: int, member: Member, part: int) -> None:
    """Write one part of a run's plan; a row group stays a shard."""
    with (
        pq.ParquetFile(member.run.plan_part(part), page_checksum_verification=True) as old,
        commit.atomic_file(run.plan_part(number)) as file,
        pq.ParquetWriter(file, PLAN, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in range(old.num_row_groups):
            table = renamed(old.read_row_group(group).cast(PLAN), member.name)
            writer.write_table(table, row_group_size=max(table.num_rows, 1))


def write_tables(run: Run, members: Sequence[Member]) -> None:
    """Write the runs' lists, indices and banks as one: the books and the card read them."""
    for path, schema in ((run.listing, LISTING), (run.index, INDEX), (run.banks, BANK)):
        there = [place for member in members if (place := member.run.folder / path.name).exists()]
        if there:
            commit.write_table(path, pa.concat_tables([_shaped(commit.read_table(place), schema) for place in there]), {"fingerprint": run.fingerprint})


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with just these columns, null where an older Patina wrote none."""
    columns = [table.column(field.name).cast(field.type) if field.name in table.schema.names else pa.nulls(table.num_rows, field.type) for field in schema]
    return pa.table(columns, schema=schema)
