"""Params to JSON and back, exactly: what a manifest row holds of a step.

Floats keep all their digits, tuples become lists and tuples again, nested NamedTuples keep their shape.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def to_record(params: Any) -> Any:
    """Return params (a NamedTuple) as plain JSON values."""
    if isinstance(params, tuple):
        fields = getattr(params, "_fields", None)
        if fields is not None:
            return {name: to_record(value) for name, value in zip(fields, params, strict=True)}
        return [to_record(value) for value in params]
    return params


def from_record(kind: type[T], record: Any) -> T:
    """Return the params of the given type that a record was made from.

    Raises:
        ValueError: a field is missing or unknown: the row was made by another version.
    """
    return typing.cast(T, _read(kind, record))


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        if not isinstance(value, dict) or set(value) != set(kind._fields):
            got = sorted(value) if isinstance(value, dict) else value
            raise ValueError(f"{kind.__name__} has the fields {sorted(kind._fields)}, the record has {got}")
        return kind(**{name: _read(_hints(kind)[name], value[name]) for name in kind._fields})
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        many = kinds[:1] * len(value) if len(kinds) == 2 and kinds[1] is Ellipsis else kinds
        return tuple(_read(item_kind, item) for item_kind, item in zip(many, value, strict=True))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = [option for option in typing.get_args(kind) if option is not type(None)]
        return None if value is None else _read(inner[0], value)
    return float(value) if kind is float else value
