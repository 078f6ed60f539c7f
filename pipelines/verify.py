"""The verb `verify`: the whole run against its plan, its books and its bytes."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any, NamedTuple

from degrade.errors import CorruptRun
from manifests import shards, verify
from manifests.commit import read_table, sha256
from manifests.shards import rows_path
from manifests.verify import Expected, Fault
from pipelines import plan
from pipelines.progress import Meter
from pipelines.run import Run


class Proof(NamedTuple):
    """What was looked at, and what was found."""

    shards: int
    pairs: int
    megabytes: float
    seconds: float
    faults: list[Fault]
    pending: int  # planned shards that are not committed yet


def prove(run: Run) -> Proof:
    """Check every committed shard of a run, its plan, its manifest, and that nothing else lies among them."""
    begin = time.monotonic()
    record = plan.read_record(run)
    planned = [(part, group, shard) for part, names in enumerate(record["parts"]) for group, shard in enumerate(names)]
    done = set(shards.committed(run.folder))
    faults = _plan(run, record)
    if faults:
        return Proof(0, 0, 0.0, time.monotonic() - begin, faults, len(planned))
    faults += list(verify.strangers(run.folder, (shard for _, _, shard in planned)))
    pairs, length = 0, 0
    with Meter("verify", len(done), unit="shards") as meter:
        for part, group, shard in planned:
            if shard not in done:
                continue
            rows = plan.shard_rows(run, part, group)
            faults += verify.verify_shard(run.folder, Expected(shard, rows), run.fingerprint)
            pairs += len(rows)
            tar = shards.tar_path(run.folder, shard)
            length += tar.stat().st_size if tar.exists() else 0
            meter.add(1, {})
    if run.manifest.exists():
        faults += _manifest(run, done)
    return Proof(len(done), pairs, length / 1e6, time.monotonic() - begin, faults, len(planned) - len(done))


def _plan(run: Run, record: dict[str, Any]) -> list[Fault]:
    """Return the parts of the plan that are not what was committed."""
    parts = [run.plan_part(part) for part in range(len(record["parts"]))]
    return [
        Fault(f"plan/{path.name}", "is missing" if not path.exists() else "has other bytes than were committed")
        for path, known in zip(parts, record["sha256"], strict=True)
        if not path.exists() or sha256(path.read_bytes()) != known
    ]


def _manifest(run: Run, done: set[str]) -> list[Fault]:
    """Return how the manifest differs from its commit record, and from the shards that it was selected from."""
    record: dict[str, Any] = json.loads(run.manifest_record.read_text(encoding="utf-8")) if run.manifest_record.exists() else {}
    if record.get("sha256") != sha256(run.manifest.read_bytes()):
        return [Fault(run.manifest.name, "has other bytes than were committed; run `patina select` again")]
    changed = [shard for shard in sorted(done) if record["shards"].get(shard) not in {None, sha256(rows_path(run.folder, shard).read_bytes())}]
    return [Fault(f"{shard}.parquet", "has other bytes than when the manifest was made") for shard in changed] or _same_rows(run, done)


def _same_rows(run: Run, done: set[str]) -> list[Fault]:
    """Return the rows that the manifest and the shards tell differently."""
    columns = ["pair_id", "shard", "clean_sha256", "degraded_sha256", "clean_offset", "degraded_offset"]
    try:
        rows: list[dict[str, Any]] = [row for row in read_table(run.manifest, columns).to_pylist() if row["shard"]]
    except CorruptRun as error:
        return [Fault(run.manifest.name, str(error))]
    told = Counter(tuple(row.values()) for row in rows)
    stored: Counter[tuple[Any, ...]] = Counter()
    for shard in sorted(done):
        try:
            stored.update(tuple(row.values()) for row in read_table(shards.rows_path(run.folder, shard), columns).to_pylist())
        except CorruptRun:
            continue  # named already, with its shard
    differ = [*(told - stored), *(stored - told)]
    return [Fault(f"{run.manifest.name} {row[0]}", "differs from its shard; run `patina select` again") for row in sorted(set(differ), key=str)]
