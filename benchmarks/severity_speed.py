"""`python -m benchmarks.severity_speed`: the one-pass score beside generate-and-parse, same model, same batch, same run.

The other protocol is RealIR-Bench's: the same pictures and question, greedy decoding, an answer parsed from text. It is timed
with as many tokens as it may write (32 as published, 64), and with the few after which an obedient model stops. Weights
are random, in the shape of the real ones where a GPU takes it: times do not depend on their values, judgements would.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import random_qwen
from degrade.stream import stream
from filters.vlm import crops, prompts
from filters.vlm.backend import Question
from filters.vlm.local import Local

WRITTEN = {"generate, stops after its answer": 7, "generate, as published": 32, "generate, room to think": 64}  # new tokens


def questions(count: int, task: str, area_px: int) -> list[Question]:
    """Return the question of the benchmark's protocol about each of some pictures."""
    rng = stream(0, "severity_speed", task)
    pictures = [rng.integers(0, 256, (683, 1024, 3), dtype=np.uint8) for _ in range(count)]
    text = prompts.wordings("realir_bench", task, parts=False)[0].text
    return [Question((crops.scaled(picture, area_px),), text) for picture in pictures]


def generate(local: Local, asked: list[Question], tokens: int) -> list[str]:
    """Return what the model writes, greedily; with random weights it never stops by itself, so it writes all of `tokens`."""
    import torch

    inputs = local.inputs(asked)
    with torch.inference_mode():
        written = local.model.generate(**inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
    return local.processor.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def measure(shape: str, device: str, batch: int, rounds: int, area_px: int) -> dict[str, Any]:
    """Time all protocols in turn, round by round; answer medians of milliseconds per picture, wall and processor."""
    model, processor = random_qwen.build(random_qwen.SHAPES[shape], device)
    local = Local(model, processor, f"random {shape}", batch)
    asked = questions(batch, "rain", area_px)
    works: dict[str, Callable[[], Any]] = {"one pass": lambda: local.digits(asked)}
    for name, tokens in WRITTEN.items():
        works[name] = lambda tokens=tokens: generate(local, asked, tokens)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    works["one pass"]()  # warm: the first pass allocates and chooses kernels
    generate(local, asked, 2)
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(_timed(work, batch))
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    quick = medians["one pass"][0]
    rows = {
        name: {
            "tokens_written": WRITTEN.get(name, 0),
            "wall_ms": wall,
            "cpu_ms": cpu,
            "images_per_s": 1e3 / wall,
            "times_one_pass": wall / quick,
            "times_one_pass_cpu": cpu / medians["one pass"][1],
        }
        for name, (wall, cpu) in medians.items()
    }
    read = int(local.inputs(asked)["input_ids"].shape[1])
    told = {"weights": sum(weight.numel() for weight in model.parameters()), "tokens_read": read, "dtype": str(model.dtype)}
    return {"shape": shape, "device": _named(device), "batch": batch, "rounds": rounds, "area_px": area_px, **told, "protocols": rows}


def _timed(work: Callable[[], Any], batch: int) -> tuple[float, float]:
    """Return wall and processor milliseconds per picture."""
    begin, spent = time.perf_counter(), time.process_time()
    work()  # ends with numbers or text on the CPU, so the GPU has finished
    return 1e3 * (time.perf_counter() - begin) / batch, 1e3 * (time.process_time() - spent) / batch


def _named(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} thread(s)"


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    size, kind, place = f"{figures['weights'] / 1e6:,.0f} M", figures["dtype"], figures["device"]
    head = f"Qwen3-VL, random weights, shape {figures['shape']} ({size}), {kind}, {place}, batch {figures['batch']}"
    head += f", {figures['area_px']:,} px, {figures['tokens_read']} tokens read"
    columns = f"{'protocol':<36}{'tokens written':>16}{'ms/image':>12}{'CPU ms/image':>14}{'images/s':>11}{'x one pass':>12}{'x by CPU time':>15}"
    lines = [head, columns]
    for name, told in figures["protocols"].items():
        line = f"{name:<36}{told['tokens_written']:>16}{told['wall_ms']:>12.1f}{told['cpu_ms']:>14.1f}{told['images_per_s']:>11.2f}"
        lines.append(f"{line}{told['times_one_pass']:>12.1f}{told['times_one_pass_cpu']:>15.1f}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.severity_speed", description=__doc__)
    parser.add_argument("--device", default="cpu", help="a torch device")
    parser.add_argument("--shape", choices=random_qwen.SHAPES, default="small")
    parser.add_argument("--batch", type=int, default=1, help="pictures at once; the published protocol takes one")
    parser.add_argument("--side", type=int, default=512, help="pictures have the area of a square of this side in px; 512 is the published protocol's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch, on a CPU")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    figures = measure(options.shape, options.device, options.batch, options.rounds, options.side**2)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
