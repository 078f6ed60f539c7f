"""What a trainer reads: a map-style dataset over a run, one pread per picture.

    from manifests import PairDataset
    pairs = PairDataset("RUN", split="train")
    pairs[0]["degraded"], pairs[0]["clean"], pairs[0]["prompt"]

Only the columns that are needed stay in memory; shards are opened once per process, lazily, so that the dataset travels
to DataLoader workers as a few arrays.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from degrade.errors import CorruptRun, MissingModel, RunError
from manifests import pictures, shards
from manifests.commit import read_table

_COLUMNS = ["pair_id", "task", "split", "severity", "stratum", "shard", "verdict"]
_PLACES = [f"{side}_{what}" for side in ("clean", "degraded") for what in ("offset", "length")]
_PROMPTS = {"en": "prompt_en", "zh": "prompt_zh"}


class PairDataset:
    """The kept pairs of a run, as a torch map-style dataset.

    Args:
        run: the run folder; `patina select` or `patina build` must have finished there.
        split: only this split; default all.
        tasks: only these tasks; default all.
        language: of the prompt.

    Items are dicts: `degraded` and `clean` (uint8 tensors, 3xHxW, RGB), `prompt`, `task`, `pair_id` (str), `severity`
    (float, in the task's unit), `stratum` (int, 1-5).

    Raises:
        RunError: the run is not finished, or no pair is left.
        MissingModel: torch is not installed.
    """

    def __init__(
        self,
        run: str | os.PathLike[str],
        split: str | None = None,
        tasks: Sequence[str] | None = None,
        language: Literal["en", "zh"] = "en",
    ) -> None:
        self._run = Path(run)
        manifest = self._run / "manifest.parquet"
        if not manifest.exists():
            raise RunError(f"{manifest} is missing: finish the run with `patina build` or `patina select {self._run}`")
        prompt = _PROMPTS[language]
        table = read_table(manifest, [*_COLUMNS, *_PLACES, prompt])
        wanted = pc.equal(table.column("verdict"), "keep")
        if split is not None:
            wanted = pc.and_(wanted, pc.equal(table.column("split"), split))
        if tasks is not None:
            wanted = pc.and_(wanted, pc.is_in(table.column("task").cast(pa.string()), pa.array(list(tasks), pa.string())))
        self._rows = table.filter(wanted).rename_columns([*_COLUMNS, *_PLACES, "prompt"]).combine_chunks()
        if not self._rows.num_rows:
            found = {name: sorted(set(table.column(name).to_pylist())) for name in ("split", "task")}
            raise RunError(f"no kept pair in {self._run} with split={split}, tasks={tasks}; it holds {found}")
        self._open: dict[str, int] = {}
        self._owner = 0

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        try:
            import torch
        except ModuleNotFoundError as error:
            raise MissingModel("PairDataset gives torch tensors: pip install 'patina[train]'") from error
        row = self._rows.slice(range(len(self))[index], 1).to_pylist()[0]
        sides = {side: torch.from_numpy(self._picture(row, side).transpose(2, 0, 1).copy()) for side in ("degraded", "clean")}
        return {**sides, **{name: row[name] for name in ("prompt", "task", "pair_id", "severity", "stratum")}}

    def _picture(self, row: dict[str, Any], side: str) -> NDArray[np.uint8]:
        data = os.pread(self._handle(row["shard"]), row[f"{side}_length"], row[f"{side}_offset"])
        if len(data) != row[f"{side}_length"]:
            raise CorruptRun(f"{shards.tar_path(self._run, row['shard'])} is cut short: run `patina verify {self._run}`")
        return pictures.decode(data)

    def _handle(self, shard: str) -> int:
        if self._owner != os.getpid():  # after a fork the parent's table of files is not ours to grow
            self._open, self._owner = {}, os.getpid()
        if shard not in self._open:
            self._open[shard] = os.open(shards.tar_path(self._run, shard), os.O_RDONLY | os.O_CLOEXEC)
        return self._open[shard]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}, "_owner": 0}

    def __del__(self) -> None:
        if self.__dict__.get("_owner") == os.getpid():
            for handle in self._open.values():
                os.close(handle)
