"""Tables of weights that choose nothing are refused, in every degradation."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

import degrade
from degrade.contract import Ranges

TABLES = [
    pytest.param(generator.ranges, field, info.default, id=f"{generator.name}-{field}")
    for generator in degrade.GENERATORS
    for field, info in generator.ranges.model_fields.items()
    if isinstance(info.default, dict)
]


def test_there_are_tables() -> None:
    """The list below is not empty, and holds those of cameras, films and lamps."""
    assert {"noise-source", "low_light-source", "moire-zooms", "blur-stills", "web-light"} <= {table.id for table in TABLES}


@pytest.mark.parametrize(("ranges", "field", "default"), TABLES)
def test_a_table_gives_something_a_weight(ranges: type[Ranges], field: str, default: dict[Any, float]) -> None:
    """No name at all, and names of weight 0, leave nothing to draw: the message says what to give."""
    for nothing in ({}, dict.fromkeys(default, 0.0)):
        with pytest.raises(ValidationError, match="weight above 0"):
            ranges(**{field: nothing})


@pytest.mark.parametrize(("ranges", "field", "default"), TABLES)
def test_no_weight_is_negative(ranges: type[Ranges], field: str, default: dict[Any, float]) -> None:
    """A weight below 0 is refused by its place, even where the sum is above 0."""
    first = next(iter(default))
    with pytest.raises(ValidationError, match="greater than or equal to 0") as refused:
        ranges(**{field: {**dict.fromkeys(default, 5.0), first: -1.0}})
    assert refused.value.errors()[0]["loc"] == (field, first)
