"""Scores beside the rows: one Parquet per scorer and shard, whose existence is the commit, and a column per measure.

    scores/SCORER.ON.json            what made the numbers: version, settings, maker, and their fingerprint; the columns
    scores/SCORER.ON/SHARD.parquet   key, a float64 column per measure, vectors, texts; unscored_reason and _detail where there is no score

ON is `pairs` (a shard is one of the run's) or `photos` (a part of the index). Numbers never move into the shards: a shard
is what was rendered, and stays as it was; `select` joins them when it writes the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import CorruptRun
from manifests import commit

FOLDER = "scores"
KEY, REASON, DETAIL = "key", "unscored_reason", "unscored_detail"  # no measure is called so
HALF = pa.list_(pa.float16())
FIXED = (KEY, REASON, DETAIL, "vectors", "texts")


class Kept(NamedTuple):
    """The numbers of one scorer, and what made them."""

    name: str  # of the scorer
    on: str  # pairs | photos
    identity: Mapping[str, Any]  # version, settings, maker, fingerprint
    measures: tuple[str, ...]

    def columns(self) -> list[str]:
        """Return the names of its numbers in a manifest."""
        return [f"{self.name}.{measure}" for measure in self.measures]


def identity_path(run: Path, name: str, on: str) -> Path:
    """Return where it is written what made the numbers of a scorer."""
    return run / FOLDER / f"{name}.{on}.json"


def shard_path(run: Path, name: str, on: str, shard: str) -> Path:
    """Return where the scores of a shard are; it is scored if and only if this file exists."""
    return run / FOLDER / f"{name}.{on}" / f"{shard}.parquet"


def kept(run: Path, on: str) -> list[Kept]:
    """Return the scorers whose numbers a run holds, by name."""
    found = []
    for path in sorted((run / FOLDER).glob(f"*.{on}.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        found.append(Kept(path.name.removesuffix(f".{on}.json"), on, told, tuple(told["measures"])))
    return found


def write(path: Path, rows: Sequence[Mapping[str, Any]], measures: Sequence[str], notes: Mapping[str, Any]) -> None:
    """Commit the scores of a shard.

    Args:
        path: from `shard_path`.
        rows: `key` and either `numbers`, `vectors` and `texts`, or `reason` and `detail`.
        measures: every number that the scorer may give; what it gave none of is null.
        notes: `fingerprint` of the scorer and `source`, the digest of what was scored.

    Raises:
        ValueError: a row has a number that the scorer never announced.
    """
    announced = set(measures)
    for row in rows:
        if strange := row.get("numbers", {}).keys() - announced:
            raise ValueError(f"the measure `{min(strange)}` is not among those that the scorer announces: {', '.join(measures)}")
    if taken := announced & set(FIXED):
        raise ValueError(f"a measure cannot be called `{min(taken)}`: that column says something else")
    told = {KEY: "key", REASON: "reason", DETAIL: "detail"}
    columns: dict[str, pa.Array] = {name: pa.array([row.get(field) for row in rows], pa.string()) for name, field in told.items()}
    for measure in measures:
        columns[measure] = pa.array([row.get("numbers", {}).get(measure) for row in rows], pa.float64())
    vectors = [[(name, np.asarray(vector, np.float16)) for name, vector in sorted(row.get("vectors", {}).items())] for row in rows]
    columns["vectors"] = pa.array(vectors, pa.map_(pa.string(), HALF))
    columns["texts"] = pa.array([sorted(row.get("texts", {}).items()) for row in rows], pa.map_(pa.string(), pa.string()))
    commit.write_table(path, pa.table(columns), {**notes, "rows": len(rows)})


def _known(table: pa.Table, run: Path, scorer: Kept, path: Path) -> pa.Table:
    if commit.table_notes(table).get("fingerprint") != scorer.identity["fingerprint"]:
        raise CorruptRun(f"{path} was made by another {scorer.name} than {identity_path(run, scorer.name, scorer.on).name} says: remove it and score again")
    return table


def numbers(run: Path, scorer: Kept, shard: str, data: bytes, keys: pa.ChunkedArray) -> pa.Table:
    """Return the numbers and refusals of a shard in the order of the keys, null where there are none.

    Args:
        run: the run folder.
        scorer: whose.
        shard: its name.
        data: what is in its file.
        keys: in this order.

    Raises:
        CorruptRun: the file is damaged, or was made by other settings.
    """
    path = shard_path(run, scorer.name, scorer.on, shard)
    table = _known(commit.parse_table(data, path, [KEY, REASON, DETAIL, *scorer.measures]), run, scorer, path)
    return table.take(pc.index_in(keys, value_set=table.column(KEY).combine_chunks()))


def nothing(scorer: Kept, rows: int) -> pa.Table:
    """Return so many rows without a number."""
    texts = {name: pa.nulls(rows, pa.string()) for name in (KEY, REASON, DETAIL)}
    return pa.table({**texts, **{name: pa.nulls(rows, pa.float64()) for name in scorer.measures}})


def vectors(run: Path, scorer: Kept, name: str) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]]:
    """Yield (key, vector) of every scored item that has a vector of this name."""
    folder = shard_path(run, scorer.name, scorer.on, "").parent
    for path in sorted(folder.glob("*.parquet")):
        table = _known(commit.read_table(path, [KEY, "vectors"]), run, scorer, path)
        for key, pairs in zip(table.column(KEY).to_pylist(), table.column("vectors").to_pylist(), strict=True):
            for found, vector in pairs or ():
                if found == name:
                    yield key, np.asarray(vector, np.float32)


def merge(base: pa.MapArray, columns: Mapping[str, pa.Array]) -> pa.MapArray:
    """Return a map column with more numbers in it; nulls of the columns are left out.

    Args:
        base: map of text to float64, by row.
        columns: float64 by name, as long as the map.
    """
    count, offsets = len(base), base.offsets.to_numpy()
    row_of = [np.repeat(np.arange(count), np.diff(offsets))]
    used = slice(int(offsets[0]), int(offsets[-1]))
    keys, values = [base.keys[used]], [base.items[used]]
    for name, column in columns.items():
        there = np.flatnonzero(pc.is_valid(column).to_numpy(zero_copy_only=False))
        row_of.append(there)
        keys.append(pa.array([name], pa.string()).take(pa.array(np.zeros(len(there), np.int64))))
        values.append(column.take(pa.array(there)))
    rows = np.concatenate(row_of)
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows, minlength=count), dtype=np.int32)
    picked = pa.array(order)
    starts = pa.array(np.concatenate([np.zeros(1, np.int32), ends]))
    return pa.MapArray.from_arrays(starts, pa.concat_arrays(keys).take(picked), pa.concat_arrays(values).take(picked))


def texts(run: Path, name: str, on: str, shard: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of the items of a shard that a scorer found words for; nothing where it has not been."""
    path = shard_path(run, name, on, shard)
    if path.exists():
        table = commit.read_table(path, [KEY, "texts"])
        for key, pairs in zip(table.column(KEY).to_pylist(), table.column("texts").to_pylist(), strict=True):
            yield from ((key, said) for found, said in pairs or () if found == text)


def by_key(run: Path, on: str) -> tuple[dict[str, dict[str, float]], dict[str, tuple[str, str]]]:
    """Return all numbers of a run by item, named `scorer.measure`, and the items that some scorer could not open, with reason and detail.

    Raises:
        CorruptRun: a file is damaged, or was made by other settings than its record says.
    """
    numbers: dict[str, dict[str, float]] = {}
    failed: dict[str, tuple[str, str]] = {}
    for scorer in kept(run, on):
        for path in sorted(shard_path(run, scorer.name, on, "").parent.glob("*.parquet")):
            table = _known(commit.read_table(path, [KEY, REASON, DETAIL, *scorer.measures]), run, scorer, path)
            columns = {f"{scorer.name}.{measure}": table.column(measure).to_pylist() for measure in scorer.measures}
            told = zip(*(table.column(name).to_pylist() for name in (KEY, REASON, DETAIL)), strict=True)
            for at, (key, reason, detail) in enumerate(told):
                if reason:
                    failed.setdefault(key, (reason, f"{scorer.name}: {detail or ''}"))
                found = {name: values[at] for name, values in columns.items() if values[at] is not None}
                numbers.setdefault(key, {}).update(found)
    return numbers, failed
