"""What a recipe says of real pairs: which photos show what, who makes their clean side, and which candidate is best."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

import degrade
from degrade.keys import nearest
from filters.limits import Bounds, LimitPage
from pipelines.makers import table
from pipelines.section import Section

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
TASK = "{task}"  # in the name of a number: the task that is asked about


class GateRecipe(Section):
    """Limits on the numbers of photos: for every photo, and for what counts as showing a task."""

    every: dict[str, LimitPage] = Field(default_factory=dict)
    shows: dict[str, LimitPage] = Field(default_factory=dict, description="for each task; `{task}` in a name stands for it")
    tasks: dict[str, dict[str, LimitPage]] = Field(default_factory=dict, description="tasks that are looked for, and what else each asks")
    rank: str = Field(default="clip.p.{task}", description="the number by which the task of a photo that shows several is chosen: the largest")
    severity: str = Field(default="severity.{task}", description="the number that says how badly, 1 to 5; rows without it have no stratum")

    @field_validator("tasks")
    @classmethod
    def _known_tasks(cls, tasks: dict[str, Any]) -> dict[str, Any]:
        if not tasks:
            raise ValueError(f"name the tasks to look for, e.g. `haze: {{}}`; known: {', '.join(degrade.NAMES)}")
        for task in tasks:
            if task not in degrade.NAMES:
                raise ValueError(f"no task `{task}`; {nearest(task, degrade.NAMES)}")
        return tasks

    def asked_of(self, task: str) -> dict[str, dict[str, Bounds]]:
        """Return the limits that a photo must keep to show a task, by the number's full name."""
        return {name.replace(TASK, task): limit for name, limit in {**self.shows, **self.tasks[task]}.items()}


class MakerRecipe(Section):
    """One maker: its kind, how many candidates it gives for a photo, for which tasks, and its own settings."""

    kind: str
    candidates: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    tasks: tuple[str, ...] = Field(default=(), description="default all")
    language: Annotated[str, Field(pattern="^(en|zh)$")] = "en"
    prompts: dict[str, str] = Field(default_factory=dict, description="by task; default the task's fixed prompt")
    settings: Any = Field(default_factory=dict)

    @model_validator(mode="after")
    def _possible(self) -> MakerRecipe:
        kind = table.by_name(self.kind)
        if self.candidates > 1 and not kind.chance:
            raise ValueError(f"a `{self.kind}` gives the same picture every time: candidates must be 1")
        for task in (*self.tasks, *self.prompts):
            if task not in degrade.NAMES:
                raise ValueError(f"no task `{task}`; {nearest(task, degrade.NAMES)}")
        try:
            kind.settings.model_validate(self.settings)
        except ValidationError as error:
            said = "; ".join(f"`settings.{'.'.join(map(str, item['loc']))}`: {item['msg'].removeprefix('Value error, ')}" for item in error.errors())
            raise ValueError(said) from error
        return self

    def opened_settings(self) -> dict[str, Any]:
        """Return the maker's settings with its defaults filled in."""
        filled: dict[str, Any] = table.by_name(self.kind).settings.model_validate(self.settings).model_dump(mode="json")
        return filled


class CorrectRecipe(Section):
    """How far a candidate may have moved and still be put back; beyond it the candidate is refused."""

    margin_px: Annotated[int, Field(ge=0, le=256, strict=True)] = 16
    max_shift_px: Annotated[float, Field(ge=0, strict=True)] = 12.0
    max_scale: Annotated[float, Field(ge=0, lt=0.5, strict=True)] = 0.03
    max_rotation_deg: Annotated[float, Field(ge=0, le=10, strict=True)] = 1.5

    @model_validator(mode="after")
    def _covered(self) -> CorrectRecipe:
        if self.max_shift_px > self.margin_px:
            raise ValueError(f"a shift of {self.max_shift_px:g} px would leave a border bare: `margin_px` must be at least as large")
        return self


class RealRecipe(Section):
    """Real pairs: gate, makers, correction, and the best of several candidates."""

    gate: GateRecipe
    makers: dict[Name, MakerRecipe]
    correct: CorrectRecipe = Field(default_factory=CorrectRecipe)
    best: dict[str, float] = Field(default_factory=dict, description="weights of pair scores; the candidate of the largest sum is kept, the others refused")
    keep_all: Annotated[bool, Field(strict=True)] = Field(default=False, description="keep every candidate that passes the limits")
    candidates: str = Field(default="", description="folder of candidates, to share among runs; default the run's own")

    @field_validator("makers")
    @classmethod
    def _some(cls, makers: dict[str, MakerRecipe]) -> dict[str, MakerRecipe]:
        if not makers:
            raise ValueError(f"name at least one maker of clean sides; kinds: {', '.join(table.NAMES)}")
        return makers

    @model_validator(mode="after")
    def _one_is_best(self) -> RealRecipe:
        several = sum(maker.candidates for maker in self.makers.values()) > 1
        if several and not self.best and not self.keep_all:
            raise ValueError("several candidates for a photo: say which is `best`, e.g. {severity.drop: 1.0, fidelity.lpips: -2.0}, or `keep_all: true`")
        return self
