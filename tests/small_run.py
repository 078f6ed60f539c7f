"""The small run that tests build: its recipe, its photos, and how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.build import build
from pipelines.engine import Engine, Options
from pipelines.photos.sources import Source
from pipelines.recipe import Recipe, parse
from pipelines.run import Run, create

PHOTOS = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png", "hubble_deep_field.jpg", "logo.png", "page.png")
PAGE: dict[str, Any] = {
    "name": "small",
    "seed": 3,
    "index": {"limits": {"min_short_side": 256, "max_blockiness": 1.5}},
    "crop": {"size": 128, "shrink": [1.0, 3.0]},
    "split": {"train": 0.7, "test": 0.3},
    "variants": 6,
    "tasks": {
        "compression": {"share": 1.0},
        "noise": {"share": 1.0, "also": {"compression": {"chance": 0.4}}},
        "haze": {"share": 1.0, "also": {"noise": {"chance": 0.5}}},
    },
    "render": {"shard_pairs": 5, "deadline_s": 20.0},
}


def recipe(**changes: Any) -> Recipe:
    """The small recipe, with some keys changed."""
    return parse({**PAGE, **changes})


def make(folder: Path, photos: Path, page: Recipe, engine: str = "serial", workers: int | None = None, address: str | None = None) -> Run:
    """Build a whole run."""
    sources = (Source(path=str(photos)),)
    run = create(folder, page, "", sources)
    with Engine(Options(engine, workers, address)) as machine:  # type: ignore[arg-type]
        build(run, sources, machine)
    return run


