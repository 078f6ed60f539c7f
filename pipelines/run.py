"""The run folder: what belongs to a run, what is finished, and who may work in it.

    run.json            recipe, inputs, versions and their fingerprint      recipe.yaml   the page as it was written
    listing.parquet     every input            index/ index.parquet   every input, opened and measured
    banks.parquet       every image of the banks                      scene/   cached priors
    makers.json         who makes clean sides  candidates/            what they made, by content
    plan/ plan.json     every pair             shards/                pictures and rows; the Parquet is the commit
    scores/             numbers of scorers     joined/                rows and scores in fewer files, made again if removed
    report/             figures and pictures   manifest.parquet  manifest.json   every pair with its verdict
                                               export/                other people's formats
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from degrade.errors import RunError
from manifests import commit
from pipelines import recipe as recipes
from pipelines.photos.sources import Source, remembered
from pipelines.recipe import Recipe
from pipelines.versions import deciding_versions

LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder with the recipe it was made for."""

    folder: Path
    recipe: Recipe
    fingerprint: str

    @property
    def listing(self) -> Path:
        """Every input, found."""
        return self.folder / "listing.parquet"

    @property
    def index(self) -> Path:
        """Every input, opened and measured."""
        return self.folder / "index.parquet"

    @property
    def banks(self) -> Path:
        """Every image of the recipe's banks, opened."""
        return self.folder / "banks.parquet"

    @property
    def plan_record(self) -> Path:
        """What the plan committed."""
        return self.folder / "plan.json"

    @property
    def manifest(self) -> Path:
        """Every pair with its verdict."""
        return self.folder / "manifest.parquet"

    @property
    def manifest_record(self) -> Path:
        """What the manifest committed."""
        return self.folder / "manifest.json"

    @property
    def makers(self) -> Path:
        """Who makes the clean sides of real pairs, with their revisions."""
        return self.folder / "makers.json"

    @property
    def joined(self) -> Path:
        """Rows and scores of many shards in few files, so that selecting again is quick; may be removed at any time."""
        return self.folder / "joined"

    @property
    def report(self) -> Path:
        """Figures and pictures."""
        return self.folder / "report"

    @property
    def pace(self) -> Path:
        """How fast rendering went, on which no pixel depends."""
        return self.report / "pace.jsonl"

    def plan_part(self, part: int) -> Path:
        """One file of the plan; its row groups are shards."""
        return self.folder / "plan" / f"{part:05d}.parquet"


@contextlib.contextmanager
def begun(folder: Path, recipe: Recipe, page: str, inputs: tuple[Source, ...]) -> Iterator[Run]:
    """Open a run folder for a recipe as `create` does, and hold it: nothing is written while another job works there.

    Raises:
        RunError: another job holds it; otherwise as `create`.
    """
    _refuse_strange(folder)  # before anything is left in it
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        yield create(folder, recipe, page, inputs)


def create(folder: Path, recipe: Recipe, page: str, inputs: tuple[Source, ...]) -> Run:
    """Open a run folder for a recipe, making it if it is new.

    Raises:
        RunError: the folder belongs to another recipe (the difference is printed), or is something else.
    """
    identity = {"recipe": recipe.identity(), "inputs": [remembered(source) for source in inputs], "made_with": deciding_versions()}
    fingerprint = recipes.identity_fingerprint(identity)
    record = folder / "run.json"
    if record.exists() and (folder / "listing.parquet").exists():  # a run that never found its inputs binds nobody
        old = json.loads(record.read_text(encoding="utf-8"))
        difference = recipes.changed(old["identity"], identity)
        if difference:
            lines = "\n  ".join(difference)
            raise RunError(f"{folder} was made by another recipe; use a new --out, or put these back:\n  {lines}")
    else:
        _refuse_strange(folder)
    recipe = recipes.with_absolute_banks(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    commit.write_json(record, {"fingerprint": fingerprint, "identity": identity, "recipe": recipe.model_dump(mode="json")})  # first: it makes the folder ours
    commit.write_bytes(folder / "recipe.yaml", page.encode())
    return Run(folder, recipe, fingerprint)


def _refuse_strange(folder: Path) -> None:
    """Raise RunError for a folder that holds something, and no run."""
    if not folder.exists() or (folder / "run.json").exists():
        return
    if any(path.name != LOCK and path.suffix != commit.TEMPORARY for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no run.json: choose a new or empty folder for --out")


def load(folder: Path) -> Run:
    """Open a run folder that exists already; raises RunError if it does not."""
    try:
        record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{folder} is no run folder (no run.json); make one with `patina build RECIPE --out {folder}`") from None
    return Run(folder, recipes.parse(record["recipe"], str(folder / "run.json")), record["fingerprint"])


def require(path: Path, verb: str, folder: Path) -> None:
    """Raise RunError unless an earlier verb has finished."""
    if not path.exists():
        raise RunError(f"{path.name} is missing: run `patina {verb} {folder}` first")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder, so that two jobs never write into one; raises RunError when another job holds it."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RunError(f"another patina works in {folder}: wait for it, or stop it") from None
    try:
        yield
    finally:
        os.close(handle)
