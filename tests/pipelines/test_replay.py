"""Any pair, from its row alone."""

from __future__ import annotations

import random
import shutil

import cv2
import pytest

from degrade.errors import BadSample, CorruptRun, RunError
from manifests import shards
from manifests.commit import read_table
from pipelines.replay import replay, row_of


def test_every_pair_replays_exactly_in_any_order_and_with_any_threads(finished):
    """All pairs, shuffled, with one, two and four threads of OpenCV: bit-identical."""
    rows = [row for row in read_table(finished.manifest).to_pylist() if row["clean_sha256"]]
    random.Random(1).shuffle(rows)
    for at, row in enumerate(rows):
        cv2.setNumThreads((1, 2, 4)[at % 3])
        assert replay(finished, row).answer == "exact"
    cv2.setNumThreads(1)


def test_a_changed_parameter_is_seen(finished):
    """A row with other params does not replay to its own pictures."""
    import json

    row = next(row for row in read_table(finished.manifest).to_pylist() if row["task"] == "noise" and row["verdict"] == "keep")
    steps = json.loads(row["steps"])
    steps[0]["params"]["iso"] *= 4
    assert replay(finished, row | {"steps": json.dumps(steps)}).answer == "different"


def test_the_beginning_of_an_id_is_enough_and_a_wrong_one_is_told(finished):
    """Pairs are found by an unambiguous beginning."""
    pair_id = read_table(finished.manifest, ["pair_id"]).column("pair_id")[0].as_py()
    assert row_of(finished, pair_id[:12])["pair_id"] == pair_id
    with pytest.raises(RunError, match="0 pairs"):
        row_of(finished, "no such pair")


def test_a_damaged_picture_is_not_compared_with(scratch):
    """Replay reads a stored picture only after checking its hash."""
    row = next(row for row in read_table(scratch.manifest).to_pylist() if row["clean_sha256"])
    path = shards.tar_path(scratch.folder, row["shard"])
    data = bytearray(path.read_bytes())
    data[row["degraded_offset"] + 40] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptRun, match="damaged"):
        replay(scratch, row)


def test_a_changed_photo_is_not_replayed(finished, tmp_path):
    """The source must hold the bytes that were indexed."""
    row = next(row for row in read_table(finished.manifest).to_pylist() if row["clean_sha256"])
    other = tmp_path / "other.png"
    shutil.copy(row["photo_uri"], other)
    with open(other, "ab") as file:
        file.write(b"more")
    with pytest.raises(BadSample, match="source_changed"):
        replay(finished, row | {"photo_uri": str(other), "photo_size": None})


def test_a_bare_environment_replays_exactly_too(finished):
    """A user's shell sets nothing, and every pair is exact all the same."""
    import json
    import os
    import subprocess
    import sys

    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCV", "OMP", "OPENBLAS", "MALLOC"))}
    command = [sys.executable, "-m", "pipelines", "replay", str(finished.folder), "--sample", "100", "--json"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, env=bare)
    assert answer.returncode == 0, answer.stderr
    answers = json.loads(answer.stdout)
    assert len(answers) >= 20
    assert {told["answer"] for told in answers} == {"exact"}
    assert answer.stderr == ""
