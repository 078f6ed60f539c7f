"""What a recipe says about scoring and selecting: which scorers, with which settings, and the limits on their numbers."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

import degrade
import filters
from degrade.keys import nearest
from filters import defaults
from filters.limits import EVERY, Bounds, LimitPage, page_of
from pipelines.section import Section


class ScoreRecipe(Section):
    """Scorers by name, with their settings; they may change without rendering again."""

    pairs: dict[str, Any] = Field(default_factory=dict, description="of rendered pairs")
    photos: dict[str, Any] = Field(default_factory=dict, description="of the usable photos of the index")

    @field_validator("pairs", "photos")
    @classmethod
    def _known(cls, pages: dict[str, Any]) -> dict[str, Any]:
        return {name: checked(name, page or {}) for name, page in pages.items()}

    def settings(self, on: str, name: str) -> dict[str, Any]:
        """Return the settings of a scorer; its defaults where the recipe does not name it."""
        pages: dict[str, Any] = getattr(self, on)
        found: dict[str, Any] = pages.get(name) or checked(name, {})
        return found


def checked(name: str, page: Any) -> dict[str, Any]:
    """Return the settings of a scorer with its defaults filled in; raises ValueError with the nearest valid name."""
    if name not in filters.NAMES:
        raise ValueError(f"no scorer `{name}`; {nearest(name, filters.NAMES)}")
    try:
        filled: dict[str, Any] = filters.by_name(name).settings.model_validate(page).model_dump(mode="json")
    except ValidationError as error:
        said = "; ".join(f"`{name}.{'.'.join(map(str, item['loc'])) or '(top)'}`: {item['msg'].removeprefix('Value error, ')}" for item in error.errors())
        raise ValueError(said) from error
    return filled


class SelectRecipe(Section):
    """Limits on scores by name, `[lowest, highest]` or a table of them by task; may change without rendering or scoring again."""

    defaults: bool = Field(
        default=False,
        description="whether to begin with those of `filters/defaults.py` (what they refuse: benchmarks/faults.md); limits here replace them, null drops one",
    )
    limits: dict[str, LimitPage] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _begun(cls, page: Any) -> Any:
        """Write the default limits out, so that what is kept of a recipe says every limit that was applied."""
        if not isinstance(page, dict) or page.get("defaults") is not True:
            return page
        given = page.get("limits") or {}
        merged = {**{name: page_of(limit) for name, limit in defaults.PAIRS.items()}, **given}
        return {**page, "defaults": False, "limits": {name: limit for name, limit in merged.items() if limit is not None}}

    @field_validator("limits")
    @classmethod
    def _known_tasks(cls, limits: dict[str, dict[str, Bounds]]) -> dict[str, dict[str, Bounds]]:
        for name, limit in limits.items():
            for task in limit.keys() - {EVERY}:
                if task not in degrade.NAMES:
                    raise ValueError(f"`{name}`: no task `{task}`; {nearest(task, [*degrade.NAMES, EVERY])}")
        return limits
