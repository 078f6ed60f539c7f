"""The process that touches hostile input: it does one task at a time and may die of it.

Started by `guard.Cell` as `python -m pipelines.cell IN OUT MEMORY_BYTES`; JSON lines go over two pipes. In come tasks:
`{"work": "module:function", "task": {...}}`. Out go `{"at": item}` before every item, null for none, and at the end `{"done": result}`,
`{"stopped": what to do}` or `{"failed": traceback}`.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import cv2
import pyarrow as pa

from degrade.errors import PatinaError

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere the closed pipe does it later)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def limit_memory(more_bytes: int) -> None:
    """Let the address space grow by so many bytes at most: a greedy decoder gets a MemoryError, not the machine."""
    if more_bytes and sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, resource.RLIM_INFINITY))


def found(work: str, memory_bytes: int) -> Callable[..., Any]:
    """Return a work function; the memory of its libraries does not count against its inputs."""
    module, _, name = work.partition(":")
    if module not in sys.modules:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        importlib.import_module(module)
        limit_memory(memory_bytes)
    function: Callable[..., Any] = getattr(sys.modules[module], name)
    return function


def main(arguments: list[str]) -> None:
    """Serve tasks until the pipe closes."""
    die_with_parent()
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)
    with open(int(arguments[0]), encoding="utf-8") as tasks, open(int(arguments[1]), "w", encoding="utf-8") as answers:

        def say(message: dict[str, Any]) -> None:
            answers.write(json.dumps(message) + "\n")
            answers.flush()

        say({"ready": os.getpid()})
        for line in tasks:
            try:
                order = json.loads(line)
                work = found(order["work"], int(arguments[2]))
                say({"done": work(order["task"], lambda item: say({"at": item}))})
            except PatinaError as error:  # told in its own words: a missing model, a recipe that cannot be meant
                say({"stopped": str(error)})
            except Exception:  # noqa: BLE001  the edge of the job: the parent raises it again, with the item's name
                say({"failed": traceback.format_exc()})


if __name__ == "__main__":
    main(sys.argv[1:])
