"""The recipe: one YAML page that decides everything about a run.

Unknown keys, reversed ranges and impossible units raise with the path of the key and the nearest valid name; a string
never passes for a number; what a page leaves out has a default that is written into the run folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

import degrade
from degrade.chain import check_combination
from degrade.contract import STRATA, Ranges
from degrade.errors import RecipeError
from degrade.keys import nearest
from filters.cleanness import Limits
from manifests.commit import fingerprint
from manifests.formats import known
from pipelines.crops import CropRecipe
from pipelines.duplicates.pages import DuplicatesRecipe
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Source, remembered
from pipelines.real.pages import RealRecipe
from pipelines.scoring.pages import ScoreRecipe, SelectRecipe
from pipelines.section import Section

MAX_BYTES = 1 << 20  # a recipe is a page; a YAML bomb is not
Weight = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]


class StepRecipe(Section):
    """How one degradation is drawn."""

    strata: tuple[Weight, Weight, Weight, Weight, Weight] = (1.0, 1.0, 1.0, 1.0, 1.0)
    ranges: Any = Field(default_factory=dict, description="narrows what may vary; see `patina kinds`")

    @field_validator("strata")
    @classmethod
    def _something(cls, strata: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(strata):
            raise ValueError(f"all {STRATA} weights are zero: nothing would ever be drawn")
        return strata


class AlsoRecipe(StepRecipe):
    """A second or third degradation that joins a task's own with some probability."""

    chance: Share = 0.5
    strata: tuple[Weight, Weight, Weight, Weight, Weight] = (2.0, 1.0, 0.0, 0.0, 0.0)


class TaskRecipe(StepRecipe):
    """One task: its share of the pairs, its own degradation, and what may come with it."""

    share: Weight = 1.0
    also: dict[str, AlsoRecipe] = Field(default_factory=dict)


class IndexRecipe(Section):
    """Which bytes are read, and which photos are good enough to be a clean side."""

    decode: DecodeRules = Field(default_factory=DecodeRules)
    limits: Limits = Field(default_factory=Limits)
    require_licence: Annotated[bool, Field(strict=True)] = Field(default=False, description="refuse photos of which no list says a licence")


class PriorsRecipe(Section):
    """Who makes the maps of the scene: the named stand-ins need no weights, a model is a name, hub id or folder."""

    depth: str = "geometric"
    segments: str = "superpixels"
    sky: Literal["colour"] = "colour"


class BankRecipe(Section):
    """Images that a degradation draws from: a folder, glob, tar or list, or several."""

    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, values: Any) -> Any:
        if isinstance(values, dict) and "sources" in values:
            return values
        return {"sources": values if isinstance(values, (list, tuple)) else [values]}


class ClipsRecipe(Section):
    """Video clips: how much of one is looked at, and how many pairs it gives."""

    variants: Count = 8
    max_frames: Annotated[int, Field(ge=8, le=100_000, strict=True)] = 1500


class RenderRecipe(Section):
    """Limits on the work itself; they do not change a pixel."""

    shard_pairs: Count = 64
    deadline_s: Annotated[float, Field(gt=0, strict=True)] = 30.0
    memory_gb: Annotated[float, Field(gt=0.25, strict=True)] = 4.0
    max_reject_share: Share = 0.05
    reject_grace: Count = 1000


class ExportRecipe(Section):
    """Other people's formats, written beside the shards; may change without rendering again."""

    to: tuple[Annotated[str, AfterValidator(known)], ...] = ()
    language: Literal["en", "zh"] = "en"


