"""The verb `inspect`: the page for looking at a run and reviewing it, served on this machine or written as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from degrade.errors import RecipeError

PORT = 8765


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(inspect)


def inspect(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    port: Annotated[int, typer.Option("--port", help="On 127.0.0.1; 0 takes any that is free.")] = PORT,
    html: Annotated[Path | None, typer.Option("--html", help="Instead of serving, write the page of a sample here, to open from disk.")] = None,
    sample: Annotated[int, typer.Option("--sample", help="With --html: how many pairs, evenly over tasks and strata.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value for machines.")] = False,
) -> None:
    """Look at the pairs in a browser, filter, compare and review them."""
    opened = opened_for_looking(run)
    if html is not None:
        from manifests.page import files

        if sample < 1:
            raise RecipeError("--sample: at least one pair")
        shown = files.write(opened, html, sample)
        page = html / "index.html"
        print(json.dumps({"page": str(page), "pairs": shown}) if as_json else f"{page}: {shown} pairs")
        return
    from manifests.page.server import PageServer

    with PageServer(opened, port) as server:
        print(json.dumps({"url": server.url}) if as_json else f"{server.url}  (Ctrl-C ends it)", flush=True)
        server.serve_forever()


def opened_for_looking(folder: Path) -> Any:
    """Open a finished run for the page, an InspectedRun; raises RunError for one without a manifest."""
    from manifests.page.run import About, InspectedRun
    from pipelines.run import load

    run = load(folder)
    return InspectedRun(folder, About(run.recipe.name, run.recipe.select.limits, vocabulary(), strata(), measures()))


def vocabulary() -> dict[str, dict[str, Any]]:
    """Return what the generators say of their parameters, by generator: a parameter is drawn from the range that bears its name."""
    from pipelines import catalogue

    return {kind["name"]: _told(kind["ranges"]) for kind in catalogue.kinds()}


def _told(ranges: dict[str, Any]) -> dict[str, Any]:
    from manifests.page.row import Parameter

    return {name: Parameter("" if told["unit"] == "name" else told["unit"], told["meaning"] or "") for name, told in ranges.items()}


def measures() -> dict[str, Any]:
    """Return what scorers say of their numbers, by `scorer.measure`, in the order in which they announce them."""
    import degrade
    import filters
    from manifests.page.row import Parameter

    found = {}
    for made in filters.FILTERS:
        for measure in made.measures:
            for task in degrade.NAMES if "{task}" in measure.name else ("",):
                found[f"{made.name}.{measure.name.format(task=task)}"] = Parameter(measure.unit, measure.meaning)
    return found


def strata() -> dict[str, tuple[float, ...]]:
    """Return the edges of every task's strata, in its own unit."""
    import degrade

    return {generator.name: generator.strata for generator in degrade.GENERATORS}
