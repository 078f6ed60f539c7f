"""The command `patina join`: synthetic and real runs as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli_options import Json


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(join)


def join(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The joined run: a new or empty folder, or the same join again.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished runs, synthetic and real.")],
    as_json: Json = False,
) -> None:
    """Make one run of several, with splits that hold over all of them; pictures are linked, not copied."""
    from pipelines import join as verb
    from pipelines.run import locked

    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        joint = verb.join(out, runs)
    if as_json:
        print(json.dumps({"out": str(out), **joint._asdict()}))
        return
    kept = ", ".join(f"{count} {origin}" for origin, count in sorted(joint.kept.items()))
    print(f"{out}: {joint.pairs} pairs of {len(runs)} runs, kept {kept or 'none'}")
    for move, count in sorted(joint.moved.items()):
        print(f"  {count} refused: held_out ({move})")
