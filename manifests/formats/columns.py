"""What table-like formats tell of a pair besides its pictures: flat columns with plain names and one type each.

    pair_id task severity unit stratum width height prompt prompt_en prompt_zh steps
    photo photo_sha256 photo_...   the photo's name, its hash, and what came with it in a list (licence, source...)
    score_...                      numbers that selection may use

Where a photo lay on somebody's disk stays there: of local paths only the name is told, of signed URLs not the signature.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from degrade.errors import RunError

PLAIN = ("pair_id", "task", "severity", "unit", "stratum", "width", "height", "prompt", "prompt_en", "prompt_zh", "steps", "photo", "photo_sha256")
_TEXT, _REAL, _WHOLE = "string", "float64", "int64"
_TYPES = {"severity": _REAL, "stratum": _WHOLE, "width": _WHOLE, "height": _WHOLE}


class Columns(NamedTuple):
    """The columns of one export."""

    extras: dict[str, str]  # column -> key that came with the photos
    scores: dict[str, str]  # column -> name of a score
    everywhere: frozenset[str]  # score columns that every pair has
    layers: dict[str, str]  # column -> side product

    def types(self) -> dict[str, str]:
        """Return the Arrow type of every column by name, in order."""
        made = {name: _TYPES.get(name, _TEXT) for name in PLAIN}
        return {**made, **dict.fromkeys(self.extras, _TEXT), **dict.fromkeys(self.scores, _REAL)}


def columns(rows: Iterable[dict[str, Any]]) -> Columns:
    """Return the columns that these rows fill.

    Args:
        rows: prepared by `rows.rows`.

    Raises:
        RunError: two keys that came with the photos would be one column.
    """
    extras: set[str] = set()
    scores: Counter[str] = Counter()
    layers: set[str] = set()
    count = 0
    for row in rows:
        extras |= row["extra"].keys()
        scores.update(row["scores"].keys())
        layers |= row["layers"].keys()
        count += 1
    named = {name: _column("score", name) for name in sorted(scores)}
    return Columns(
        _distinct({key: _column("photo", key) for key in sorted(extras)}),
        _distinct(named),
        frozenset(named[name] for name in scores if scores[name] == count),
        _distinct({name: _column("layer", name) for name in sorted(layers)}),
    )


def _column(prefix: str, key: str) -> str:
    """Return the column of a key: a word that SQL, Python and YAML take as it is; `file_name` would mean a picture to `datasets`."""
    word = re.sub(r"\W+", "_", key).strip("_").lower() or "unnamed"
    return f"{prefix}_{word}".replace("file_name", "filename")


def _distinct(named: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, column in named.items():
        if column in found or column in PLAIN:
            other = f"`{found[column]}`" if column in found else "a column of our own"
            raise RunError(f"the list's column `{key}` would be exported as `{column}`, as {other} is: rename it in the list, and index again")
        found[column] = key
    return found


def told(row: dict[str, Any], which: Columns) -> dict[str, Any]:
    """Return what is told of a pair, by column, in the order of `Columns.types`; text is never null, a number may be."""
    plain = {name: row[name] for name in PLAIN}
    extras = {column: row["extra"].get(key, "") for column, key in which.extras.items()}
    scores = {column: _finite(row["scores"].get(name)) for column, name in which.scores.items()}
    return {**plain, **extras, **scores}


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


def line(row: dict[str, Any], which: Columns) -> dict[str, Any]:
    """Return what is told of a pair in a line of JSON; a reader that guesses types must find the same ones in every file.

    Numbers that some pairs lack are therefore left to the manifest.
    """
    return {name: value for name, value in told(row, which).items() if name not in which.scores or name in which.everywhere}


def as_json(value: Any) -> str:
    """Return JSON in one line, readable in any script."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
