"""The commands of real pairs: clean sides made, and the kinds of makers."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from pipelines.cli_options import Address, EngineName, Json, RunFolder, Workers


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (restore, makers):
        app.command()(command)


def restore(run: RunFolder, workers: Workers = None, engine: EngineName = "ray", address: Address = None, as_json: Json = False) -> None:
    """Ask the makers for every clean side that is missing; `render` then writes the pairs. Nothing is asked for twice."""
    from degrade.errors import RunError
    from pipelines.engine import Engine, Options
    from pipelines.real import making
    from pipelines.run import load, locked

    opened = load(run)
    if opened.recipe.real is None:
        raise RunError(f"the recipe of {run} has no section `real`: its clean sides are there already")
    with locked(run), Engine(Options(engine, workers, address)) as machine:
        ends = making.make(opened, opened.recipe.real, machine)
    if as_json:
        print(json.dumps(ends, ensure_ascii=False))
        return
    for name, counts in sorted(ends.items()):
        made = counts.get("", 0)
        refused = "".join(f", {count} {reason}" for reason, count in sorted(counts.items()) if reason)
        print(f"{name:<11} {made} candidates made{refused}")


def makers(
    name: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """List the kinds of makers of clean sides, with their settings."""
    from degrade.errors import RecipeError
    from pipelines.makers import table

    try:
        listed = [table.by_name(name)] if name else list(table.KINDS)
    except ValueError as error:
        raise RecipeError(str(error)) from None
    told: list[dict[str, Any]] = [{"name": kind.name, "about": kind.about, "seeds": kind.chance, "settings": _settings(kind.settings)} for kind in listed]
    if as_json:
        print(json.dumps(told, default=str))
        return
    for one in told:
        print(f"{one['name']}: {one['about']}" + ("" if one["seeds"] else "; the same picture every time"))
        width = max(map(len, one["settings"]))
        for key, (default, meaning) in one["settings"].items():
            print(f"    {key:<{width}}  {default:<22} {meaning}")
        print()


def _settings(model: Any) -> dict[str, tuple[str, str]]:
    """Return the default and the meaning of every setting."""
    return {
        name: ("(needed)" if field.is_required() else json.dumps(field.get_default(call_default_factory=True), default=str), field.description or "")
        for name, field in model.model_fields.items()
    }
