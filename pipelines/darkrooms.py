"""Which darkroom renders the rows of a run: degradations that are made, candidates for photos that are degraded already, or the runs it was joined from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from pipelines import pair
from pipelines.real.darkroom import RealDarkroom
from pipelines.run import Run, load, require


class Darkroom(Protocol):
    """Turns rows into pairs."""

    def render(self, row: dict[str, Any]) -> pair.Pair:
        """Return the pair of a row; raises BadSample when nothing comes of it."""


class JoinedDarkroom:
    """Renders rows of a joined run, each in the run that it came from.

    Args:
        run: joined; its runs must still be where they were.
        layers: as `opened` takes it.
    """

    def __init__(self, run: Run, *, layers: bool) -> None:
        require(run.folder / "join.json", "join", run.folder)
        record = json.loads((run.folder / "join.json").read_text(encoding="utf-8"))["made_from"]
        self._folders = {told["name"]: Path(told["folder"]) for told in record["runs"]}
        self._open: dict[str, Darkroom] = {}
        self._layers = layers

    def render(self, row: dict[str, Any]) -> pair.Pair:
        """Return the pair of a row; raises BadSample, and RunError where its run has gone."""
        name = row["shard"].partition("-")[2].partition("-")[0]
        if name not in self._open:
            self._open[name] = opened(load(self._folders[name]), layers=self._layers)
        return self._open[name].render({**row, "shard": row["shard"].replace(f"-{name}-", "-", 1)})


def opened(run: Run, *, layers: bool = True) -> Darkroom:
    """Return the darkroom of a run; without layers, side products are left out even where the recipe asks for them."""
    if run.recipe.joined:
        return JoinedDarkroom(run, layers=layers)
    if run.recipe.real is not None:
        return RealDarkroom(run, run.recipe.real)
    return pair.Darkroom(run.folder, run.recipe.index.decode, layers=layers and run.recipe.layers)
