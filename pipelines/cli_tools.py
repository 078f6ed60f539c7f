"""The commands that need no run: try one degradation, see the catalogue, examine this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli_options import Json


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (degrade, sheet, kinds, doctor):
        app.command()(command)


def degrade(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO")],
    out: Annotated[Path, typer.Option("--out", help="The degraded picture, .png (or the codec's own ending).")],
    kind: Annotated[str, typer.Option("--kind", help="See `patina kinds`.")],
    severity: Annotated[int, typer.Option("--severity", help="1 (barely visible) to 5 (clearly hurts).")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same picture.")] = 0,
    depth: Annotated[str, typer.Option("--depth", help="geometric, or a depth model by name, hub id or folder.")] = "geometric",
    segments: Annotated[str, typer.Option("--segments", help="superpixels, or a segment model by name, hub id, file or folder.")] = "superpixels",
    partner: Annotated[Path | None, typer.Option("--partner", help="A second photo, for reflection.")] = None,
    bank: Annotated[str | None, typer.Option("--bank", help="A folder, glob or tar of images to draw from: fog, rain, flares, dirt, moire.")] = None,
    as_json: Json = False,
) -> None:
    """Try one degradation on one photo (or, for blur, a clip)."""
    from pipelines import single

    other = single.open_photo(partner) if partner is not None else None
    beside = single.Beside({"depth": depth, "segments": segments}, other, single.open_bank(bank) if bank else ())
    tried = single.try_one(single.open_photo(photo), kind, severity, seed, beside=beside)
    single.save(tried.degraded, out)
    if as_json:
        print(json.dumps({"out": str(out), **tried.step}))
    else:
        print(f"{out}: {_step_line(tried.step)}")


def _step_line(step: dict[str, Any]) -> str:
    from pipelines.pictures.charts import number

    return f"{step['generator']}, stratum {step['stratum']}, {number(step['severity'])} {step['unit']}"


def sheet(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...")],
    out: Annotated[Path, typer.Option("--out", help="The sheet, .png.")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Which degradations; default all. May be repeated.")] = None,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    side: Annotated[int, typer.Option("--side", help="Size of a picture on the sheet, px.")] = 320,
    detail: Annotated[bool, typer.Option("--detail", help="Show the middle at 100 % instead of the whole photo.")] = False,
) -> None:
    """Draw a contact sheet: every degradation at its five strata on each photo."""
    from pipelines.pictures.strata import strata_sheet

    print(strata_sheet(photos, kind or None, seed, side, out, detail=detail))


def kinds(
    name: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Only this one, in full.")] = None,
    as_json: Json = False,
) -> None:
    """List the degradations with their parameters, units and ranges."""
    import degrade as rooms
    from pipelines import catalogue

    listed = [catalogue.describe(rooms.by_name(name))] if name else catalogue.kinds()
    if as_json:
        print(json.dumps(listed, default=str))
        return
    for made in listed:
        print(f"{made['name']} (version {made['version']}, {made['stage']}): {made['about']}")
        bands = "  ".join(f"{stratum}: {band[0]:g}-{band[1]:g}" for stratum, band in made["strata"].items())
        print(f"  severity {made['severity']} [{made['unit']}]  {bands}" + (f"   needs {', '.join(made['needs'])}" if made["needs"] else ""))
        width = max(map(len, made["ranges"]))
        for field, told in made["ranges"].items():
            print(f"    {field:<{width}}  {_value(told['default']):<18} {told['unit']:<8} {told['meaning']}")
        print()


def _value(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], str):
        return f"{value[0]:g} .. {value[1]:g}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def doctor(as_json: Json = False) -> None:
    """Say what is installed, which models are here, and how to get what is not."""
    from pipelines import catalogue

    checks = catalogue.examine()
    if as_json:
        print(json.dumps([check._asdict() for check in checks]))
        return
    width = max(len(check.what) for check in checks)
    for check in checks:
        print(f"{'ok     ' if check.there else 'missing'}  {check.what:<{width}}  {check.detail}")
