"""The command `patina`: the verbs of a run, and tools around them.

Heavy libraries are imported by the verb that needs them, so that `patina --help` and `patina plan` start at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.logging import RichHandler

from degrade.errors import PatinaError
from manifests.formats import FORMATS
from pipelines import cli_bench, cli_fetch, cli_join, cli_judge, cli_real, cli_review, cli_tools, inspect
from pipelines.cli_options import Address, EngineName, Inputs, Json, Out, RecipePath, RunFolder, Workers

app = typer.Typer(
    name="patina",
    help="Builds (degraded, clean) photo pairs for training image-restoration models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CLOSED, OPEN = 0, 1


@app.command()
def build(
    recipe: RecipePath,
    out: Out,
    input_: Inputs = None,
    workers: Workers = None,
    engine: EngineName = "ray",
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Do it all: index, plan, render, select, export. Run it again to go on where it stopped."""
    from pipelines import build as verb
    from pipelines.engine import Engine, Options

    with _begun(recipe, out, input_) as (run, inputs), Engine(Options(engine, workers, address)) as machine:
        summary = verb.build(run, inputs, machine)
    if as_json:
        _say_json(summary.as_json())
    else:
        _tell(f"run      {summary.run}", str(summary.books))
        _tell(*cli_judge.survival_lines(summary.survival))
        if summary.rendered:
            _tell(f"speed    {summary.rate:.1f} pairs/s ({summary.rendered} pairs in {summary.seconds:.1f} s)")
        _tell(*(f"export   {folder}" for folder in summary.exports))
        _tell(f"pictures {summary.pictures}" if summary.pictures else "pictures none: no pair was kept", f"report   {summary.report}")
    raise typer.Exit(CLOSED if summary.books.closed else OPEN)


