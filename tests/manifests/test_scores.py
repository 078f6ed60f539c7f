"""Scores beside the rows: written whole, read by key, merged into the manifest's map."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from degrade.errors import CorruptRun
from manifests import scores

ROWS = [
    {"key": "a", "numbers": {"x": 1.5}, "vectors": {"image": np.array([0.5, -2.0], np.float32)}, "texts": {"tags": "night"}},
    {"key": "b", "reason": "decode_failed", "detail": "cut"},
    {"key": "c", "numbers": {"x": 2.5, "y": -1.0}},
]


@pytest.fixture
def scored(tmp_path):
    """A run folder with one scored shard."""
    scores.write(scores.shard_path(tmp_path, "toy", "pairs", "s0"), ROWS, ["x", "y"], {"fingerprint": "f1", "source": "d"})
    scores.identity_path(tmp_path, "toy", "pairs").write_text(json.dumps({"fingerprint": "f1", "measures": ["x", "y"], "maker": "toy", "version": 1}))
    return tmp_path


def test_scores_come_back_by_key(scored):
    """Numbers stand in the order that is asked for, null where there are none, with the reason beside them."""
    (kept,) = scores.kept(scored, "pairs")
    assert kept.columns() == ["toy.x", "toy.y"]
    data = scores.shard_path(scored, "toy", "pairs", "s0").read_bytes()
    found = scores.numbers(scored, kept, "s0", data, pa.chunked_array([["c", "zz", "b", "a"]]))
    assert found.column("x").to_pylist() == [2.5, None, None, 1.5]
    assert found.column("y").to_pylist() == [-1.0, None, None, None]
    assert found.column(scores.REASON).to_pylist() == [None, None, "decode_failed", None]


def test_vectors_are_kept_by_name(scored):
    """An embedding comes back as it went in, at half precision."""
    (kept,) = scores.kept(scored, "pairs")
    ((key, vector),) = scores.vectors(scored, kept, "image")
    assert (key, vector.tolist()) == ("a", [0.5, -2.0])


def test_a_number_that_was_never_announced_is_refused(tmp_path):
    """A scorer cannot smuggle in a column."""
    with pytest.raises(ValueError, match="`y` is not among"):
        scores.write(tmp_path / "s.parquet", ROWS, ["x"], {})


def test_scores_of_another_setting_are_not_mixed_in(scored):
    """A shard that was scored otherwise than its record says is corrupt, not a number."""
    scores.identity_path(scored, "toy", "pairs").write_text(json.dumps({"fingerprint": "f2", "measures": ["x", "y"]}))
    (kept,) = scores.kept(scored, "pairs")
    with pytest.raises(CorruptRun, match="score again"):
        list(scores.vectors(scored, kept, "image"))


def test_numbers_join_the_map_that_is_there():
    """Merging keeps what rendering measured, adds what scorers gave, leaves out nulls; a slice merges as the whole does."""
    base = pa.array([[("psnr_db", 20.0)], None, [("psnr_db", 30.0), ("hops", 2.0)]], pa.map_(pa.string(), pa.float64()))
    columns = {"toy.x": pa.array([1.0, None, 3.0]), "toy.y": pa.array([None, 5.0, None], pa.float64())}
    merged = scores.merge(base, columns).to_pylist()
    assert [dict(row) for row in merged] == [{"psnr_db": 20.0, "toy.x": 1.0}, {"toy.y": 5.0}, {"psnr_db": 30.0, "hops": 2.0, "toy.x": 3.0}]
    part = scores.merge(base.slice(1), {name: column.slice(1) for name, column in columns.items()})
    assert part.to_pylist() == merged[1:]


def test_a_measure_may_be_called_detail_but_not_like_a_column_of_ours(tmp_path):
    """Names of measures and of the file's own columns do not meet."""
    rows = [{"key": "a", "numbers": {"detail": 0.5}}, {"key": "b", "reason": "decode_failed", "detail": "cut"}]
    scores.write(scores.shard_path(tmp_path, "toy", "pairs", "s0"), rows, ["detail"], {"fingerprint": "f1"})
    scores.identity_path(tmp_path, "toy", "pairs").write_text(json.dumps({"fingerprint": "f1", "measures": ["detail"]}))
    numbers, failed = scores.by_key(tmp_path, "pairs")
    assert numbers["a"] == {"toy.detail": 0.5}
    assert failed == {"b": ("decode_failed", "toy: cut")}
    with pytest.raises(ValueError, match="cannot be called"):
        scores.write(tmp_path / "s.parquet", [], ["key"], {})
