"""A bad input costs itself and nothing else: crashes, hangs, memory, and kills from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.guard import Cell, Limits, WorkFailed

HERE = Path(__file__).resolve().parent
WORK = "test_guard:work"


def work(task: dict[str, Any], at: Callable[[str], None]) -> list[str]:
    """Do what each item says: the real ways in which decoders die."""
    done = []
    for item in task["items"]:
        at(item)
        if item in task["skip"]:
            done.append(f"{item}:{task['skip'][item][0]}")
            continue
        if item.startswith("segfault"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if item.startswith("exit"):
            os._exit(3)
        if item.startswith("hang"):
            time.sleep(60)
        if item.startswith("bug"):
            raise KeyError(item)
        if item.startswith("suicide"):
            path = Path(item.partition(":")[2])
            count = int(path.read_text()) if path.exists() else 0
            path.write_text(str(count + 1))
            if count < 2:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append("suicide")
            continue
        done.append(item)
    return done


@pytest.fixture
def cell(monkeypatch):
    """A cell whose child can import this test's work."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    with Cell(Limits(deadline_s=1.0)) as made:
        yield made


def test_a_healthy_task_is_done_once_and_the_process_is_kept(cell):
    """Two tasks run in one child process."""
    assert cell.run(WORK, {"items": ["a", "b"]}) == ["a", "b"]
    child = cell._child.pid
    assert cell.run(WORK, {"items": ["c"]}) == ["c"]
    assert cell._child.pid == child


@pytest.mark.parametrize(("item", "reason"), [("segfault", "crashed"), ("exit", "crashed"), ("hang", "timed_out")])
def test_an_input_that_kills_or_hangs_is_named_and_the_rest_is_done(cell, item, reason):
    """The neighbours of a deadly input come through, and the input gets its reason."""
    assert cell.run(WORK, {"items": ["a", item, "b"]}) == ["a", f"{item}:{reason}", "b"]


def test_several_deadly_inputs_in_one_task_are_all_named(cell):
    """Three crashing inputs among seven cost three."""
    items = ["a", "segfault1", "b", "segfault2", "c", "exit3", "d"]
    assert cell.run(WORK, {"items": items}) == ["a", "segfault1:crashed", "b", "segfault2:crashed", "c", "exit3:crashed", "d"]


def test_a_kill_from_outside_is_no_proof_against_the_input(cell, tmp_path):
    """An input whose process is killed twice from outside is done at the third attempt."""
    assert cell.run(WORK, {"items": ["a", f"suicide:{tmp_path / 'count'}", "b"]}) == ["a", "suicide", "b"]


def test_our_own_error_is_raised_with_the_input_it_happened_at(cell):
    """A bug stops the task and names the item."""
    with pytest.raises(WorkFailed, match="at bug-7"):
        cell.run(WORK, {"items": ["a", "bug-7"]})


def test_the_child_ends_with_its_parent(tmp_path):
    """Nothing goes on working when the parent has been killed."""
    import subprocess
    import sys

    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pipelines.guard import Cell, Limits\n"
        "cell = Cell(Limits())\n"
        "cell.run('test_guard:work', {'items': ['a']}); print(cell._child.pid, flush=True)\n"
        "cell.run('test_guard:work', {'items': ['hang']})\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(HERE)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(HERE)})
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(50):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    pytest.fail("the child outlived its parent")
