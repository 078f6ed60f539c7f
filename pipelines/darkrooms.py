"""Which darkroom renders the rows of a run: degradations that are made, or candidates for photos that are degraded already."""

from __future__ import annotations

from typing import Any, Protocol

from pipelines import pair
from pipelines.real.darkroom import RealDarkroom
from pipelines.run import Run


class Darkroom(Protocol):
    """Turns rows into pairs."""

    def render(self, row: dict[str, Any]) -> pair.Pair:
        """Return the pair of a row; raises BadSample when nothing comes of it."""


def opened(run: Run, *, layers: bool = True) -> Darkroom:
    """Return the darkroom of a run; without layers, side products are left out even where the recipe asks for them."""
    if run.recipe.real is not None:
        return RealDarkroom(run, run.recipe.real)
    return pair.Darkroom(run.folder, run.recipe.index.decode, layers=layers and run.recipe.layers)
