"""What a recipe says of copies: what happens to near ones, which images must never be trained on, and whether meaning counts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from pipelines.photos.sources import Source, remembered
from pipelines.section import Section


class DuplicatesRecipe(Section):
    """The second copy of the same bytes is refused in any case."""

    near: Literal["keep_together", "refuse"] = Field(
        default="keep_together", description="near copies go into one split, or all but the best are refused (clips are never)"
    )
    guard: tuple[Source, ...] = Field(default=(), description="images and clips never to be trained on: folders, globs, tars, lists; near copies are refused")
    semantic: Annotated[float, Field(ge=0.5, lt=1.0, strict=True)] | None = Field(
        default=None, description="photos whose CLIP vectors have this cosine or more go into one split; needs `score.photos.clip`"
    )

    @field_validator("guard", mode="before")
    @classmethod
    def _several(cls, values: Any) -> Any:
        return values if isinstance(values, (list, tuple)) else [values]

    @field_validator("guard")
    @classmethod
    def _from_any_folder(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(Source(**remembered(source)) for source in sources)
