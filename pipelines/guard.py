"""Runs tasks in a process that may die, and finds out which input killed it.

The child says which item it is at; when it dies or stays silent past the deadline, the parent knows the suspect,
starts another child and runs the task again. An item that kills its process again is skipped with a reason, and the rest
of the task is done as if it had never been there: tasks are pure, so the repeat writes the same bytes. A process that
is killed from outside (SIGKILL: an operator, the memory killer) is no proof against its item, so that takes more.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from typing import Any, NamedTuple, Self

from degrade.errors import PatinaError, Reason

STRIKES = {Reason.CRASHED: 2, Reason.TIMED_OUT: 2, Reason.OUT_OF_MEMORY: 6}  # deaths on one item before it is given up
STARTUP_S = 120.0  # before the first item, at least; work that is patient with items is patient with what it has to open, too
UNNAMED = {Reason.CRASHED: 5, Reason.TIMED_OUT: 3, Reason.OUT_OF_MEMORY: 100}  # deaths before any item: not an input's fault
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
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


class WorkFailed(PatinaError):
    """A task raised: our own fault, not an input's. Carries the child's traceback."""


class WorkStopped(PatinaError):
    """A task cannot be done, and says what to do about it."""


class Limits(NamedTuple):
    """What a child may use."""

    deadline_s: float = 30.0  # per item
    memory_bytes: int = 4 << 30  # above what it holds when it starts; 0 = no limit


class Death(NamedTuple):
    """How a child ended, and at which item."""

    reason: Reason
    item: str | None
    detail: str


class Cell:
    """One child process, started when needed and kept for the next task.

    Args:
        limits: deadline and memory.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, work: str, task: dict[str, Any]) -> Any:
        """Return the result of a task, whatever its inputs do to the process.

        Args:
            work: `module:function`; the function takes (task, at) and returns a JSON value. It must call `at(item)`
                before each item, and leave out the items of `task["skip"]` (a table item -> [reason, detail]).
            task: a JSON table.

        Raises:
            WorkFailed: the work raised an error that no input is to blame for.
            WorkStopped: it said what is missing.
        """
        skip: dict[str, list[str]] = dict(task.get("skip", {}))
        strikes: Counter[tuple[str | None, Reason]] = Counter()
        while True:
            outcome = self._attempt(work, {**task, "skip": skip})
            if not isinstance(outcome, Death):
                return outcome
            strikes[outcome.item, outcome.reason] += 1
            count = strikes[outcome.item, outcome.reason]
            if outcome.item is None and count >= UNNAMED[outcome.reason]:
                raise WorkFailed(f"the worker process died {count} times before it reached an input: {outcome.detail}")
            if outcome.item is not None and count >= STRIKES[outcome.reason]:
                skip[outcome.item] = [str(outcome.reason), outcome.detail]

    def _attempt(self, work: str, task: dict[str, Any]) -> Any:
        """Run a task once; a Death instead of a result when the child did not survive it."""
        if self._child is None or self._child.poll() is not None:
            self._start()
        if not self._send({"work": work, "task": task}):
            return self._buried(None)
        item: str | None = None
        while True:
            message = self._receive(self._limits.deadline_s if item is not None else max(STARTUP_S, self._limits.deadline_s))
            if message is None:
                return self._buried(item)
            if "done" in message:
                return message["done"]
            if "stopped" in message:
                raise WorkStopped(message["stopped"])
            if "failed" in message:
                self.close()  # whatever state it is in, the next task gets a fresh process
                raise WorkFailed(f"{work} failed at {item or 'its start'}\n{message['failed']}")
            item = message.get("at", item)

    def _start(self) -> None:
        self.close()
        tasks_in, self._tasks = os.pipe()
        self._answers, answers_out = os.pipe()
        command = [sys.executable, "-m", "pipelines.cell", str(tasks_in), str(answers_out), str(self._limits.memory_bytes)]
        environment = {**os.environ, **ENVIRONMENT}
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

    def _buried(self, item: str | None) -> Death:
        """End what is left of the child and say how it died."""
        child = self._child
        if child is None:
            return Death(Reason.CRASHED, item, "the worker process was gone")
        try:
            code = child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.close()
            return Death(Reason.TIMED_OUT, item, f"no answer within {self._limits.deadline_s:g} s")
        self.close()
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            return Death(Reason.OUT_OF_MEMORY, item, "the process was killed while it worked on this input, time after time")
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
