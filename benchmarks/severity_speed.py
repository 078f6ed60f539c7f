"""`python -m benchmarks.severity_speed`: the one-pass score beside generate-and-parse, same model, same batch, same run.

The other protocol is RealIR-Bench's: the same pictures and questions, one question at a time, greedy decoding, an answer parsed
from text. It is timed with as many tokens as it may write (32 as published, 64), and with the few after which an obedient model
stops. A score asks more than one question about a picture: two wordings, which are averaged, or all nine tasks of a photo that was
found without one; one reading of the picture then serves them all. A CPU's cores all work on it, as they do for the scorer
(`Wants.whole_cpu`). Weights are random, in the shape of the real ones where a GPU
takes it: times do not depend on their values, judgements would.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import degrade
from benchmarks import random_qwen
from degrade.contract import Srgb
from degrade.stream import stream
from filters.vlm import crops, prompts
from filters.vlm.backend import Question
from filters.vlm.local import Local
from pipelines.guard import ENVIRONMENT

PUBLISHED = 32  # new tokens that RealIR-Bench lets a model write
ANSWER = 7  # tokens of an obedient answer in its form, with the end of the turn
ROOM = 64
TASK = "rain"


def pictures(count: int, area_px: int) -> list[Srgb]:
    """Return random pictures in landscape format."""
    rng = stream(0, "severity_speed", TASK)
    return [crops.scaled(rng.integers(0, 256, (683, 1024, 3), dtype=np.uint8), area_px) for _ in range(count)]


def texts() -> dict[str, list[str]]:
    """Return what is asked about a picture: the benchmark's one question, our two wordings, and the benchmark's about nine tasks."""
    nine = [task for task in degrade.NAMES if task != "web"]
    return {
        "one question": [prompts.wordings("realir_bench", TASK, parts=False)[0].text],
        "two wordings": [one.text for one in prompts.wordings("patina", TASK, parts=False)],
        "nine tasks": [prompts.wordings("realir_bench", task, parts=False)[0].text for task in nine],
    }


def generate(local: Local, asked: list[Question], tokens: int) -> list[str]:
    """Return what the model writes, greedily; with random weights it never stops by itself, so it writes all of `tokens`."""
    import torch

    inputs = local.inputs(asked)
    with torch.inference_mode():
        written = local.model.generate(**inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
    return local.processor.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def measure(shape: str, device: str, batch: int, rounds: int, area_px: int, dtype: str | None = None) -> dict[str, Any]:
    """Time all protocols in turn, round by round; answer medians of milliseconds per picture, wall and processor."""
    model, processor = random_qwen.build(random_qwen.SHAPES[shape], device, dtype)
    shown = pictures(batch, area_px)
    asked = {name: [[Question((picture,), text) for picture in shown] for text in several] for name, several in texts().items()}
    local = Local(model, processor, f"random {shape}", batch * max(map(len, asked.values())))
    works = _protocols(local, asked)
    for name in asked:
        works[name, 0]()  # warm: the first pass allocates and chooses kernels
    generate(local, asked["one question"][0], 2)
    times: dict[tuple[str, int], list[tuple[float, float]]] = {protocol: [] for protocol in works}
    for _ in range(rounds):
        for protocol, work in works.items():
            times[protocol].append(_timed(work, batch))
    medians = {protocol: [statistics.median(column) for column in zip(*taken, strict=True)] for protocol, taken in times.items()}
    rows = [
        {
            "asked": name,
            "questions": len(asked[name]),
            "tokens_written": tokens,
            "wall_ms": wall,
            "cpu_ms": cpu,
            "images_per_s": 1e3 / wall,
            "times_one_pass": wall / medians[name, 0][0],
            "times_one_pass_cpu": cpu / medians[name, 0][1],
        }
        for (name, tokens), (wall, cpu) in medians.items()
    ]
    read = int(local.inputs(asked["one question"][0])["input_ids"].shape[1])
    told = {"weights": sum(weight.numel() for weight in model.parameters()), "tokens_read": read, "dtype": str(model.dtype)}
    return {"shape": shape, "device": _named(device), "batch": batch, "rounds": rounds, "area_px": area_px, **told, "protocols": rows}


def _protocols(local: Local, asked: dict[str, list[list[Question]]]) -> dict[tuple[str, int], Callable[[], Any]]:
    """Return what is raced, by what is asked and how many tokens are written: none in one pass."""
    works: dict[tuple[str, int], Callable[[], Any]] = {}
    for name, rounds in asked.items():
        works[name, 0] = functools.partial(local.digits, [question for questions in rounds for question in questions])
        for tokens in (ANSWER, PUBLISHED, ROOM) if len(rounds) == 1 else (PUBLISHED,):
            works[name, tokens] = functools.partial(_written, local, rounds, tokens)
    return works


def _written(local: Local, rounds: list[list[Question]], tokens: int) -> list[list[str]]:
    """Return what the model writes, one question after the other, as the benchmark asks."""
    return [generate(local, questions, tokens) for questions in rounds]


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
    columns = f"{'asked about a picture':<24}{'protocol':<28}{'ms/image':>10}{'CPU ms/image':>14}{'images/s':>11}{'x one pass':>12}{'x by CPU time':>15}"
    lines = [head, columns]
    for told in figures["protocols"]:
        protocol = f"generate, {told['tokens_written']} tokens each" if told["tokens_written"] else "one pass"
        line = f"{told['asked']:<24}{protocol:<28}{told['wall_ms']:>10.1f}{told['cpu_ms']:>14.1f}{told['images_per_s']:>11.2f}"
        lines.append(f"{line}{told['times_one_pass']:>12.1f}{told['times_one_pass_cpu']:>15.1f}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.severity_speed", description=__doc__)
    parser.add_argument("--device", default="cpu", help="a torch device")
    parser.add_argument("--shape", choices=random_qwen.SHAPES, default="small")
    parser.add_argument("--batch", type=int, default=1, help="pictures at once; the published protocol takes one")
    parser.add_argument("--side", type=int, default=512, help="pictures have the area of a square of this side in px; 512 is the published protocol's")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of torch, on a CPU; by default as many as there are cores")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), help="default: what the scorer takes here for a checkpoint in bfloat16")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    figures = measure(options.shape, options.device, options.batch, options.rounds, options.side**2, options.dtype)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    if not ENVIRONMENT.items() <= os.environ.items():  # measure under the conditions in which the scorer works
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.severity_speed", *sys.argv[1:]], {**os.environ, **ENVIRONMENT})
    main()
