"""Two folders of pictures, paired up by name: what was given to a model, and what it made of it.

A folder may hold one task, which is then named, or one folder per task: rain/0001.png, haze/0001.png, ...
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from degrade import NAMES
from degrade.errors import RecipeError, RunError
from degrade.keys import nearest
from pipelines.photos import folders, sources

TASKS = tuple(name for name in NAMES if name != "web")  # the web tail is a mixture of several
SHOWN = 5  # names in a message


class Couple(NamedTuple):
    """A degraded picture and what a model made of it."""

    name: str  # relative, without the ending
    task: str
    degraded: Path
    restored: Path


def couples(degraded: Path, restored: Path, task: str | None = None) -> list[Couple]:
    """Pair up the pictures of two folders by their relative names, endings aside; sorted by name.

    Args:
        degraded: a folder, all below it counts.
        restored: a folder that holds the same names.
        task: of all pictures; None: the first folder below is named for the task.

    Raises:
        RecipeError: an unknown task.
        RunError: a folder without pictures, two pictures of one name, names without a partner.
    """
    if task is not None and task not in TASKS:
        raise RecipeError(f"no task is called `{task}`; {nearest(task, TASKS)}")
    before, after = _pictures(degraded), _pictures(restored)
    alone = {f"in {degraded} without a restored picture": before.keys() - after.keys(), f"in {restored} without a degraded one": after.keys() - before.keys()}
    if any(alone.values()):
        raise RunError("names must match, endings aside: " + "; ".join(f"{len(names)} {where} ({_some(names)})" for where, names in alone.items() if names))
    return [Couple(name, task or _task_of(name), before[name], after[name]) for name in sorted(before)]


def _pictures(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by their relative names without the ending."""
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}")
    found: dict[str, Path] = {}
    for seen in folders.below(str(folder), str(folder)):
        path = Path(seen.path)
        if path.suffix.lower() not in sources.PHOTO_SUFFIXES:
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise RunError(f"{found[name]} and {path} have one name: which is meant?")
        found[name] = path
    if not found:
        raise RunError(f"{folder} holds no picture (looked for {' '.join(sorted(sources.PHOTO_SUFFIXES))})")
    return found


def _task_of(name: str) -> str:
    first = name.partition("/")[0]
    if "/" not in name or first not in TASKS:
        raise RecipeError(f"`{name}`: say --task, or sort the pictures into folders named for tasks; {nearest(first, TASKS)}")
    return first


def _some(names: Iterable[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:SHOWN]) + (", ..." if len(first) > SHOWN else "")
