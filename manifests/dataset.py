"""What a trainer reads: a map-style dataset over finished runs, one pread per picture.

    from manifests import Augment, PairDataset
    pairs = PairDataset("RUN", split="train", augment=Augment(crop=512, flip=True))
    pairs[0]["degraded"], pairs[0]["clean"], pairs[0]["prompt"]

Only the columns that are needed stay in memory, and the dataset travels to DataLoader workers as a few arrays. Draws
belong to (seed, epoch, pair): neither a worker nor the order nor a filter changes them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from degrade.errors import RecipeError, RunError
from degrade.keys import nearest
from manifests import commit, tensors, windows
from manifests.augment import Augment, Placement, turned
from manifests.choose import Filter, Filters, choose, has
from manifests.draws import generator
from manifests.open_shards import OpenShards
from manifests.state import Cursor, Position

SIDES = ("degraded", "clean")
PROMPTS = {"en": "prompt_en", "zh": "prompt_zh"}
_TOLD = ["pair_id", "task", "origin", "severity", "stratum"]
_UNGRADED = {"severity": math.nan, "stratum": 0}  # of real pairs that nobody graded: batches hold no None
_PLACES = ["shard", "width", "height", *(f"{side}_{what}" for side in SIDES for what in ("offset", "length"))]


class PairDataset:
    """The kept pairs of runs, as a torch map-style dataset.

    Args:
        runs: one run folder or several (synthetic and real pairs, say); each finished by `patina select` or `patina build`.
        split: only this split; default all.
        tasks: only these tasks; default all.
        language: of the prompt, en or zh.
        filters: (column, op, value) tuples or a pyarrow expression over any column, see `manifests.choose`.
        augment: crop, mirror, turn; default whole pictures as they are.
        seed: of the augmentation.
        layers: side products to read along, such as `("depth",)`; every pair must have them.
        dtype: `uint8` (0..255), or `float32` (0..1), four times as much to move between processes.

    Items are dicts: `degraded` and `clean` (tensors, 3xHxW, RGB), `prompt`, `task`, `origin` (synthetic | real), `pair_id`
    (str), `severity` (float, in the task's unit) and `stratum` (int, 1-5), NaN and 0 for real pairs that nobody graded, `scores`
    (name -> float, NaN where a pair has none),
    and with layers `layers` (name -> float32 tensor, 1xHxW or 3xHxW, in the unit of the layer).

    An item is asked for by its number, or by (number, epoch) as our samplers do; `set_epoch` serves other samplers.

    Raises:
        RunError: a run is not finished, no pair is left, a pair is smaller than the crop or lacks a layer.
        RecipeError: an unknown task, language, column or op.
        MissingModel: torch is not installed.
    """

    def __init__(
        self,
        runs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        split: str | None = None,
        tasks: Sequence[str] | None = None,
        language: Literal["en", "zh"] = "en",
        *,
        filters: Filters = None,
        augment: Augment | None = None,
        seed: int = 0,
        layers: Sequence[str] = (),
        dtype: Literal["uint8", "float32"] = "uint8",
    ) -> None:
        folders = [Path(run) for run in ([runs] if isinstance(runs, str | os.PathLike) else runs)]
        for name, known in ((language, PROMPTS), (dtype, tensors.DTYPES)):
            if name not in known:
                raise RecipeError(f"`{name}` is not offered; {nearest(name, known)}")
        conditions: list[Filter | pc.Expression] = [("split", "==", split)] if split is not None else []
        conditions += [("task", "in", list(tasks))] if tasks is not None else []
        conditions += [filters] if isinstance(filters, pc.Expression) else list(filters or ())
        columns = [*_TOLD, *_PLACES, "scores", *(["layers"] if layers else [])]
        self._rows = choose(folders, conditions, [*columns, PROMPTS[language]]).rename_columns([*columns, "prompt", "run"])
        _refuse_empty(folders, self._rows, split, tasks)
        self._augment, self._seed, self._layers, self._dtype = augment or Augment(), seed, tuple(layers), dtype
        _refuse_without(self._rows, self._layers)
        self.buckets, self.sizes = self._augment.buckets.assign(self.column("height"), self.column("width"))
        self._columns = {name: self._rows[name].chunk(0) for name in self._rows.column_names}
        self._scores = dict.fromkeys(sorted(pc.unique(self._columns["scores"].keys).to_pylist()), math.nan)
        self._shards = OpenShards(folders)
        self._cursor = Cursor()

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def column(self, name: str) -> NDArray[Any]:
        """Return one of the columns task, origin, shard, pair_id, severity, stratum, width, height, run of all pairs."""
        return self._rows[name].to_numpy()

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of which pairs these are, in which order and of which bucket."""
        return commit.short_hash("\0".join([*self._rows["pair_id"].to_pylist(), *map(str, self.buckets.tolist())]))

    def set_epoch(self, epoch: int) -> None:
        """Draw other crops, mirrors and turns; reaches persistent workers too. Our own samplers name the epoch themselves."""
        self._cursor.set(Position(epoch, 0))

    def __getitem__(self, index: int | tuple[int, int]) -> dict[str, Any]:
        number, epoch = index if isinstance(index, tuple) else (index, self._cursor.get().epoch)
        number = range(len(self))[number]  # counts from the end too, and raises IndexError beyond it
        row = {name: values[number].as_py() for name, values in self._columns.items()}
        rng = generator(self._seed, "augment", epoch, row["pair_id"])
        placement = self._augment.sample(rng, (row["height"], row["width"]), self.sizes[self.buckets[number]])
        item = {side: tensors.picture(self._pixels(row, placement, row[f"{side}_offset"], row[f"{side}_length"]), self._dtype) for side in SIDES}
        item |= {name: _UNGRADED.get(name) if row[name] is None else row[name] for name in ("prompt", *_TOLD)}
        item["scores"] = {**self._scores, **dict(row["scores"] or ())}
        if self._layers:
            known = {layer["name"]: layer for layer in json.loads(row["layers"])}
            item["layers"] = {name: self._layer(row, placement, known[name]) for name in self._layers}
        return item

    def _pixels(self, row: dict[str, Any], placement: Placement, offset: int, length: int) -> NDArray[Any]:
        data = self._shards.read(row["run"], row["shard"], offset, length)
        return turned(windows.decode(data, placement.window), placement)

    def _layer(self, row: dict[str, Any], placement: Placement, layer: dict[str, Any]) -> Any:
        return tensors.layer(self._pixels(row, placement, layer["offset"], layer["length"]), layer["scale"])


def _refuse_empty(runs: list[Path], rows: pa.Table, split: str | None, tasks: Sequence[str] | None) -> None:
    """Raise where no pair is left, or a task is named that no run holds."""
    if rows.num_rows and (tasks is None or set(tasks) <= set(rows["task"].to_pylist())):
        return
    every = choose(runs, None, ["split", "task"])
    found = {name: sorted(set(every[name].to_pylist())) for name in ("split", "task")}
    for task in tasks or ():
        if task not in found["task"]:
            raise RecipeError(f"no kept pair has the task `{task}`; {nearest(task, found['task'])}")
    if not rows.num_rows:
        raise RunError(f"no kept pair in {', '.join(map(str, runs))} passes split={split}, tasks={tasks} and the filters; it holds {found}")


def _refuse_without(rows: pa.Table, layers: tuple[str, ...]) -> None:
    """Raise where a pair lacks a layer that is asked for."""
    for name in layers:
        lacking = rows.filter(~has("layers", name))
        if lacking.num_rows:
            known = {layer["name"] for record in rows["layers"].to_pylist() for layer in json.loads(record or "[]")}
            if name not in known:
                raise RunError(f"no pair has the layer `{name}`; {nearest(name, known)}" if known else "no pair has layers: build the run with `layers: true`")
            tasks = ", ".join(sorted(set(lacking["task"].to_pylist())))
            raise RunError(
                f"{lacking.num_rows} of {rows.num_rows} pairs have no layer `{name}` (tasks: {tasks}); "
                f"take only those that have it: filters=[('layers', 'has', '{name}')]"
            )
