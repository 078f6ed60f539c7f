"""An input that asks for more memory than a worker may have is refused, by whichever library noticed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cv2
import pyarrow as pa

from degrade.errors import BadSample, Reason

NO_MEMORY = -4  # cv::Error::StsNoMem


@contextlib.contextmanager
def out_of_memory() -> Iterator[None]:
    """Turn every library's way of running out of memory into a BadSample; let all other errors pass."""
    try:
        yield
    except (MemoryError, pa.ArrowMemoryError) as error:
        raise BadSample(Reason.OUT_OF_MEMORY, str(error) or "more than render.memory_gb") from error
    except cv2.error as error:
        if error.code == NO_MEMORY:
            raise BadSample(Reason.OUT_OF_MEMORY, str(error.err)) from error
        raise
