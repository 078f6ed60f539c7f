"""`python -m benchmarks.clip_speed`: photos per second of the CLIP filter, decoded and cut by threads, and how busy its network is kept.

The network has the real shape and random weights, saved and opened as a user's checkpoint: times do not depend on their values.
Three rates of the same photos in the same run: the threads alone (decode a 1024 x 1024 JPEG, cut frame and tiles), the
network alone (views ready in memory), and both together as a job runs them. `busy` is the last over the second: the
share of the time in which the network works; on an NVIDIA GPU the driver's own figure stands beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from benchmarks import photos
from filters.clip import Clip, ClipSettings, Seen
from filters.contract import Photo

SMALL = {  # for a CPU: a hundredth of ViT-L-14
    "embed_dim": 256,
    "vision_cfg": {"image_size": 224, "layers": 6, "width": 256, "patch_size": 32, "head_width": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 2},
}
AHEAD = 3  # batches that are cut while one is scored, as in `pipelines/scoring/feed.py`


def checkpoint(folder: Path, shape: str) -> Path:
    """Save a network with random weights as a checkpoint; `small`, or the name of an open_clip architecture."""
    import open_clip
    import torch
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    torch.manual_seed(0)
    config = SMALL if shape == "small" else open_clip.get_model_config(shape)
    if config is None:
        raise SystemExit(f"open_clip has no architecture {shape}; some: small, ViT-B-32, ViT-L-14, ViT-H-14")
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    save_file({name: values.contiguous() for name, values in CLIP(**config).state_dict().items()}, folder / "open_clip_model.safetensors")
    return folder


def views(scorer: Clip, path: Path) -> Seen:
    """Decode a photo and cut its views: what one thread does for one photo."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    return scorer.prepare(Photo(path.name, pixels))


def fed(scorer: Clip, paths: list[Path], batch: int, threads: int) -> Iterator[list[Seen]]:
    """Yield batches of views, cut by threads ahead of whoever takes them."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[list[Future[Seen]]] = deque()
        for at in range(0, len(paths), batch):
            waiting.append([pool.submit(views, scorer, path) for path in paths[at : at + batch]])
            if len(waiting) > AHEAD:
                yield [one.result() for one in waiting.popleft()]
        while waiting:
            yield [one.result() for one in waiting.popleft()]


class Driver:
    """Samples what the NVIDIA driver says of the GPU, in percent, while it is open; nothing where there is no driver."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if shutil.which("nvidia-smi"):
            self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        ask = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not self._stop.wait(0.3):
            answer = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.split()
            if answer:
                self.samples.append(float(answer[0]))


def rate(count: int, work: Callable[[], Any]) -> float:
    """Return photos per second of some work on `count` photos."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def measure(shape: str, device: str | None, *, count: int, batch: int, threads: int, tiles: int) -> dict[str, Any]:
    """Take the three rates in turn, three times over; answer medians."""
    with tempfile.TemporaryDirectory() as folder:
        real = photos.prepare(Path(folder) / "photos")
        begin = time.perf_counter()
        scorer = Clip(ClipSettings(model=str(checkpoint(Path(folder) / "clip", shape)), tiles=tiles), device)
        opened = time.perf_counter() - begin
        paths = [real[at % len(real)] for at in range(count)]
        ready = list(fed(scorer, paths, batch, threads))
        scorer.score(ready[0])  # warm: the first pass allocates and chooses kernels
        found: dict[str, list[float]] = {"threads": [], "network": [], "together": []}
        driver = Driver()
        for _ in range(3):
            found["threads"].append(rate(count, lambda: deque(fed(scorer, paths, batch, threads), maxlen=0)))
            found["network"].append(rate(count, lambda: [scorer.score(one) for one in ready]))
        with driver:
            for _ in range(3):
                found["together"].append(rate(count, lambda: [scorer.score(one) for one in fed(scorer, paths, batch, threads)]))
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    told = {"shape": shape, "device": str(scorer._network.device), "tiles": tiles, "batch": batch, "cut_by": threads, "open_s": opened}  # noqa: SLF001  a benchmark may look
    busy = {"busy": medians["together"] / medians["network"], "driver_busy": statistics.mean(driver.samples) / 100 if driver.samples else None}
    return {**told, **{f"{name}_per_s": value for name, value in medians.items()}, **busy}


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    views_each = 1 + figures["tiles"]
    head = f"CLIP {figures['shape']} on {figures['device']}: {views_each} views of each 1024 x 1024 photo, "
    head += f"batches of {figures['batch']}, {figures['cut_by']} threads"
    lines = [f"  {name:<26}{figures[key]:>9.1f} photos/s{figures[key] * views_each:>10.0f} views/s" for name, key in LINES.items()]
    driver = f", {100 * figures['driver_busy']:.0f} % by the driver" if figures["driver_busy"] is not None else ""
    return "\n".join([head, *lines, f"  the network is busy {100 * figures['busy']:.0f} % of the time{driver} (goal 80 %)"])


LINES = {"threads alone": "threads_per_s", "network alone": "network_per_s", "together, as a job": "together_per_s"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="small", help="small, or an open_clip architecture such as ViT-L-14")
    parser.add_argument("--device", help="a torch device; by default the first GPU, else the CPU")
    parser.add_argument("--photos", type=int, default=48, help="per round")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2, help="that decode and cut")
    parser.add_argument("--tiles", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures = measure(options.shape, options.device, count=options.photos, batch=options.batch, threads=options.threads, tiles=options.tiles)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
