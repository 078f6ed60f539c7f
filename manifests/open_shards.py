"""The shards of some runs, open for a trainer: one pread per member, at random, in any process.

Files are opened when they are first read from; a pickled copy and a forked child open their own. Bytes are not hashed
here (`manifests.members` proves them on the way to an export): a damaged PNG fails its own checksum when it is decoded.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from degrade.errors import CorruptRun
from manifests import shards

OPEN_FILES = 64  # per process: far below the usual limit of 1,024, which a run of many shards would pass


class OpenShards:
    """Reads bytes out of the shards of some runs.

    Args:
        runs: run folders.
    """

    def __init__(self, runs: Sequence[Path]) -> None:
        self._runs = tuple(runs)
        self._files: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._owner = os.getpid()

    def read(self, run: int, shard: str, offset: int, length: int) -> bytes:
        """Return a member's bytes.

        Args:
            run: which of the runs.
            shard: the shard's name.
            offset: where the member begins in the shard's tar, in bytes.
            length: of the member, in bytes.

        Raises:
            CorruptRun: the shard is gone or cut short.
        """
        data = os.pread(self._file(run, shard), length, offset)
        if len(data) != length:
            raise CorruptRun(f"{shards.tar_path(self._runs[run], shard)} is cut short: run `patina verify {self._runs[run]}`")
        return data

    def _file(self, run: int, shard: str) -> int:
        if self._owner != os.getpid():  # forked: the numbers are the parent's, and so is closing them
            self._files, self._owner = OrderedDict(), os.getpid()
        key = (run, shard)
        if key in self._files:
            self._files.move_to_end(key)
            return self._files[key]
        path = shards.tar_path(self._runs[run], shard)
        try:
            self._files[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise CorruptRun(f"{path} is missing: run `patina verify {self._runs[run]}`") from None
        if len(self._files) > OPEN_FILES:
            os.close(self._files.popitem(last=False)[1])
        return self._files[key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_runs": self._runs, "_files": OrderedDict(), "_owner": 0}

    def __del__(self) -> None:
        if self.__dict__.get("_owner") == os.getpid():
            for file in self._files.values():
                os.close(file)