@app.command()
def index(
    recipe: RecipePath,
    out: Out,
    input_: Inputs = None,
    workers: Workers = None,
    engine: EngineName = "ray",
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Open, measure and judge every input, and the images of the banks; one row each."""
    from pipelines import banks
    from pipelines import index as verb
    from pipelines.engine import Engine, Options

    with _begun(recipe, out, input_) as (run, inputs), Engine(Options(engine, workers, address)) as machine:
        counts = verb.index(run, inputs, machine)
        banks.index(run, machine)
    usable = counts.pop("", 0)
    if as_json:
        _say_json({"run": str(out), "usable": usable, "refused": counts})
    else:
        _tell(f"{usable} usable photos, {sum(counts.values())} refused", *(f"  {count:>6}  {reason}" for reason, count in sorted(counts.items())))


@app.command()
def plan(
    run: RunFolder,
    preview: Annotated[bool, typer.Option("--preview", help="Draw the distribution of every parameter.")] = False,
    as_json: Json = False,
) -> None:
    """Draw every pair as a row, without opening a photo."""
    from pipelines import plan as verb
    from pipelines.pictures import figures

    opened = _open(run)
    with _held(run):
        record = verb.plan(opened)
        picture = str(figures.preview(opened)) if preview else None
    if as_json:
        _say_json({"planned": record["planned"], "refused": record["refused"], "counts": record["counts"], "preview": picture})
        return
    _tell(f"{record['planned']} pairs planned in {len(record['rows'])} shards, {record['refused']} refused")
    for name, counts in record["counts"].items():
        _tell(*([f"  {name:<8} " + ", ".join(f"{key} {count}" for key, count in sorted(counts.items()))] if counts else []))
    _tell(*([f"preview {picture}"] if picture else []))


@app.command()
def render(run: RunFolder, workers: Workers = None, engine: EngineName = "ray", address: Address = None, as_json: Json = False) -> None:
    """Make the pictures of every planned shard that is not finished yet."""
    from pipelines import build as counting
    from pipelines import render as verb
    from pipelines.engine import Engine, Options

    opened = _open(run)
    with _held(run), Engine(Options(engine, workers, address)) as machine:
        verb.render(opened, machine)
    rows = counting.sum_rows(opened)
    _say_json({"rendered": rows}) if as_json else _tell(f"{rows} pairs are rendered in {run}")


@app.command()
def report(run: RunFolder, as_json: Json = False) -> None:
    """Draw counts, survival, distributions and contact sheets of a finished run again, e.g. after another `select`."""
    from pipelines.pictures import report as drawing

    opened = _open(run)
    with _held(run):
        page = str(drawing.write(opened))
    _say_json({"report": page}) if as_json else _tell(f"report   {page}")


@app.command()
def export(
    run: RunFolder,
    to: Annotated[str, typer.Option("--to", help=f"One of {', '.join(FORMATS)}.")],
    language: Annotated[Literal["en", "zh"] | None, typer.Option("--language", help="Of the prompts; default the recipe's.")] = None,
    as_json: Json = False,
) -> None:
    """Write the kept pairs in a trainer's own format, with a data set card."""
    from pipelines import export as verb

    opened = _open(run)
    with _held(run):
        folder = verb.export(opened, to, language)
    _say_json({"format": to, "folder": str(folder)}) if as_json else _tell(f"exported to {folder}; {folder / 'README.md'} tells how it is read")


@app.command()
def replay(
    run: RunFolder,
    pair: Annotated[str | None, typer.Option("--pair", help="Its id, or an unambiguous beginning of it.")] = None,
    sample: Annotated[int, typer.Option("--sample", help="Instead of one pair, so many, spread over the run.")] = 0,
    as_json: Json = False,
) -> None:
    """Render a pair again from its row: exact, within tolerance, or (exit 1) different."""
    from degrade.errors import RecipeError
    from pipelines import replay as verb

    if (pair is None) == (sample == 0):
        raise RecipeError("say which: --pair ID, or --sample N")
    opened = _open(run)
    answers = [verb.replay(opened, row) for row in ([verb.row_of(opened, pair)] if pair else verb.spread(opened, sample))]
    if as_json:
        _say_json([answer._asdict() for answer in answers])
    for answer in [] if as_json else answers:
        story = "" if answer.answer == "exact" else f" ({answer.psnr_db:.1f} dB)"
        _tell(f"{answer.pair_id} {answer.answer}{story}: {answer.detail}")
    raise typer.Exit(1 if any(answer.answer == "different" for answer in answers) else 0)


@app.command()
def verify(run: RunFolder, as_json: Json = False) -> None:
    """Prove that every committed byte is what the manifest says."""
    from pipelines import verify as verb

    proof = verb.prove(_open(run))
    if as_json:
        _say_json({**proof._asdict(), "faults": [fault._asdict() for fault in proof.faults]})
    else:
        _tell(*(f"FAULT {fault.place}: {fault.what}" for fault in proof.faults))
        speed = proof.megabytes / max(proof.seconds, 1e-9)
        _tell(f"{proof.pairs} pairs in {proof.shards} shards, {proof.megabytes:.1f} MB at {speed:.0f} MB/s: {len(proof.faults)} faults")
        _tell(*([f"{proof.pending} planned shards are not rendered yet"] if proof.pending else []))
    raise typer.Exit(1 if proof.faults else 0)


for room in (cli_judge, cli_real, inspect, cli_review, cli_fetch, cli_join, cli_bench, cli_tools):  # after the verbs, in the order of `--help`
    room.add_to(app)


@contextlib.contextmanager
def _begun(recipe: Path, out: Path, inputs: list[str] | None) -> Iterator[Any]:
    from pipelines.photos.sources import Source
    from pipelines.recipe import load as load_recipe
    from pipelines.run import begun

    page = load_recipe(recipe)
    given = tuple(Source(path=path) for path in inputs) if inputs else page.sources
    with begun(out, page, recipe.read_text(encoding="utf-8"), given) as run:
        yield run, given


def _open(folder: Path) -> Any:
    from pipelines.run import load

    return load(folder)


def _held(folder: Path) -> Any:
    from pipelines.run import locked

    return locked(folder)


def _tell(*lines: str) -> None:
    for line in lines:
        print(line)


def _say_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


def main() -> None:
    """Run the command line; errors that were raised on purpose are told in one breath, without a traceback."""
    logging.getLogger("patina").setLevel(logging.INFO)
    handler = RichHandler(console=Console(stderr=True), show_path=False) if sys.stderr.isatty() else logging.StreamHandler()
    logging.getLogger("patina").addHandler(handler)
    try:
        app()
    except PatinaError as error:
        print(f"patina: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("patina: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        sys.exit(130)
