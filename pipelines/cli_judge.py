"""The commands that judge: scorers over a run, and limits over their numbers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipelines.cli_options import Address, EngineName, Json, RunFolder, Workers

OtherRecipe = Annotated[Path | None, typer.Option("--recipe", help="Take the scorers and limits of this recipe instead.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (score, select, scorers):
        app.command()(command)


def score(
    run: RunFolder,
    only: Annotated[str | None, typer.Option("--only", help="Scorers, separated by commas; default all that the recipe names. See `patina scorers`.")] = None,
    on: Annotated[Literal["pairs", "photos"], typer.Option("--on", help="The rendered pairs, or the usable photos of the index.")] = "pairs",
    recipe: OtherRecipe = None,
    workers: Workers = None,
    engine: EngineName = "ray",
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Run scorers over everything that has no scores yet; run it again to go on where it stopped."""
    from pipelines import score as verb
    from pipelines.engine import Engine, Options
    from pipelines.run import locked

    opened = _opened(run, recipe)
    with locked(run), Engine(Options(engine, workers, address)) as machine:
        done = verb.score(opened, machine, on, tuple(name.strip() for name in only.split(",")) if only else ())
    if as_json:
        print(json.dumps([one._asdict() for one in done], ensure_ascii=False))
        return
    for one in done:
        missing = "".join(f", {count} {reason}" for reason, count in sorted(one.unscored.items()))
        speed = f"{one.scored} {on} scored, {one.rate:.1f}/s" if one.scored else "nothing left to score"
        print(f"{one.name:<11} {speed}{missing}  ({one.maker})")


def select(run: RunFolder, recipe: OtherRecipe = None, as_json: Json = False) -> None:
    """Apply the recipe's limits to the scores and write the manifest; as often as you like."""
    from pipelines import build as counting
    from pipelines import select as verb
    from pipelines.run import locked

    opened = _opened(run, recipe)
    with locked(run):
        survival = verb.select(opened)
    books = counting.books(opened)
    if as_json:
        print(json.dumps({"books": books.as_json(), "survival": [fallen._asdict() for fallen in survival]}, ensure_ascii=False))
    else:
        print(books)
        print("\n".join(survival_lines(survival)), end="\n" if survival else "")
    raise typer.Exit(0 if books.closed else 1)


def survival_lines(survival: Sequence[Any]) -> list[str]:
    """Return the survival table as text: how many pairs each limit takes, alone and after those above it."""
    if not survival:
        return []
    width = max(len("limit"), *(len(fallen.limit) for fallen in survival))
    rows = [f"{fallen.limit:<{width}}  {fallen.alone:>8}  {fallen.in_order:>8}" for fallen in survival]
    return [f"{'limit':<{width}}  {'alone':>8}  {'in order':>8}", *rows]


def scorers(
    name: Annotated[str | None, typer.Argument(metavar="[SCORER]", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """List the scorers with their settings, and the numbers that limits may name."""
    import filters

    listed = [filters.by_name(name)] if name else filters.FILTERS
    told = [_told(made) for made in listed]
    if as_json:
        print(json.dumps(told, default=str))
        return
    for one in told:
        print(f"{one['name']} (version {one['version']}, scores {' and '.join(one['on'])}): {one['about']}")
        for key, value in one["settings"].items():
            print(f"    {key}: {json.dumps(value, default=str)}")
        for measure in one["measures"]:
            print(f"  {one['name']}.{measure['name']} [{measure['unit']}] {measure['range'][0]:g} to {measure['range'][1]:g}: {measure['meaning']}")
        print()


def _told(made: Any) -> dict[str, Any]:
    settings = made.settings().model_dump(mode="json")
    measures = [measure._asdict() for measure in made.measures]
    return {"name": made.name, "version": made.version, "about": made.about, "on": made.on, "settings": settings, "measures": measures}


def _opened(folder: Path, recipe: Path | None) -> Any:
    """Open a run, with the scorers and limits of another recipe if one is named."""
    from pipelines.recipe import load as load_recipe
    from pipelines.run import load

    opened = load(folder)
    if recipe is None:
        return opened
    page = load_recipe(recipe)
    return dataclasses.replace(opened, recipe=opened.recipe.model_copy(update={"score": page.score, "select": page.select}))
