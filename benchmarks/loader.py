"""What a trainer waits for: pairs per second from a DataLoader against bare decoding of the same members.

A run of 1024 x 1024 pairs of all tasks that need no bank; crops of 512, mirrored and turned, stacked in batches of 8.
Bare decoding is a DataLoader with as many workers that reads and decodes whole members and hands over nothing, once by
OpenCV and once by our own reader. All take turns; beside the clock stands the processor time per pair, start of the
workers included, which neighbours on the machine disturb less.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manifests import Augment, EpochSampler, PairDataset, PairStream, commit, pictures, png, windows
from manifests.open_shards import OpenShards
from pipelines.build import build
from pipelines.engine import Engine, Options
from pipelines.photos.sources import Source
from pipelines.recipe import parse
from pipelines.run import create

ROUNDS, VARIANTS, WORKERS = 5, 24, 2
BATCH, CROP = 8, 512


class Bare:
    """Reads and decodes the two members of each pair, whole, and keeps nothing.

    Args:
        run: the run folder.
        decode: bytes to pixels.
    """

    def __init__(self, run: Path, decode: Callable[[bytes], Any]) -> None:
        rows = commit.read_table(run / "manifest.parquet").to_pylist()
        self._rows = [row for row in rows if row["verdict"] == "keep"]
        self._shards, self._decode = OpenShards([run]), decode

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> int:
        row = self._rows[index]
        for side in ("degraded", "clean"):
            self._decode(self._shards.read(0, row["shard"], row[f"{side}_offset"], row[f"{side}_length"]))
        return index


def measure(folder: Path, photos: list[Path], _pairs: int) -> dict[str, Any]:
    """Race loaders against bare decoding; answer median pairs per second and processor milliseconds per pair."""
    from torch.utils.data import DataLoader

    run = _run(folder / "loader", photos)
    pairs = PairDataset(run, augment=Augment(crop=CROP, flip=True, rotate=True))
    workers = min(WORKERS, os.cpu_count() or 1)
    loaders = {
        "stream": DataLoader(PairStream(pairs, BATCH), batch_size=None, num_workers=workers),
        "dataset": DataLoader(pairs, batch_sampler=EpochSampler(pairs, BATCH), num_workers=workers),
        "whole": DataLoader(PairStream(PairDataset(run), BATCH), batch_size=None, num_workers=workers),
        "opencv": DataLoader(Bare(run, pictures.decode), batch_size=BATCH, num_workers=workers),
        "ours": DataLoader(Bare(run, windows.decode), batch_size=BATCH, num_workers=workers),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in loaders}
    for turn in range(ROUNDS + 1):
        for name, loader in loaders.items():
            begin, busy = time.perf_counter(), _processor_s()
            for _ in loader:
                pass
            if turn:  # the first round warms
                found[name].append((len(pairs) / (time.perf_counter() - begin), 1000 * (_processor_s() - busy) / len(pairs)))
    medians = {name: [statistics.median(values) for values in zip(*times, strict=True)] for name, times in found.items()}
    return {"workers": workers, "pairs": len(pairs), **{name: {"pairs_per_s": a, "cpu_ms": b} for name, (a, b) in medians.items()}}


def _processor_s() -> float:
    """Return the processor seconds of this process and of all children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _run(folder: Path, photos: list[Path]) -> Path:
    """Build the run that is read."""
    lossless = folder.with_name("lossless")  # or a clean side would be the photo's own JPEG, byte by byte, which is quick to read
    for path in photos:
        commit.write_bytes(lossless / f"{path.stem}.png", png.encode(pictures.decode(path.read_bytes())))
    sources = (Source(path=str(lossless)),)
    page = parse({"tasks": {"compression": {}, "noise": {}, "low_light": {}}, "variants": VARIANTS, "crop": {"size": 1024}, "render": {"shard_pairs": 24}})
    run = create(folder, page, "", sources)
    with Engine(Options("serial", None)) as machine:
        build(run, sources, machine)
    return run.folder


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"loader: {figures['pairs']} pairs of 1024 x 1024, crops of {CROP}, batches of {BATCH}, {figures['workers']} workers (goal 80 % of bare decoding)"]
    bare = {"opencv": "bare decoding, OpenCV", "ours": "bare decoding, our reader"}
    for name, words in {"stream": "PairStream", "dataset": "PairDataset", "whole": "PairStream, no crop", **bare}.items():
        rate, cpu = figures[name]["pairs_per_s"], figures[name]["cpu_ms"]
        line = f"  {words:26s} {rate:6.1f} pairs/s {cpu:6.1f} ms CPU/pair"
        for other, told in bare.items() if name not in bare else ():
            line += f"   {100 * rate / figures[other]['pairs_per_s']:4.0f} % (CPU {100 * figures[other]['cpu_ms'] / cpu:.0f} %) of {told[15:]}"
        lines.append(line)
    return "\n".join(lines)