class Recipe(Section):
    """A whole page."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = "patina"
    seed: Annotated[int, Field(ge=0, lt=1 << 53, strict=True)] = 0
    sources: tuple[Source, ...] = ()
    index: IndexRecipe = Field(default_factory=IndexRecipe)
    duplicates: DuplicatesRecipe = Field(default_factory=DuplicatesRecipe)
    crop: CropRecipe = Field(default_factory=CropRecipe)
    split: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")], Weight] = Field(default_factory=lambda: {"train": 1.0})
    variants: Count = 1
    clips: ClipsRecipe = Field(default_factory=ClipsRecipe)
    tasks: dict[str, TaskRecipe] = Field(default_factory=dict)
    real: RealRecipe | None = None
    joined: dict[str, str] = Field(default_factory=dict, description="of a joined run: the fingerprints of its runs; written by `patina join` alone")
    banks: dict[str, BankRecipe] = Field(default_factory=dict)
    priors: PriorsRecipe = Field(default_factory=PriorsRecipe)
    layers: Annotated[bool, Field(strict=True)] = False
    render: RenderRecipe = Field(default_factory=RenderRecipe)
    score: ScoreRecipe = Field(default_factory=ScoreRecipe)
    select: SelectRecipe = Field(default_factory=SelectRecipe)
    export: ExportRecipe = Field(default_factory=ExportRecipe)

    @model_validator(mode="after")
    def _possible(self) -> Recipe:
        if [bool(self.tasks), self.real is not None, bool(self.joined)].count(True) != 1:
            raise ValueError("give either `tasks` (degradations to be made) or `real` (photos that are degraded already), and join the runs afterwards")
        if not sum(self.split.values()) or (self.tasks and not sum(task.share for task in self.tasks.values())):
            raise ValueError("`split` and `tasks` each need at least one share above zero")
        for name, task in self.tasks.items():
            _check_step(f"tasks.{name}", name, task)
            for other, also in task.also.items():
                _check_step(f"tasks.{name}.also.{other}", other, also)
                check_combination([degrade.by_name(name), degrade.by_name(other)])
        for name in self.banks:
            _check_bank(name)
        return self

    @property
    def takes_clips(self) -> bool:
        """Whether a task of this recipe is made from video."""
        return any(task.share > 0 and "window" in degrade.by_name(name).params._fields for name, task in self.tasks.items())

    def variants_of(self, kind: str) -> int:
        """Return how many pairs a photo or a clip gives."""
        return self.clips.variants if kind == "clip" else self.variants

    def ranges(self, name: str, step: StepRecipe) -> Ranges:
        """Return the ranges of a step, the recipe's over the generator's own."""
        made: Ranges = degrade.by_name(name).ranges.model_validate(step.ranges)
        return made

    def identity(self) -> dict[str, Any]:
        """Return what decides the pixels and the rows; limits of work and selection may change on a finished run."""
        page = self.model_dump(mode="json", exclude={"score", "select", "export", "sources", "render", "banks", "real", "joined"})
        if self.real is not None:  # whose plan follows from the numbers of photos; what is best, and where candidates lie, may change
            page |= {"real": self.real.model_dump(mode="json", exclude={"best", "keep_all", "candidates"}), "score_photos": self.score.photos}
        banks = {name: [remembered(source) for source in bank.sources] for name, bank in sorted(self.banks.items())}
        return {**page, "banks": banks, "shard_pairs": self.render.shard_pairs}


def _check_bank(name: str) -> None:
    """Refuse a bank that no degradation draws from."""
    drawing = [made.name for made in degrade.GENERATORS if "textures" in made.params._fields]
    if name not in drawing:
        raise ValueError(f"`banks.{name}`: no degradation `{name}` draws from a bank; {nearest(name, drawing)}")


def _check_step(path: str, name: str, step: StepRecipe) -> None:
    if name not in degrade.NAMES:
        raise ValueError(f"`{path}`: no degradation `{name}`; {nearest(name, degrade.NAMES)}")
    try:
        degrade.by_name(name).ranges.model_validate(step.ranges)
    except ValidationError as error:
        raise ValueError("; ".join(f"`{path}.ranges{_place(item['loc'])}`: {_said(item)}" for item in error.errors())) from error


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which also reads 5e-4 as the number it is and refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001  the library's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if isinstance(key, str) and keys.count(key) > 1}
        if twice:
            raise RecipeError(f"line {node.start_mark.line + 1}: the key `{min(twice)}` is written twice")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*)(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def load(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: names the file, the key and what would be valid.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"{path}: larger than {MAX_BYTES >> 20} MiB; a recipe is a page")
        page = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506  a SafeLoader with one more number format
    except FileNotFoundError:
        known = ", ".join(sorted(str(found) for found in Path("configs").glob("*.yaml")))
        raise RecipeError(f"no recipe {path}; here are: {known or 'none (configs/ in the source holds examples)'}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(page, dict):
        raise RecipeError(f"{path}: a recipe is a table of keys (tasks:, crop:, ...), this is {type(page).__name__}")
    if "joined" in page:
        raise RecipeError(f"{path}: `joined` is written by `patina join OUT RUN...`, which needs no recipe")
    return parse(page, str(path))


def parse(page: dict[str, Any], where: str = "recipe") -> Recipe:
    """Check a recipe that was read already; raises RecipeError."""
    try:
        return Recipe.model_validate(page)
    except ValidationError as error:
        lines = [f"{where}: `{_place(item['loc']).lstrip('.') or '(top)'}`: {_said(item)}" for item in error.errors()]
        raise RecipeError("\n".join(lines)) from error


def with_absolute_banks(recipe: Recipe) -> Recipe:
    """Return the recipe with banks that are found from any folder."""
    banks = {name: BankRecipe(sources=tuple(Source(**remembered(source)) for source in bank.sources)) for name, bank in recipe.banks.items()}
    return recipe.model_copy(update={"banks": banks})


def changed(old: dict[str, Any], new: dict[str, Any], path: str = "") -> list[str]:
    """Return the difference of two identities, one line per field."""
    lines = []
    for key in sorted(old.keys() | new.keys()):
        before, after, place = old.get(key, "(absent)"), new.get(key, "(absent)"), f"{path}{key}"
        if isinstance(before, dict) and isinstance(after, dict):
            lines += changed(before, after, f"{place}.")
        elif before != after:
            lines.append(f"{place}: {before} -> {after}")
    return lines


def identity_fingerprint(identity: dict[str, Any]) -> str:
    """Return the hash by which every committed file knows its run."""
    return fingerprint(identity)


def _place(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _said(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] in {"float_type", "int_type"} and isinstance(item["input"], str):
        return f"`{item['input']}` is text where a number belongs"
    return message
