"""The verb `build`: all verbs in order, each resuming where it stopped, and the summary of what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from manifests import commit
from manifests.books import Books
from manifests.shards import committed
from pipelines import banks, export, index, plan, render, score, select
from pipelines.engine import Engine
from pipelines.photos.sources import Source
from pipelines.pictures import figures, report
from pipelines.real import making
from pipelines.run import Run


class Summary(NamedTuple):
    """What a build came to."""

    run: str
    books: Books
    seconds: float
    rendered: int  # pairs rendered now, not before
    survival: list[select.Fallen]
    pictures: str | None
    report: str
    exports: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return the summary for machines."""
        survival = [fallen._asdict() for fallen in self.survival]
        return {**self._asdict(), "books": self.books.as_json(), "survival": survival, "pairs_per_s": self.rate}

    @property
    def rate(self) -> float:
        """Pairs rendered per second of the render step."""
        return self.rendered / self.seconds if self.seconds > 0 else 0.0


def build(run: Run, inputs: tuple[Source, ...], engine: Engine) -> Summary:
    """Do whatever a run still needs; raises what its verbs raise."""
    if not run.manifest.exists():
        render.check_models(run, engine)
        score.check_models(run, engine)
        if run.recipe.real is not None:
            making.open_all(run, run.recipe.real, engine)
    index.index(run, inputs, engine)
    banks.index(run, engine)
    if run.recipe.score.photos:
        score.score(run, engine, "photos")
    plan.plan(run)
    before, begin = sum_rows(run), time.monotonic()
    render.render(run, engine)
    seconds = time.monotonic() - begin
    if run.recipe.score.pairs:
        score.score(run, engine)
    survival = select.select(run)
    exports = [str(folder) for folder in export.wanted(run)]
    pictures, page = figures.pairs_sheet(run), report.refresh(run)
    told = str(pictures) if pictures else None
    summary = Summary(str(run.folder), books(run), seconds, sum_rows(run) - before, survival, told, str(page), exports)
    commit.write_json(run.report / "summary.json", summary.as_json())
    return summary


def sum_rows(run: Run) -> int:
    """Return how many pairs are committed."""
    return sum(int(commit.parquet_notes(path)["rows"]) for path in _row_files(run))


def _row_files(run: Run) -> list[Path]:
    return [run.folder / "shards" / f"{shard}.parquet" for shard in committed(run.folder)]


def books(run: Run) -> Books:
    """Return the books of a run, as far as it has come: counted from what is committed, not from what was done."""
    inputs = pq.read_metadata(run.listing).num_rows if run.listing.exists() else 0
    if not run.index.exists():
        return Books(inputs, 0, {}, 0, 0, {})
    photos = dict(index.counts_of(run))
    usable = photos.pop("", 0)
    planned = index.pairs_wanted(run)
    if not run.manifest.exists():
        return Books(inputs, usable, photos, planned, 0, {})
    ends = select.manifest_counts(run)
    kept = ends.pop("", 0)
    ids = commit.read_table(run.manifest, ["pair_id"]).column("pair_id")
    return Books(inputs, usable, photos, planned, kept, ends, unaccounted=len(ids) - len(ids.unique()))
