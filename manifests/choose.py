"""Which kept pairs of a run a trainer wants: filters by any column, pushed down into the Parquet scan.

A filter is (column, op, value); a list of them is a conjunction. Columns are those of `manifests.schema.PAIR`; into the
columns that hold several things one looks with a dot or with `has`:

    ("stratum", ">=", 3)   ("task", "in", ["haze", "rain"])   ("photo_uri", "like", "%/night/%")
    ("scores.psnr_db", "<", 30)   ("extra.licence", "==", "CC0")   ("layers", "has", "depth")   ("steps", "has", "noise")

A pair without a value passes no comparison. Whoever needs more gives a `pyarrow.compute` expression instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import RecipeError, RunError
from degrade.keys import nearest
from manifests.commit import read_table
from manifests.schema import PAIR

Filter = tuple[str, str, Any]
Filters: TypeAlias = Sequence[Filter | pc.Expression] | pc.Expression | None

_NAMED = {"layers": "name", "steps": "generator", "assets": "kind", "others": "role"}  # JSON lists: by which key their entries are known
_MAPS = [field.name for field in PAIR if pa.types.is_map(field.type)]
_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "in": lambda column, value: column.isin(list(value)),
    "not in": lambda column, value: ~column.isin(list(value)) & column.is_valid(),
    "like": pc.match_like,
}


def choose(runs: Sequence[Path], filters: Filters, columns: list[str]) -> pa.Table:
    """Return the kept rows of some runs that pass the filters, in the order of the runs and their manifests.

    Args:
        runs: run folders; the column `run` (int16) of the answer counts them.
        filters: conditions as above; None for all kept pairs.
        columns: of `PAIR`, besides `run`.

    Raises:
        RunError: a run is not finished.
        RecipeError: a filter cannot be meant.
    """
    wanted = expression(filters)
    tables = []
    for at, run in enumerate(runs):
        manifest = run / "manifest.parquet"
        if not manifest.exists():
            raise RunError(f"{manifest} is missing: finish the run with `patina build` or `patina select {run}`")
        table = read_table(manifest, columns, wanted)
        tables.append(table.append_column("run", pa.array([at] * table.num_rows, pa.int16())))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def expression(filters: Filters) -> pc.Expression:
    """Return the condition that some filters and the verdict `keep` make.

    Raises:
        RecipeError: an unknown column or op, or a value that the op or the column cannot take.
    """
    whole = pc.field("verdict") == "keep"
    for entry in [filters] if isinstance(filters, pc.Expression) else filters or ():
        condition = entry if isinstance(entry, pc.Expression) else _condition(entry)
        try:
            PAIR.empty_table().filter(condition)
        except pa.ArrowException as error:  # found without a row, and told apart from a damaged file
            raise RecipeError(f"the filter {entry} cannot be applied: {str(error).splitlines()[0]}") from error
        whole &= condition
    return whole


def _condition(entry: Filter) -> pc.Expression:
    if isinstance(entry, str) or len(entry) != 3:
        raise RecipeError(f"{entry!r} is no filter: write (column, op, value), such as ('stratum', '>=', 3)")
    name, op, value = entry
    column, _, key = name.partition(".")
    if column not in PAIR.names:
        raise RecipeError(f"unknown column `{column}` in the filter {entry!r}; {nearest(column, PAIR.names)}")
    if op == "has":
        return has(column, str(value))
    if op not in _OPS:
        raise RecipeError(f"unknown op `{op}` in the filter {entry!r}; {nearest(op, [*_OPS, 'has'])}")
    if op in {"in", "not in"} and (isinstance(value, str) or not hasattr(value, "__iter__")):
        raise RecipeError(f"`{op}` takes a list of values, in the filter {entry!r}")
    return _OPS[op](_field(column, key), value)


def _field(column: str, key: str) -> pc.Expression:
    """Return what is compared: a column, or one entry of a map."""
    if (column in _MAPS) != bool(key):
        raise RecipeError(f"name one entry of {' or '.join(f'`{name}.ENTRY`' for name in _MAPS)}: `{column}{'.' * bool(key)}{key}` is not comparable")
    if key:
        return pc.map_lookup(pc.field(column), pa.scalar(key), "first")
    plain = pc.field(column)
    return plain.cast(pa.string()) if pa.types.is_dictionary(PAIR.field(column).type) else plain


def has(column: str, value: str) -> pc.Expression:
    """Return whether a map has an entry, or a JSON list names something: never null."""
    if column in _MAPS:
        return _field(column, value).is_valid()
    if column not in _NAMED:
        raise RecipeError(f"`has` looks into {', '.join(sorted([*_MAPS, *_NAMED]))}, not into `{column}`")
    named = pc.match_substring_regex(pc.field(column), rf'"{_NAMED[column]}":\s*"{re.escape(value)}"')
    return pc.coalesce(named, pc.scalar(value=False))
