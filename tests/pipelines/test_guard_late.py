"""A process that dies when no input is to blame: after the last one, while it stores what came of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests import shards
from pipelines import plan
from pipelines.guard import STRIKES, UNNAMED, Cell, Limits, WorkFailed

HERE = Path(__file__).resolve().parent
DEADLINE_S = 2.0
SLOW_DISK = f"""
import os, time
fsync = os.fsync
def slow(handle):
    if ".tar." in os.readlink(f"/proc/self/fd/{{handle}}"):
        time.sleep({DEADLINE_S + 0.5})
    fsync(handle)
os.fsync = slow
"""


def late(task: dict[str, Any], at: Callable[[str], None]) -> None:
    """Die after the last item, and write down what was skipped."""
    with open(task["story"], "a", encoding="utf-8") as file:
        file.write(f"{' '.join(task['skip'])}\n")
    for item in ("a", "b"):
        at(item)
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.timeout(60)  # it once went on for ever
def test_a_task_that_dies_at_an_item_that_it_skips_ends(monkeypatch, tmp_path):
    """When leaving out the item that was accused changes nothing, the task fails after some more deaths, and says what to look at."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    story = tmp_path / "story"
    with Cell(Limits(deadline_s=20.0)) as cell, pytest.raises(WorkFailed, match=r"no input is to blame: .*SIGSEGV.*disks of this machine"):
        cell.run("test_guard_late:late", {"story": str(story)})
    assert story.read_text().splitlines() == [""] * STRIKES["crashed"] + ["b"] * UNNAMED["crashed"]


@pytest.mark.timeout(60)
def test_a_disk_that_is_slower_than_the_deadline_refuses_no_pair(scratch, monkeypatch, tmp_path):
    """A shard whose commit takes longer than a pair may is committed at the first try, with the bytes of a quick disk."""
    (shard, *_), *_ = plan.read_record(scratch)["parts"]
    rows, tar = shards.rows_path(scratch.folder, shard), shards.tar_path(scratch.folder, shard)
    before = rows.read_bytes(), tar.read_bytes()
    rows.unlink()
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(SLOW_DISK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "slow"))
    task = {"run": str(scratch.folder), "part": 0, "group": 0, "shard": shard}
    with Cell(Limits(DEADLINE_S)) as cell:
        counts = cell.run("pipelines.render:work", task)
    assert (rows.read_bytes(), tar.read_bytes()) == before
    assert not counts.keys() & {"timed_out"}
    assert not list(tar.parent.glob(".*.part"))
