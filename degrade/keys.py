"""What people write: unknown keys and names are refused with the nearest valid one, and so are weights that choose nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

T = TypeVar("T")
Weight = Annotated[float, Field(ge=0.0, strict=True, allow_inf_nan=False)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a word that is not among the known ones: the nearest of them, and all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"{hint}known: {', '.join(names)}"


def refuse_no_weight(weights: dict[T, float]) -> dict[T, float]:
    """Raise for a table of weights that gives nothing any weight; hand it on untouched."""
    if not sum(weights.values()) > 0:
        raise ValueError("give at least one name a weight above 0")
    return weights


Weights = Annotated[dict[T, Weight], AfterValidator(refuse_no_weight)]  # what may be picked, and how often: see `stream.pick`


def refuse_unknown_names(weights: dict[str, float], known: Iterable[str]) -> dict[str, float]:
    """Raise for a table of weights that names what is not known; hand it on untouched."""
    names = set(known)
    for name in weights:
        if name not in names:
            raise ValueError(f"unknown name `{name}`; {nearest(name, names)}")
    return weights


def refuse_unknown_keys(model: type[BaseModel], values: Any) -> Any:
    """Raise for keys that the model does not have; hand the values on untouched."""
    if isinstance(values, dict):
        for key in values:
            if key not in model.model_fields:
                raise ValueError(f"unknown key `{key}`; {nearest(str(key), model.model_fields)}")
    return values
