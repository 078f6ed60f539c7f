"""In which arithmetic a vision-language model runs, and what that does to its answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_qwen import saved, scorer

from filters.contract import Photo


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    """A checkpoint in bfloat16, as the published ones are."""
    return saved(tmp_path_factory, dtype="bfloat16")


def flags() -> set[str]:
    """What the kernel says that this processor can do."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        pytest.skip("only Linux lists what a processor can do")
    return set(path.read_text(encoding="utf-8").split())


def severities(opened, photos):
    return [one.numbers["rain"] for one in opened.score([opened.prepare(photo) for photo in photos])]


@pytest.fixture(scope="module")
def photos(astronaut):
    sizes = ((96, 96), (128, 96), (200, 300), (96, 64))
    return [Photo(str(size), np.ascontiguousarray(astronaut[: size[0], : size[1]])) for size in sizes]


def test_a_processor_that_computes_in_the_stored_precision_does_so(halved):
    """bfloat16 weights stay so where the processor has instructions for them, and become float32 where it has none; rows say which."""
    import torch

    native = bool(flags() & {"avx512_bf16", "amx_bf16", "bf16"}) and hasattr(torch.cpu, "get_capabilities")
    opened = scorer(halved, tasks=("rain",))
    assert opened.maker == f"{halved}, {'bfloat16' if native else 'float32'}"
    assert opened._backend.model.dtype == (torch.bfloat16 if native else torch.float32)


def test_what_is_asked_for_counts(halved):
    """`precision` is obeyed, whatever the weights are stored in and the processor can do."""
    import torch

    for precision in ("float32", "bfloat16"):
        opened = scorer(halved, precision=precision)
        assert opened.maker == f"{halved}, {precision}"
        assert opened._backend.model.dtype == getattr(torch, precision)


def test_places_are_kept_in_full_precision(halved):
    """The turning angles of positions stay float32 in a bfloat16 model: in 8 bits, far positions would fall together."""
    import torch

    model = scorer(halved, precision="bfloat16")._backend.model
    angles = {name: values.dtype for name, values in model.named_buffers() if name.endswith("inv_freq")}
    assert angles
    assert set(angles.values()) == {torch.float32}


def test_half_precision_tells_nearly_the_same(halved, photos):
    """Severities of the same weights in both precisions differ by less than 0.05, and far less than photos do."""
    half, full = (severities(scorer(halved, precision=precision, tasks=("rain",)), photos) for precision in ("bfloat16", "float32"))
    assert half != full
    assert np.abs(np.subtract(half, full)).max() < 0.05
    assert np.ptp(full) > 4 * np.abs(np.subtract(half, full)).max()


def test_in_half_precision_a_batch_gives_nearly_what_each_gives_alone(halved, photos):
    """Batch and order move a severity by less than 0.05."""
    opened = scorer(halved, precision="bfloat16", tasks=("rain",))
    alone = [severities(opened, [photo])[0] for photo in photos]
    for found in (severities(opened, photos), severities(opened, photos[::-1])[::-1]):
        assert np.abs(np.subtract(found, alone)).max() < 0.05
