"""What a worker gets of a machine or a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from filters import severity
from filters.contract import Wants
from pipelines import engine
from pipelines.engine import Engine, Options
from pipelines.guard import THREADS, Limits

HERE = Path(__file__).resolve().parent
CORES = engine.cores()


def told_threads(_task: dict[str, Any], _at: Any) -> list[str]:
    """Work that answers how many threads its libraries were given."""
    return [os.environ[name] for name in THREADS]


@pytest.mark.parametrize("kind", ["serial", "ray"])
def test_a_large_model_on_a_cpu_has_all_its_cores(kind, monkeypatch):
    """One worker with a thread per core where the weights are large; one thread where they are not."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))  # for the child to find this test's work
    with Engine(Options(engine=kind, workers=CORES if kind == "ray" else None)) as workers:
        for wants, threads in ((Wants(gpus=1.0, whole_cpu=True), CORES), (Wants(), 1)):
            answers = list(workers.serve("test_engine_share:told_threads", [{}, {}], Limits(), wants))
            assert answers == [[str(threads)] * len(THREADS)] * 2


def test_the_severity_model_is_opened_once_per_machine():
    """A model of many gigabytes asks for all cores where there is no GPU; one on a server asks for nothing."""
    assert severity.wants(severity.SeveritySettings()).whole_cpu
    assert not severity.wants(severity.SeveritySettings(backend="server")).whole_cpu


@pytest.mark.parametrize(
    ("there", "nodes", "wants", "share"),
    [
        ({"CPU": 32.0}, [32.0], Wants(), (1.0, 0.0, 32)),
        ({"CPU": 32.0, "GPU": 2.0}, [32.0], Wants(4.0, 1.0), (4.0, 1.0, 2)),
        ({"CPU": 2.0, "GPU": 2.0}, [2.0], Wants(4.0, 1.0), (2.0, 1.0, 1)),
        ({"CPU": 32.0, "GPU": 1.0}, [32.0], Wants(1.0, 0.25), (1.0, 0.25, 4)),
        ({"CPU": 32.0}, [32.0], Wants(4.0, 1.0), (1.0, 0.0, 32)),
        ({"CPU": 32.0}, [32.0], Wants(gpus=1.0, whole_cpu=True), (32.0, 0.0, 1)),
        ({"CPU": 66.0}, [2.0, 32.0, 32.0], Wants(gpus=1.0, whole_cpu=True), (32.0, 0.0, 2)),
        ({"CPU": 64.0, "GPU": 4.0}, [64.0], Wants(gpus=1.0, whole_cpu=True), (1.0, 1.0, 4)),
    ],
)
def test_a_share_fits_what_is_there(there, nodes, wants, share):
    """GPUs count first; a whole CPU is that of the largest machines; there is always room for one."""
    assert engine._share(there, nodes, wants) == share
