"""Pictures that no network was trained on: a split of a run, held out by photo, or a folder of real pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.train.names import by_stem
from degrade.contract import Srgb
from degrade.errors import RunError
from degrade.keys import nearest
from degrade.stream import stream
from manifests import PairDataset
from manifests.commit import read_table
from pipelines.photos import decode
from pipelines.photos.decode import DecodeRules


class Unseen(NamedTuple):
    """One pair to be judged by."""

    test: str  # which set it is of
    group: str  # its task, or `real`
    name: str
    photo: str  # which photo it is of: sha256, or its name
    degraded: Srgb
    clean: Srgb


class HeldOut(NamedTuple):
    """What a run keeps from training."""

    tasks: list[str]
    photos: list[str]  # sha256


def held_out(run: Path, split: str, only: Collection[str] = ()) -> HeldOut:
    """Return the tasks and photos of a split.

    Args:
        run: the run folder.
        split: that is held out.
        only: tasks to be judged by; default all that there are.

    Raises:
        RunError: the run is not finished, or has no such split, or no such task in it.
    """
    if not (run / "manifest.parquet").exists():
        raise RunError(f"{run} is no finished run (no manifest.parquet): finish it with `patina build`")
    table = read_table(run / "manifest.parquet", ["task", "split", "verdict", "photo_sha256"])
    kept = table.filter(pc.equal(table.column("verdict"), "keep"))
    here = kept.filter(pc.equal(kept.column("split"), split))
    if not here.num_rows:
        splits = ", ".join(sorted(set(kept.column("split").to_pylist())))
        raise RunError(f"{run} holds no pair of the split `{split}` (it has: {splits}); give --split, or a recipe with `split: {{train: 0.8, test: 0.2}}`")
    tasks, photos = (sorted(pc.unique(pc.cast(here.column(name), pa.string())).to_pylist()) for name in ("task", "photo_sha256"))
    for task in only:
        if task not in tasks:
            raise RunError(f"{run} holds out no pair of `{task}`; {nearest(task, tasks)}")
    return HeldOut([task for task in tasks if not only or task in only], photos)


def tasks_of(run: Path) -> set[str]:
    """Return the tasks of which a finished run has kept pairs."""
    rows = read_table(run / "manifest.parquet", ["task", "verdict"]).to_pylist()
    return {row["task"] for row in rows if row["verdict"] == "keep"}


def of_run(run: Path, split: str, tasks: list[str], most: int) -> Iterator[Unseen]:
    """Yield at most so many pairs of each task: a fair sample, the same for every contest."""
    photos = {row["pair_id"]: row["photo_sha256"] for row in read_table(run / "manifest.parquet", ["pair_id", "photo_sha256"]).to_pylist()}
    for task in tasks:
        pairs = PairDataset(run, split=split, tasks=[task])
        for index in stream(0, "held out", task).permutation(len(pairs))[:most].tolist():
            item = pairs[index]
            degraded, clean = (np.ascontiguousarray(item[side].permute(1, 2, 0).numpy()) for side in ("degraded", "clean"))
            yield Unseen(f"{run.name}, {split}", task, item["pair_id"], photos[item["pair_id"]], degraded, clean)


def of_folder(folder: Path) -> Iterator[Unseen]:
    """Yield the pairs of a folder: `clean/` and `degraded/`, by the same names; the endings may differ.

    Raises:
        RunError: a picture has no partner, or one of another size; or two of a side have one name.
        BadSample: a picture cannot be read.
    """
    sides = {side: by_stem(path for path in sorted((folder / side).glob("*")) if path.is_file()) for side in ("degraded", "clean")}
    alone = sorted(sides["degraded"].keys() ^ sides["clean"].keys())
    if alone or not sides["clean"]:
        story = f"{alone[0]} has no partner" if alone else "there is nothing in them"
        raise RunError(f"{folder} must hold clean/ and degraded/ with pictures of the same names: {story}")
    for name in sides["clean"]:
        degraded, clean = (decode.decode(sides[side][name].read_bytes(), DecodeRules()).pixels for side in ("degraded", "clean"))
        if degraded.shape != clean.shape:
            sizes = " and ".join(f"{side.shape[1]} x {side.shape[0]}" for side in (degraded, clean))
            raise RunError(f"{folder}: {name} is {sizes} px; the sides of a pair must have one size")
        yield Unseen(folder.name, "real", name, name, degraded, clean)
