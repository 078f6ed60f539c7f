"""Runs tasks in a process that may die, and finds out which input killed it.

The child says which item it is at; when it dies or stays silent past the deadline, the parent knows the suspect,
starts another child and runs the task again. An item that kills its process again is skipped with a reason, and the rest
of the task is done as if it had never been there: tasks are pure, so the repeat writes the same bytes. A process that
is killed from outside (SIGKILL: an operator, the memory killer) is no proof against its item, so that takes more. Nor is
one that ends at an item which it skips, or at none: after some of those the task has failed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from degrade.errors import PatinaError, Reason

STRIKES = {Reason.CRASHED: 2, Reason.TIMED_OUT: 2, Reason.OUT_OF_MEMORY: 6}  # deaths on one item before it is given up
STARTUP_S = 120.0  # before the first item, at least; work that is patient with items is patient with what it has to open, too
STORING_S = 600.0  # after the last item, at least: a disk may be slow, and no input can help it
UNNAMED = {Reason.CRASHED: 5, Reason.TIMED_OUT: 3, Reason.OUT_OF_MEMORY: 100}  # deaths at no item, or at one that is skipped: not an input's fault
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
EXACT = {"OPENCV_IPP": "disabled", "OPENCV_LOG_LEVEL": "ERROR"}
# One heap that keeps what it got: pictures of 12 MB come and go several times per pair, and asking the kernel for fresh
# pages each time costs more than some degradations; it also keeps the address space, which is limited, free of arenas.
ONE_HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
ENVIRONMENT = {**ONE_THREAD, **EXACT, **ONE_HEAP}  # of every process that makes pixels
At = Callable[[str | None], None]  # how work says which item it is at; None: it stores what it has made


class WorkFailed(PatinaError):
    """A task raised: our own fault, not an input's. Carries the child's traceback."""


class WorkStopped(PatinaError):
    """A task cannot be done, and says what to do about it."""


class Limits(NamedTuple):
    """What a child may use."""

    deadline_s: float = 30.0  # per item
    memory_bytes: int = 4 << 30  # above what it holds when it starts; 0 = no limit
    threads: int = 1  # of the libraries that compute


class Death(NamedTuple):
    """How a child ended, and at which item."""

    reason: Reason
    item: str | None
    detail: str


class Cell:
    """One child process, started when needed and kept for the next task.

    Args:
        limits: deadline, memory and threads.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, work: str, task: dict[str, Any]) -> Any:
        """Return the result of a task, whatever its inputs do to the process.

        Args:
            work: `module:function`; the function takes (task, at) and returns a JSON value. It must call `at(item)`
                before each item, `at(None)` before it stores what came of them, and leave out the items of `task["skip"]`
                (a table item -> [reason, detail]).
            task: a JSON table.

        Raises:
            WorkFailed: the work raised an error, or died again and again, and no input is to blame.
            WorkStopped: it said what is missing.
        """
        skip: dict[str, list[str]] = dict(task.get("skip", {}))
        strikes: Counter[tuple[str | None, Reason]] = Counter()
        while True:
            outcome = self._attempt(work, {**task, "skip": skip})
            if not isinstance(outcome, Death):
                return outcome
            item = None if outcome.item in skip else outcome.item
            strikes[item, outcome.reason] += 1
            count = strikes[item, outcome.reason]
            if item is None and count >= UNNAMED[outcome.reason]:
                told = f"{work}: the worker process died {count} times, and no input is to blame: {outcome.detail}"
                raise WorkFailed(f"{told}; look at the memory and the disks of this machine, then run the same command again")
            if item is not None and count >= STRIKES[outcome.reason]:
                skip[item] = [str(outcome.reason), outcome.detail]

    def _attempt(self, work: str, task: dict[str, Any]) -> Any:
        """Run a task once; a Death instead of a result when the child did not survive it."""
        if self._child is None or self._child.poll() is not None:
            self._start()
        item: str | None = None
        patience_s = max(STARTUP_S, self._limits.deadline_s)
        if not self._send({"work": work, "task": task}):
            return self._buried(item, patience_s)
        while True:
            message = self._receive(patience_s)
            if message is None:
                return self._buried(item, patience_s)
            if "done" in message:
                return message["done"]
            if "stopped" in message:
                raise WorkStopped(message["stopped"])
            if "failed" in message:
                self.close()  # whatever state it is in, the next task gets a fresh process
                raise WorkFailed(f"{work} failed at {item or 'its start or end'}\n{message['failed']}")
            if "at" in message:
                item = message["at"]
                patience_s = self._limits.deadline_s if item is not None else max(STORING_S, self._limits.deadline_s)

    def _start(self) -> None:
        self.close()
        tasks_in, self._tasks = os.pipe()
        self._answers, answers_out = os.pipe()
        command = [sys.executable, "-m", "pipelines.cell", str(tasks_in), str(answers_out), str(self._limits.memory_bytes)]
        environment = {**os.environ, **ENVIRONMENT, **dict.fromkeys(THREADS, str(self._limits.threads))}
        self._child = subprocess.Popen(command, pass_fds=(tasks_in, answers_out), env=environment, stdin=subprocess.DEVNULL)
        os.close(tasks_in)
        os.close(answers_out)
        self._buffer = b""

    def _send(self, order: dict[str, Any]) -> bool:
        try:
            view = memoryview(json.dumps(order).encode() + b"\n")
            while view:
                view = view[os.write(self._tasks, view) :]
        except BrokenPipeError:
            return False
        return True

    def _receive(self, patience_s: float) -> dict[str, Any] | None:
        """Return the next message; None when the child has died or said nothing for too long."""
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], patience_s)
            chunk = os.read(self._answers, 1 << 16) if ready else b""
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _buried(self, item: str | None, patience_s: float) -> Death:
        """End what is left of the child and say how it died, at which item, after it was silent for how long at most."""
        child = self._child
        if child is None:
            return Death(Reason.CRASHED, item, "the worker process was gone")
        try:
            code = child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.close()
            return Death(Reason.TIMED_OUT, item, f"no answer within {patience_s:g} s")
        self.close()
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            where = " while it worked on this input, time after time" if item is not None else ""
            return Death(Reason.OUT_OF_MEMORY, item, f"the process was killed{where}")
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Death(Reason.CRASHED, item, f"the decoder or renderer ended the process ({ended})")

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            os.close(self._tasks)
            os.close(self._answers)
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
