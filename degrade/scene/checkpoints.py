"""Where the weights of a network are found: by short name, hub id or path, on this machine only.

Jobs never download: whatever is missing becomes a `MissingModel` that names the command which fetches it.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from degrade.errors import MissingModel
from degrade.keys import nearest

FOLDER = "PATINA_MODELS"  # environment variable: the folder of weights that are single files
LOCAL: Mapping[str, Any] = {"local_files_only": True, "trust_remote_code": False}  # for whatever transformers loads


def folder() -> Path:
    """Return the folder of weights that are single files: `$PATINA_MODELS`, else `~/.cache/patina`."""
    return Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "patina")


def library(name: str, what: str, extra: str) -> Any:
    """Return an optional library.

    Args:
        name: of its module.
        what: needs it, for the message.
        extra: of patina, that installs it.

    Raises:
        MissingModel: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingModel(f"{what} need {error.name}: pip install 'patina[{extra}]'") from error


def source(name: str, names: Mapping[str, str], what: str) -> tuple[str, str | None]:
    """Return what transformers loads, and the revision asked for.

    Args:
        name: a short name of `names`, a hub id, either with `@revision` if wanted, or a folder.
        names: short names and their hub ids.
        what: kind of model, for the message.

    Raises:
        MissingModel: nothing is called that.
    """
    if Path(name).is_dir():
        return name, None
    place, _, revision = name.partition("@")
    found = names.get(place, place)
    if "/" not in found:
        raise MissingModel(f"no {what} model is called `{name}`; {nearest(place, names)}; or give a hub id or a folder")
    return found, revision or None


def how_to_get(name: str, found: str, revision: str | None, what: str, error: Exception) -> str:
    """Return the message about a checkpoint that transformers cannot open."""
    if Path(found).is_dir():
        return f"{found} holds no {what} checkpoint that transformers can load with safetensors: {error}"
    pinned = f" --revision {revision}" if revision else ""
    return f"the {what} model {name} is not on this machine: hf download {found}{pinned}"


def maker(found: str, revision: str | None, config: Any) -> str:
    """Return a model's name as rows record it: the hub id at the commit that was loaded, or the folder."""
    commit = revision or getattr(config, "_commit_hash", None)
    return f"{found}@{commit}" if commit else found


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
