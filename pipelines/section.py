"""A part of a recipe: frozen, and deaf to keys that it does not know."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from degrade.keys import refuse_unknown_keys


class Section(BaseModel):
    """A part of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return refuse_unknown_keys(cls, values)
