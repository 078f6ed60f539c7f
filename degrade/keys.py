"""Unknown keys in what people write: refused with the nearest valid name, never ignored."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a word that is not among the known ones: the nearest of them, and all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"{hint}known: {', '.join(names)}"


def refuse_unknown_names(weights: dict[str, float], known: Iterable[str]) -> dict[str, float]:
    """Raise for a table of weights that names what is not known or gives nothing any weight; hand it on untouched."""
    names = set(known)
    for name in weights:
        if name not in names:
            raise ValueError(f"unknown name `{name}`; {nearest(name, names)}")
    if not sum(weights.values()) > 0:
        raise ValueError("give at least one name a weight above 0")
    return weights


def refuse_unknown_keys(model: type[BaseModel], values: Any) -> Any:
    """Raise for keys that the model does not have; hand the values on untouched."""
    if isinstance(values, dict):
        for key in values:
            if key not in model.model_fields:
                raise ValueError(f"unknown key `{key}`; {nearest(str(key), model.model_fields)}")
    return values
