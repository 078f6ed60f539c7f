"""What several commands ask for in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, e.g. configs/demo.yaml.")]
Out = Annotated[Path, typer.Option("--out", help="The run folder: new, empty, or one to go on with.")]
Inputs = Annotated[list[str] | None, typer.Option("--input", help="File, folder, glob, tar or list; instead of the recipe's sources. May be repeated.")]
Workers = Annotated[int | None, typer.Option("--workers", help="How many workers; default one per core.")]
EngineName = Annotated[Literal["ray", "serial"], typer.Option("--engine", help="ray, or serial: one worker, for debugging. The bytes are the same.")]
Address = Annotated[str | None, typer.Option("--address", help="Of a Ray cluster, e.g. ray://head:10001 or auto; default this machine.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value for machines.")]
