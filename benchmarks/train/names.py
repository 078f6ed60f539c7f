"""Pictures by their names without the endings, which must tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from degrade.errors import RunError


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Return files by name without the ending; raises RunError where two have the same."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(path.stem, path)
        if other != path:
            raise RunError(f"{other} and {path} have one name, and their endings do not count: rename one, or take it away")
    return found
