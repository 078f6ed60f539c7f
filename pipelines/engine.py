"""Spreads tasks over workers: Ray on one machine or a cluster, or one worker for debugging. The only user of ray.

A task is a small table of names and numbers, the list of tasks is fixed by the plan, and a result is a small table too:
no pixels travel. Every worker does its tasks in a guarded child process (`guard.Cell`), so that an input that
kills a decoder costs itself and nothing else, and both engines give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

from degrade.errors import RecipeError
from filters.contract import Wants
from pipelines.guard import Cell, Limits

RETRIES = 100  # of a task whose Ray worker or node was lost; never because of an input
QUEUE = 2  # tasks submitted ahead, per worker


class Options(NamedTuple):
    """Where the work is done."""

    engine: Literal["ray", "serial"] = "ray"
    workers: int | None = None  # default: one per core
    address: str | None = None  # of a Ray cluster; default: this machine


class _Size(NamedTuple):
    """What an actor takes."""

    limits: Limits
    cpus: float
    gpus: float


class _Share(NamedTuple):
    """What of a cluster a worker gets, and how many workers that makes room for."""

    cpus: float
    gpus: float
    room: int


class Engine:
    """Workers that stay warm from one verb to the next; a context manager."""

    def __init__(self, options: Options) -> None:
        if options.workers is not None and options.workers < 1:
            raise RecipeError(f"--workers {options.workers}: at least one worker is needed")
        self._options = options
        self._cells: dict[Limits, Cell] = {}
        self._ray: Any = None
        self._pool: list[Any] = []  # actors that wait for more of what they did last
        self._size: _Size | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for cell in self._cells.values():
            cell.close()
        if self._ray is not None:
            self._dismiss()
            self._ray.shutdown()
            self._ray = None

    def map(self, work: str, tasks: Iterable[dict[str, Any]], limits: Limits, *, gpu: bool = False) -> Iterator[Any]:
        """Yield the result of every task, in the order in which they finish.

        Args:
            work: `module:function`, see `guard.Cell`.
            tasks: small JSON tables.
            limits: per item.
            gpu: the work runs a model: give each worker a GPU where the cluster has some.
        """
        if self._options.engine == "serial":
            cell = self._cells.setdefault(limits, Cell(limits))
            for task in tasks:
                yield cell.run(work, task)
        else:
            yield from self._map_ray(work, tasks, limits, gpu=gpu)

    def _map_ray(self, work: str, tasks: Iterable[dict[str, Any]], limits: Limits, *, gpu: bool) -> Iterator[Any]:
        waiting = iter(tasks)
        first = next(waiting, None)
        if first is None:
            return
        ray = self._connected()
        self._dismiss()
        resources = ray.cluster_resources()
        gpus = 1 if gpu and resources.get("GPU", 0) >= 1 else 0
        remote = ray.remote(_in_worker).options(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)
        ahead = QUEUE * max(1, int(resources.get("CPU", 1)))
        running = {remote.remote(work, first, limits)}
        while running:
            while len(running) < ahead and (task := next(waiting, None)) is not None:
                running.add(remote.remote(work, task, limits))
            done, rest = ray.wait(list(running), num_returns=1)
            running = set(rest)
            for reference in done:
                yield _answer(ray, reference)

    def serve(self, work: str, tasks: Sequence[dict[str, Any]], limits: Limits, wants: Wants) -> Iterator[Any]:
        """Yield the result of every task, done by workers that stay: for work that is dear to begin, such as a large model.

        Args:
            work: `module:function`, see `guard.Cell`.
            tasks: small JSON tables.
            limits: per item.
            wants: what one worker takes; GPUs only where the cluster has some.
        """
        if self._options.engine == "serial" or not tasks:
            yield from self.map(work, tasks, limits._replace(threads=cores()) if wants.whole_cpu else limits)
            return
        workers = self._workers(limits, wants, len(tasks))
        yield from _served(self._ray, workers, work, tasks)

    def _workers(self, limits: Limits, wants: Wants, most: int) -> list[Any]:
        """Return actors for work of this size, those of the last call if they are of the same size; they hold what they opened."""
        ray = self._connected()
        share = _share(ray.cluster_resources(), [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]], wants)
        if wants.whole_cpu and not share.gpus:
            limits = limits._replace(threads=int(share.cpus))
        size = _Size(limits, share.cpus, share.gpus)
        if self._size != size:
            self._dismiss()
            self._size = size
        actor = ray.remote(_Worker).options(num_cpus=share.cpus, num_gpus=share.gpus, max_restarts=-1, max_task_retries=RETRIES)
        while len(self._pool) < max(1, min(share.room, most)):
            self._pool.append(actor.remote(limits))
        return self._pool

    def _dismiss(self) -> None:
        """End the actors: while they stand, they hold the cores that tasks wait for."""
        for worker in self._pool:
            self._ray.kill(worker)
        self._pool, self._size = [], None

    def _connected(self) -> Any:
        """Start or join Ray at the first task that needs it: it takes seconds."""
        if self._ray is None:
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            import ray

            quiet = {"logging_level": "ERROR", "log_to_driver": False}
            if self._options.address:
                ray.init(address=self._options.address, **quiet)
            else:
                ray.init(address="local", num_cpus=self._options.workers or cores(), include_dashboard=False, **quiet)
            self._ray = ray
        return self._ray


def cores() -> int:
    """Return how many cores this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _share(there: Mapping[str, float], nodes: Sequence[float], wants: Wants) -> _Share:
    """Return what a worker gets.

    Args:
        there: what the cluster has in all, as Ray names it.
        nodes: cores of each machine.
        wants: what the work asks for.
    """
    if wants.gpus and there.get("GPU", 0) >= wants.gpus:
        cpus = min(wants.cpus, there.get("CPU", 1.0))
        return _Share(cpus, wants.gpus, int(min(there.get("CPU", 1) // cpus, there["GPU"] // wants.gpus)))
    if wants.whole_cpu:
        largest = max(nodes)  # a small head node is left out: a part of a large machine would hold the weights once more
        return _Share(largest, 0.0, nodes.count(largest))
    cpus = min(1.0 if wants.gpus else wants.cpus, there.get("CPU", 1.0))  # threads feed a GPU; without one they are in its way
    return _Share(cpus, 0.0, int(there.get("CPU", 1) // cpus))


def _answer(ray: Any, reference: Any) -> Any:
    """Return a result, or raise what the work raised, without Ray's account of how it travelled."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def _served(ray: Any, workers: Sequence[Any], work: str, tasks: Iterable[dict[str, Any]]) -> Iterator[Any]:
    """Yield results as they come; a worker gets its next task when it has answered, so that a slow one holds nobody up."""
    waiting = iter(tasks)
    running = {worker.run.remote(work, task): worker for worker, task in zip([*workers] * QUEUE, waiting, strict=False)}
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        worker = running.pop(done[0])
        if (task := next(waiting, None)) is not None:
            running[worker.run.remote(work, task)] = worker
        yield _answer(ray, done[0])


class _Worker:
    """What a Ray actor is here: a child process that keeps what it has opened."""

    def __init__(self, limits: Limits) -> None:
        self._cell = Cell(limits)

    def run(self, work: str, task: dict[str, Any]) -> Any:
        """Run a task in the child."""
        return self._cell.run(work, task)


_CELLS: dict[Limits, Cell] = {}  # of this Ray worker process: a child stays warm between tasks


def _in_worker(work: str, task: dict[str, Any], limits: Limits) -> Any:
    """Run a task in this Ray worker's own child process, which stays for the next verb with the same limits."""
    if limits not in _CELLS:
        for cell in _CELLS.values():
            cell.close()
        _CELLS.clear()
        _CELLS[limits] = Cell(limits)
    return _CELLS[limits].run(work, task)
