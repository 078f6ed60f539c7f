"""The verb `select`: limits on numbers, and what reviewers said, applied to every committed row; no pixel, no model, as often as you like.

Writes `manifest.parquet`: all pairs of the run in the order of the plan, each with its verdict and the numbers of every
scorer; and beside it the commit record `manifest.json`: how many rows, and the hash of every Parquet file that they came
from and went to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from degrade.errors import Reason, RunError
from degrade.keys import nearest
from filters import NAMES
from filters.limits import broken
from manifests import commit, scores, shards
from manifests.joined import Joined, joined
from manifests.limits import Limit, outside
from manifests.page import queue
from manifests.page.columns import score
from manifests.page.reviews import ReviewLog, outcome
from manifests.schema import PAIR, PLAN
from pipelines import plan, reviewed
from pipelines.real import best
from pipelines.rejecting import kept as standing_rows
from pipelines.rejecting import rejected
from pipelines.run import Run

SHARDS_AT_ONCE = 64


class Fallen(NamedTuple):
    """One line of the survival table: a limit, and the pairs it takes."""

    limit: str
    alone: int  # how many it would take if it were the only one
    in_order: int  # how many it took of those that earlier limits had left


class Tally(NamedTuple):
    """The survival table while it is counted."""

    alone: Counter[str]
    in_order: Counter[str]


def select(run: Run) -> list[Fallen]:
    """Write the manifest; answer the survival table.

    Raises:
        RunError: a limit names a number that is not there; says which verb gives it.
    """
    tally = Tally(Counter(), Counter())
    standing, needed = ReviewLog(run.folder).standing(), queue.read(run.folder).reviewers
    kept = scores.kept(run.folder, "pairs")
    _check(run, kept)
    hashes: dict[str, str] = {}
    accepted = {pair_id for pair_id, words in standing.items() if outcome(words, needed) == "accept"}
    with commit.atomic_file(run.manifest) as file, pq.ParquetWriter(file, PAIR, compression="zstd", write_page_checksum=True) as writer:
        for table, numbers in _pieces(run, kept, hashes):
            judged = reviewed.apply(_judged(table, numbers, run.recipe.select.limits, kept, tally), standing, needed)
            writer.write_table(best.apply(judged, run.recipe.real, accepted))
        refused = commit.read_table(run.folder / "plan" / "refused.parquet")
        if refused.num_rows:
            writer.write_table(_refused(refused))
    told = {"rows": pq.read_metadata(run.manifest).num_rows, "sha256": commit.sha256(run.manifest.read_bytes()), "shards": hashes}
    commit.write_json(run.manifest_record, {**told, "fingerprint": run.fingerprint})
    return [Fallen(name, tally.alone[name], tally.in_order[name]) for name in run.recipe.select.limits]


def _pieces(run: Run, kept: list[scores.Kept], hashes: dict[str, str]) -> Iterator[tuple[pa.Table, dict[str, pa.Table]]]:
    """Yield the rows of some shards, in the order of the plan, and their numbers by scorer; notes the hash of every shard."""
    done = set(shards.committed(run.folder))
    names = [shard for part in plan.read_record(run)["parts"] for shard in part if shard in done]
    for piece in range(0, len(names), SHARDS_AT_ONCE):
        part = names[piece : piece + SHARDS_AT_ONCE]
        place = f"{piece // SHARDS_AT_ONCE:05d}.parquet"
        paths = {shard: shards.rows_path(run.folder, shard) for shard in part}
        rows = joined(run.joined / "rows" / place, paths, lambda shard, data, paths=paths: commit.parse_table(data, paths[shard]))  # type: ignore[misc]  # default
        hashes |= rows.hashes
        yield rows.table, {scorer.name: _numbers(run, scorer, part, rows, run.joined / scorer.name / place) for scorer in kept}


def _numbers(run: Run, scorer: scores.Kept, part: list[str], rows: Joined, place: Path) -> pa.Table:
    """Return the numbers of some shards, row by row; nulls where a shard has yet to be scored, which only a limit on them makes an error."""
    paths = {shard: scores.shard_path(run.folder, scorer.name, scorer.on, shard) for shard in part}
    there = {shard: path for shard, path in paths.items() if path.exists()}
    asked = any(name.partition(".")[0] == scorer.name for name in run.recipe.select.limits)
    if asked and (missing := sorted(paths.keys() - there.keys())):
        told = f"run `patina score {run.folder} --only {scorer.name}`"
        raise RunError(f"shard {missing[0]} has no scores of `{scorer.name}`, which `select.limits` asks for: {told}")
    keys = rows.table.column("pair_id")
    if not there:
        return scores.nothing(scorer, len(keys))
    shard_of = pc.cast(rows.table.column("shard"), pa.string())

    def parse(shard: str, data: bytes) -> pa.Table:
        return scores.numbers(run.folder, scorer, shard, data, keys.filter(pc.equal(shard_of, shard)))

    found = joined(place, there, parse, beside=commit.fingerprint(rows.hashes))
    if len(found.table) == len(keys):
        return found.table
    return found.table.take(pc.index_in(keys, value_set=found.table.column(scores.KEY).combine_chunks()))


def _check(run: Run, kept: list[scores.Kept]) -> None:
    """Refuse a limit on a number that no scorer of this run gives; numbers that rendering notes are looked for in the rows."""
    known = {column for scorer in kept for column in scorer.columns()}
    for name in run.recipe.select.limits:
        scorer = name.partition(".")[0]
        if name in known or scorer not in NAMES:
            continue
        if scorer not in {found.name for found in kept}:
            raise RunError(f"`select.limits.{name}`: this run has no scores of `{scorer}`: run `patina score {run.folder} --only {scorer}`")
        raise RunError(f"`select.limits.{name}`: {nearest(name, known)}")


def _judged(table: pa.Table, numbers: dict[str, pa.Table], limits: Mapping[str, Limit], kept: list[scores.Kept], tally: Tally) -> pa.Table:
    """Return rows with all their numbers, and the limits applied to those that rendering kept."""
    columns = {f"{scorer.name}.{name}": numbers[scorer.name].column(name) for scorer in kept for name in scorer.measures}
    if columns:
        flat = {name: column.combine_chunks() for name, column in columns.items()}
        merged = scores.merge(table.column("scores").combine_chunks(), flat)
        table = table.set_column(PAIR.get_field_index("scores"), PAIR.field("scores"), pa.chunked_array([merged]).cast(PAIR.field("scores").type))
    for scorer in sorted({name.partition(".")[0] for name in limits if name in columns}):
        table = _unscored(table, scorer, numbers[scorer])
    for name, limit in limits.items():
        table = _limited(table, name, columns[name] if name in columns else _own(table, name), limit, tally)
    return table


def _own(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a number that rendering gave; raises RunError where a kept pair has none."""
    value = score(table, name)
    if pc.any(pc.and_(standing_rows(table), pc.is_null(value))).as_py():
        known = sorted({key for pairs in table.column("scores").to_pylist() for key, _ in pairs or []})
        raise RunError(f"`select.limits.{name}`: not every pair has this score; {nearest(name, known)}")
    return value


