"""The guard list: images and clips that must never be trained on, opened once, kept as sha256 and thumbnail.

Every file of a guarded folder, glob or tar is opened, whatever its name ends in; of a clip its bytes and its first frame are
guarded. What cannot be read cannot be guarded, so it stops the run: a benchmark that leaks in silence is worth nothing. Only
what is no picture by its name is left out (texts, tables without pictures in them, hidden files), and the log says so.
"""

from __future__ import annotations

import base64
import logging
import typing
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason, RecipeError, RunError
from filters.near.thumbnails import thumbnail
from manifests import commit
from manifests.schema import GUARD
from pipelines.engine import Engine
from pipelines.guard import Limits
from pipelines.memory import out_of_memory
from pipelines.photos import clips, decode, sources, uris
from pipelines.photos.decode import DecodeRules
from pipelines.photos.formats import FormatName
from pipelines.photos.sources import Listed, Source
from pipelines.progress import Meter
from pipelines.run import Run, load

LOG = logging.getLogger("patina")
PER_TASK = 64
SHOWN = 5  # of what is wrong
TEXTS = frozenset({".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml", ".html", ".log", ".py", ".cls"})
BARE_TEXTS = frozenset({"readme", "license", "licence", "copying", "notice", "authors", "citation", "changelog"})  # without an ending


def index(run: Run, engine: Engine) -> list[dict[str, Any]]:
    """Open the images and clips of the guard list, if the recipe has one; answer their rows, sorted by uri.

    Raises:
        RecipeError: a file that cannot be read, or a source that holds nothing to guard.
        RunError: the list is not the one that the run began with.
    """
    if not run.recipe.duplicates.guard:
        return []
    listed = _listing(run.recipe.duplicates.guard)
    _check_readable([(found.uri, str(found.problem)) for found in listed if found.problem is not None])
    path = run.folder / "guard.parquet"
    if not path.exists():
        _open(run, engine, path, listed)
    rows: list[dict[str, Any]] = commit.read_table(path).to_pylist()
    before, now = {(row["uri"], row["size"]) for row in rows}, {(found.uri, found.size) for found in listed}
    if before != now:
        news = [f"- {uri}" for uri, _ in sorted(before - now, key=str)[:SHOWN]] + [f"+ {uri}" for uri, _ in sorted(now - before, key=str)[:SHOWN]]
        raise RunError("\n  ".join([f"the guard list of {run.folder} has changed; use a new --out, or put these back:", *news]))
    return rows


def work(task: dict[str, Any], at: Callable[[str], None]) -> list[dict[str, Any]]:
    """Open some files; answer their hashes and thumbnails, or what is wrong."""
    run = load(Path(task["run"]))
    rules = run.recipe.index.decode.model_copy(update={"formats": typing.get_args(FormatName)})
    rows = []
    for uri, offset, size in task["images"]:
        at(uri)
        row = {"uri": uri, "offset": offset, "size": size}
        try:
            if uri in task["skip"]:
                raise BadSample(Reason(task["skip"][uri][0]), task["skip"][uri][1])
            with out_of_memory():
                data = sources.read(Listed(uri, offset, size, {}), rules.max_bytes)
                small = base64.b64encode(thumbnail(_shown(data, rules))).decode()  # what workers answer is text
            rows.append({**row, "sha256": commit.sha256(data), "thumbnail": small})
        except BadSample as bad:
            rows.append({**row, "problem": str(bad)})
    return rows


def _shown(data: bytes, rules: DecodeRules) -> Srgb:
    """Return a photo, or the frame by which the index knows a clip."""
    if clips.signature(data) is None:
        return decode.decode(data, rules).pixels
    clips.header(data, rules)  # refuses what is too large, and what has no frame
    return next(clips.frames(data))


def _listing(guard: Sequence[Source]) -> list[Listed]:
    """Return all files of the guard list but those that are no pictures, sorted by uri; tell which are left out."""
    listed: dict[str, Listed] = {}
    left: list[str] = []
    for source in guard:
        files = sources.listing([source], None)
        texts = {found.uri for found in files if _is_text(found.uri)}
        if len(texts) == len(files):
            raise RecipeError(f"`duplicates.guard`: {source.path} holds no image or clip")
        listed |= {found.uri: found._replace(extra={}) for found in files if found.uri not in texts}
        left += [*texts, *_hidden(source.path)]
    if left:
        names = ", ".join(sorted(left)[:SHOWN])
        LOG.info("guard: not guarded, being hidden or no pictures: %s%s", names, f", ... ({len(left)} in all)" if len(left) > SHOWN else "")
    return [listed[uri] for uri in sorted(listed)]


def _is_text(uri: str) -> bool:
    """Tell whether a file is plainly no picture."""
    name = PurePosixPath(uri.partition("::")[0].partition("#")[0] if uri.startswith("tar://") else uri).name.lower()
    suffix = PurePosixPath(name).suffix
    return name.startswith(".") or suffix in TEXTS or name in BARE_TEXTS or (suffix == ".parquet" and not _may_hold_pictures(uri))


def _may_hold_pictures(uri: str) -> bool:
    """Tell whether a table has columns of bytes; one that cannot be read may."""
    path = uris.local_path(uri)
    try:
        return path is None or "binary" in str(pq.read_schema(path))
    except (pa.ArrowException, OSError):
        return True


def _hidden(folder: str) -> list[str]:
    """Return the hidden files and folders of a local folder, which no listing shows."""
    path = uris.local_path(folder)
    return [str(found) for found in Path(path).rglob(".*")] if path is not None and Path(path).is_dir() else []


def _open(run: Run, engine: Engine, path: Path, listed: list[Listed]) -> None:
    images = [(found.uri, found.offset, found.size) for found in listed]
    tasks = ({"run": str(run.folder), "images": images[at : at + PER_TASK]} for at in range(0, len(images), PER_TASK))
    limits = Limits(run.recipe.render.deadline_s, int(run.recipe.render.memory_gb * 2**30))
    rows: list[dict[str, Any]] = []
    with Meter("guard", len(images), unit="files") as meter:
        for opened in engine.map("pipelines.duplicates.benchmarks:work", tasks, limits):
            rows += opened
            meter.add(len(opened), {})
    _check_readable([(row["uri"], row["problem"]) for row in rows if "problem" in row])
    rows.sort(key=lambda row: str(row["uri"]))
    rows = [{**row, "thumbnail": base64.b64decode(row["thumbnail"])} for row in rows]
    commit.write_table(path, pa.Table.from_pylist(rows, GUARD), {"fingerprint": run.fingerprint})


def _check_readable(problems: list[tuple[str, str]]) -> None:
    if problems:
        told = "\n  ".join(f"{uri}: {problem}" for uri, problem in sorted(problems)[:SHOWN])
        todo = "mend, convert or remove them, or name the pictures by a glob"
        raise RecipeError(f"`duplicates.guard`: {len(problems)} files cannot be read, so nothing can keep them out; {todo}:\n  {told}")
