"""The verb `export`: the kept pairs of a run in a trainer's own format, with a card that says how they were made."""

from __future__ import annotations

from pathlib import Path

from degrade.errors import RecipeError
from manifests import export as exporting
from manifests.card.readme import Story
from manifests.formats import known
from pipelines import select
from pipelines.citations import CITATIONS
from pipelines.run import Run, require


def export(run: Run, to: str, language: str | None = None) -> Path:
    """Write a format; answer its folder.

    Args:
        run: selected.
        to: a name of `manifests.formats.FORMATS`.
        language: of the prompts; default the recipe's `export.language`.

    Raises:
        RecipeError: no such format.
        RunError: the run has no manifest yet, or keeps no pair.
    """
    try:
        known(to)
    except ValueError as error:
        raise RecipeError(f"--to {to}: {error}") from None
    require(run.manifest, "select", run.folder)
    page = (run.folder / "recipe.yaml").read_text(encoding="utf-8")
    story = Story(run.recipe.name, page, CITATIONS, tuple(run.recipe.joined))
    return exporting.export(run.folder, run.manifest, to, language or run.recipe.export.language, story)


def wanted(run: Run) -> list[Path]:
    """Write the formats that the recipe asks for; answer their folders, none where no pair was kept."""
    return [export(run, to) for to in run.recipe.export.to] if select.manifest_counts(run).get("") else []