def _unscored(table: pa.Table, scorer: str, numbers: pa.Table) -> pa.Table:
    """Refuse kept pairs that a scorer could not open, for the reason that it wrote."""
    failed = pc.and_(standing_rows(table), pc.is_valid(numbers.column(scores.REASON)))
    if not pc.any(failed).as_py():
        return table
    detail = pc.binary_join_element_wise(f"{scorer}:", pc.fill_null(numbers.column(scores.DETAIL), ""), " ")
    return rejected(table, failed, {"decided_by": "score", "reason": numbers.column(scores.REASON), "detail": detail})


def _limited(table: pa.Table, name: str, value: pa.ChunkedArray, limit: Limit, tally: Tally) -> pa.Table:
    """Refuse kept pairs outside one limit, and count them."""
    taken = outside(value, table.column("task"), limit)
    out = pc.or_(taken.below, taken.above)
    falls = pc.and_(standing_rows(table), out)
    tally.alone[name] += pc.sum(out).as_py() or 0
    tally.in_order[name] += pc.sum(falls).as_py() or 0
    if not pc.any(falls).as_py():
        return table
    rows = pc.indices_nonzero(falls)
    numbers = (column.take(rows).to_pylist() for column in (value, taken.low, taken.high))
    told = dict(zip(rows.to_pylist(), (broken(name, number, (low, high)) for number, low, high in zip(*numbers, strict=True)), strict=True))
    detail = pa.array([told.get(row) for row in range(table.num_rows)], pa.string())
    reason = pc.if_else(taken.below, str(Reason.BELOW_LIMIT), str(Reason.ABOVE_LIMIT))
    return rejected(table, falls, {"decided_by": "select", "reason": reason, "detail": detail})


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
