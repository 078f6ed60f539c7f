"""The command `patina bench`: how well restored pictures are restored, by RealIR-Bench's protocol."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

CLOSED, OPEN = 0, 1


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(bench)


def bench(
    degraded: Annotated[Path, typer.Option("--degraded", help="Folder of degraded pictures.")],
    restored: Annotated[Path, typer.Option("--restored", help="Folder of what a model made of them, by the same names; endings may differ.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for bench.json, tasks.csv and pictures.csv.")],
    task: Annotated[str | None, typer.Option("--task", help="E.g. rain; default: the pictures lie in folders named for their tasks.")] = None,
    severity_model: Annotated[str | None, typer.Option("--severity-model", help="Qwen3-VL by name, hub id (@revision) or folder.")] = None,
    severity_url: Annotated[str | None, typer.Option("--severity-url", help="Of an OpenAI-compatible server that has the model.")] = None,
    prompt: Annotated[str, typer.Option("--prompt", help="realir_bench, or patina: finer, but not comparable with published scores.")] = "realir_bench",
    reading: Annotated[Literal["likeliest", "expected"], typer.Option("--reading", help="Levels: likeliest, as published, or expected.")] = "likeliest",
    least_answered: Annotated[float, typer.Option("--least-answered", help="Probability of any level below which a picture is in no mean.")] = 0.5,
    lpips_net: Annotated[str, typer.Option("--lpips-net", help="alex (published), vgg or squeeze.")] = "alex",
    lpips_weights: Annotated[Path | None, typer.Option("--lpips-weights", help="File of that backbone; default torchvision's own.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="E.g. cuda:1; default the first GPU, else the CPU.")] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Pictures at once.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value for machines.")] = False,
) -> None:
    """Score restored pictures by RealIR-Bench: RS, LPIPS and FS = 0.2 (1 - LPIPS) RS, per task and on average."""
    from filters import fidelity, severity
    from pipelines import bench as verb
    from pipelines.couples import couples

    pairs = couples(degraded, restored, task)  # before any model is opened
    apart = _settings(fidelity.FILTER, {"lpips": lpips_net, "lpips_weights": _path(lpips_weights), "lpips_px": None, "dino": "none"})
    judging = {"prompt": prompt, "least_answered": least_answered, "most_entropy": math.log2(5), "batch": batch}  # greedy decoding knows no entropy
    felt = _settings(severity.FILTER, {**judging, **_asked(severity_model, severity_url)})
    result = verb.judge(pairs, severity.FILTER.open(felt, device), fidelity.FILTER.open(apart, device), reading, batch)
    result.told["prompt"] = prompt
    verb.write(result, out)
    if as_json:
        refused = [refused._asdict() for refused in result.refused]
        print(json.dumps({"out": str(out), **result.told, "table": [line._asdict() for line in result.lines], "refused": refused}))
    else:
        _show(result, out)
    raise typer.Exit(OPEN if result.refused or not all(line.pictures for line in result.lines) else CLOSED)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _asked(model: str | None, url: str | None) -> dict[str, Any]:
    """Return the settings that say which model judges."""
    by_name = {} if model is None else {"model": model}
    return by_name if url is None else {**by_name, "backend": "server", "url": url}


def _settings(made: Any, page: dict[str, Any]) -> Any:
    """Return a scorer's settings from the command line; raises RecipeError for what cannot be meant."""
    from pydantic import ValidationError

    from degrade.errors import RecipeError

    try:
        return made.settings(**page)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or made.name}: {one['msg']}" for one in error.errors())
        raise RecipeError(f"{made.name}: {told}") from error


def _show(result: Any, out: Path) -> None:
    """Print the table, what was left out of it, and where everything is."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"RealIR-Bench, {result.told['reading']} levels, prompt {result.told['prompt']}")
    for title in ("task", "pictures", "RS", "LPIPS", "FS", "drop", "worse"):
        table.add_column(title, justify="left" if title == "task" else "right")
    for line in result.lines:
        told = ((line.rs, ".3f"), (line.lpips, ".3f"), (line.fs, ".3f"), (line.drop, "+.3f"), (line.worse_frac, ".0%"))
        numbers = ("-" if number is None else format(number, form) for number, form in told)
        table.add_row(line.task, str(line.pictures), *numbers, end_section=line is result.lines[-2])
    Console().print(table)
    if left_out := result.lines[-1].left_out:
        print(f"{left_out} pictures are in no mean: the model would not commit itself")
    if unsure := [line.task for line in result.lines if not line.pictures]:
        print(f"NOT IN THE AVERAGE {', '.join(unsure)}: the model committed itself on none of their pictures")
    if resized := sum(bool(verdict.resized_from) for verdict in result.verdicts):
        print(f"{resized} restored pictures had another size than the degraded one and were brought to it")
    for refused in result.refused:
        print(f"REFUSED {refused.task} {refused.name}: {refused.reason}, {refused.detail}")
    print(f"{out / 'bench.json'}, {out / 'tasks.csv'}, {out / 'pictures.csv'}")
