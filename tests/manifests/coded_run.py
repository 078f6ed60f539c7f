"""A run whose pixels say where they come from: clean is (y, x, pair), degraded its negative, the layer 256 * y + x."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from manifests import commit, png, shards
from manifests.schema import PAIR
from manifests.shards import Layer, Member, ShardWriter

TASKS = ("blur", "haze", "noise")


def coded(number: int, height: int, width: int) -> np.ndarray:
    """Return HxWx3 uint8: each pixel's row, column and pair."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y, x, np.full_like(y, number)], axis=-1).astype(np.uint8)


def row_of(number: int, size: tuple[int, int], origin: str, shard: str) -> dict[str, Any]:
    """Return a row with what a trainer reads."""
    task = TASKS[number % len(TASKS)]
    told = {"pair_id": f"{origin}{number:04d}", "task": task, "origin": origin, "split": "train", "shard": shard, "height": size[0], "width": size[1]}
    numbers = {"severity": float(number), "unit": "px", "stratum": 1 + number % 5, "scores": [("psnr_db", 20.0 + number)]}
    words = {"prompt_en": f"Remove the {task}.", "prompt_zh": "去除模糊。", "verdict": "keep", "steps": "[]"}
    return {**dict.fromkeys(PAIR.names), **told, **numbers, **words}


def write(run: Path, counts: Sequence[int], sizes: Sequence[tuple[int, int]] = ((40, 48),), origin: str = "synthetic") -> Path:
    """Write a run whose shards hold so many pairs each, of these sizes (height, width) in turn; answer its folder."""
    number = 0
    for at, count in enumerate(counts):
        shard = f"train-{at:05d}"
        with ShardWriter(run, shard, "f") as writer:
            for _ in range(count):
                size = sizes[number % len(sizes)]
                clean = coded(number, *size)
                layer = Layer("depth", png.encode(clean[..., 0].astype(np.uint16) * 256 + clean[..., 1]), 65535.0)
                layers = [layer] if number % 2 == 0 else []
                pair = [Member(png.encode(side), "image/png") for side in (clean, 255 - clean)]
                writer.add_pair(row_of(number, size, origin, shard), *pair, layers)
                number += 1
    tables = [commit.read_table(shards.rows_path(run, shard)) for shard in shards.committed(run)]
    commit.write_table(run / "manifest.parquet", pa.concat_tables(tables))
    return run
