"""Draws the rows of the plan: which part of a photo, which degradations, every parameter of them; no pixel is seen.

What a row holds is a function of (recipe, sha256 of the photo, variant) and of the hashes that stand next to it on the
rings of second photos and banks; the order of rows is an order of hashes, so that neither the order of inputs nor the
number of workers can be seen in it. Variants of one photo stand together: the photo is decoded once for all of them, and
they are spread evenly over tasks and strata.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

import degrade
from degrade.chain import MAX_DEGRADATIONS, place
from degrade.contract import Facts, Generator, Stage
from degrade.errors import BadSample, Reason
from degrade.stream import Streams, unit_draws
from manifests import commit
from manifests.schema import PLAN, VERSION
from pipelines import crops
from pipelines.companions import Companions
from pipelines.priors import STAND_INS
from pipelines.prompts import PROMPTS
from pipelines.recipe import Recipe, StepRecipe
from pipelines.splits import split
from pipelines.usable import Photo

_NAMES = PLAN.names
_ID, _FRAME, _SHARD, _REASON = (_NAMES.index(name) for name in ("pair_id", "photo_frame", "shard", "reason"))
_AFTER_CROP = _NAMES.index("shard") - _NAMES.index("crop_x") - 1  # columns that a refused row leaves empty


# The R2 sequence (Roberts, 2018): its points fill the unit square evenly, however many are taken.
TASK_STRIDE, STRATUM_STRIDE = 0.7548776662466927, 0.5698402909980532


class _Subject(NamedTuple):
    """The photo of a row, as the drawing of its steps sees it."""

    photo: Photo
    key: str  # of the photo and the variant: what the draws are for
    facts: Facts
    companions: Companions


class _Turn(NamedTuple):
    """One pair to be."""

    photo: Photo
    variant: int
    aim: tuple[float, float]  # numbers in [0, 1) that decide its task and its stratum
    split: str


class _Step(NamedTuple):
    """A step that was drawn."""

    record: dict[str, Any]  # its params still a NamedTuple
    others: list[dict[str, Any]]  # what it needs beside the photo
    frame: int | None  # of a clip


class _Drawer:
    """A step of the recipe, ready to be drawn from many times."""

    def __init__(self, recipe: Recipe, name: str, step: StepRecipe) -> None:
        self.streams = Streams()
        self.generator: Generator[Any, Any] = degrade.by_name(name)
        self.ranges = recipe.ranges(name, step)
        self.edges = list(itertools.accumulate(step.strata))
        self.seed = recipe.seed
        fields = self.generator.params._fields
        self.takes_clips, self.draws_textures = "window" in fields, "textures" in fields
        self.needs_partner = "partner" in self.generator.needs
        self.knows_things = recipe.priors.segments not in STAND_INS

    def draw(self, draw: float, subject: _Subject) -> _Step:
        """Return a step; raises BadSample when the photo does not suit."""
        generator = self.generator
        facts, others = self._informed(subject)
        wanted = 1 + bisect.bisect_right(self.edges, draw * self.edges[-1])
        params = generator.sample(self.streams.at(self.seed, generator.name, subject.key), self.ranges, facts, wanted)
        severity = generator.severity(params)
        record = {
            "generator": generator.name,
            "version": generator.version,
            "params": params,
            "severity": severity,
            "unit": generator.unit,
            "stratum": generator.stratum(severity),
        }
        if self.draws_textures and params.textures:
            others = [*others, *subject.companions.textures(generator.name, subject.key, len(params.textures))]
        return _Step(record, others, params.window[1] if self.takes_clips and params.window else None)

    def _informed(self, subject: _Subject) -> tuple[Facts, list[dict[str, Any]]]:
        """Return the facts that this generator may know, and the second photo if it needs one."""
        facts, others = dataclasses.replace(subject.facts, things=True) if self.knows_things else subject.facts, []
        if facts.motion is not None and not self.takes_clips and self.generator.stage < Stage.SENSOR:
            raise BadSample(Reason.NOT_FOR_CLIPS, f"{self.generator.name} is made on stills; of a clip, use frames as photos")
        if self.draws_textures and (size := subject.companions.size_of(self.generator.name)):
            facts = dataclasses.replace(facts, textures=size)
        if self.needs_partner:
            found = subject.companions.partner(subject.photo, subject.key, facts.width, facts.height)
            if found is not None:
                facts, others = dataclasses.replace(facts, partner=found.facts), [found.record]
        return facts, others


class _Task:
    """A task of the recipe: its own step, and those that may join it."""

    def __init__(self, recipe: Recipe, name: str) -> None:
        task = recipe.tasks[name]
        self.name, self.share, self.own = name, task.share, _Drawer(recipe, name, task)
        self.also = [(also.chance, _Drawer(recipe, other, also)) for other, also in sorted(task.also.items())]
        generators = [self.own.generator, *(drawer.generator for _, drawer in self.also)]
        makers = {"depth": recipe.priors.depth, "sky": recipe.priors.sky, "segments": recipe.priors.segments}
        self.place = _places(generators)
        self._needs = {made.name: {need: makers[need] for need in made.needs if need in makers} for made in generators}
        self._told: dict[tuple[str, ...], str] = {}

    def makers_of(self, steps: list[dict[str, Any]], *, of_clip: bool) -> str:
        """Return, as JSON, who makes the maps that these steps need; blur that comes from a clip needs none."""
        names = tuple(step["generator"] for step in steps if not (of_clip and step["generator"] == self.name))
        if names not in self._told:
            self._told[names] = _json({need: maker for name in names for need, maker in self._needs[name].items()})
        return self._told[names]


def _places(generators: list[Generator[Any, Any]]) -> Callable[[dict[str, Any]], int]:
    """Return the key by which steps are sorted into physical order."""
    places = {made.name: at for at, made in enumerate(sorted(generators, key=place))}
    return lambda step: places[step["generator"]]


def draw_rows(recipe: Recipe, usable: list[Photo], banks: dict[str, list[dict[str, Any]]] | None = None) -> Iterator[tuple[Any, ...]]:
    """Yield the plan's rows, split by split and photo by photo, each in the order of `schema.PLAN`.

    The shard of a row is its place among the rows of its split that are not refused.

    Args:
        recipe: the page.
        usable: the photos and clips that may be used, in any order.
        banks: images by degradation, see `banks.read`.
    """
    tasks = [_Task(recipe, name) for name, task in sorted(recipe.tasks.items()) if task.share > 0]
    seen: set[str] = set()
    for name, members in split(recipe, usable):
        companions = Companions(recipe.seed, recipe.crop, members, banks or {})
        count = 0
        for photo in members:
            for row in _rows_of(recipe, tasks, photo, name, companions, seen):
                shard = f"{name}-{count // recipe.render.shard_pairs:05d}" if row[_REASON] is None else ""
                count += row[_REASON] is None
                yield (*row[:_SHARD], shard, *row[_SHARD + 1 :])


def _rows_of(recipe: Recipe, tasks: list[_Task], photo: Photo, split: str, companions: Companions, seen: set[str]) -> list[tuple[Any, ...]]:
    """Return the rows of one photo; those of a clip by frame, so that it is decoded in one pass."""
    begin = unit_draws(recipe.seed, "spread", photo.sha256)
    rows = []
    for variant in range(recipe.variants_of(photo.kind)):
        aim = ((begin[0] + variant * TASK_STRIDE) % 1.0, (begin[1] + variant * STRATUM_STRIDE) % 1.0)
        rows.append(_row(recipe, tasks, _Turn(photo, variant, aim, split), companions, seen))
    if photo.kind == "clip":
        rows.sort(key=lambda row: (row[_FRAME] or 0, row[_ID]))
    return rows


def _row(recipe: Recipe, tasks: list[_Task], turn: _Turn, companions: Companions, seen: set[str]) -> tuple[Any, ...]:
    """Return one row: a pair to be, or a refusal with its reason."""
    photo, variant, aim, split = turn
    key = f"{photo.sha256}:{variant}"
    draws = unit_draws(recipe.seed, "plan", key)  # the second to fourth place the crop
    head = (photo.uri, photo.offset, photo.size, photo.sha256, photo.width, photo.height)
    try:
        crop = crops.draw(recipe.crop, photo.width, photo.height, draws[1:4], photo.detail_grid, lambda: unit_draws(recipe.seed, "place", key))
        subject = _Subject(photo, key, photo.facts(crop), companions)
        task, own = _suited(tasks, subject, *aim)
        drawn = [own, *_joined(recipe, task, subject)]
        steps = [step.record for step in drawn]
        if len(steps) > 1:
            steps.sort(key=task.place)
        written, makers = _json(steps), task.makers_of(steps, of_clip=own.frame is not None)
        others = [other for step in drawn for other in step.others]
        which = "".join([f" {other['role']} {other['sha256']} {other['crop']}" for other in others]) if others else ""
        pair_id = commit.short_hash(f"{VERSION} {photo.sha256} {crop[:]} {written} {makers}{which}")
        if pair_id in seen:
            raise BadSample(Reason.DUPLICATE, "the same crop and parameters as another variant: widen the ranges or lower `variants`")
    except BadSample as bad:
        name = commit.short_hash(f"refused {key} {recipe.seed}")
        return (VERSION, name, None, "synthetic", split, *head, None, variant, *(None,) * _AFTER_CROP, photo.extra, "", str(bad.reason), bad.detail)
    seen.add(pair_id)
    record, (english, chinese) = own.record, PROMPTS[task.name]
    told = (written, record["severity"], record["unit"], record["stratum"], makers, _json(others) if others else "[]", english, chinese)
    return (VERSION, pair_id, task.name, "synthetic", split, *head, own.frame, variant, *crop, *told, photo.extra, "", None, None)


def _suited(tasks: list[_Task], subject: _Subject, draw: float, stratum_draw: float) -> tuple[_Task, _Step]:
    """Return a task drawn by share among those that the photo suits, and its own step."""
    left, refusals = tasks, []
    while left:
        wanted, task = draw * sum([task.share for task in left]), left[0]
        for task in left:
            wanted -= task.share
            if wanted < 0:
                break
        try:
            if subject.facts.motion is not None and not task.own.takes_clips:
                raise BadSample(Reason.NOT_FOR_CLIPS, f"{task.name} is made on photos")
            return task, task.own.draw(stratum_draw, subject)
        except BadSample as bad:
            refusals.append(bad)
            left = [other for other in left if other is not task]
    told = [bad for bad in refusals if bad.reason is not Reason.NOT_FOR_CLIPS] or refusals
    if len(told) == 1:
        raise told[0]
    raise BadSample(Reason.NO_TASK_SUITS, "; ".join(map(str, told)))


def _joined(recipe: Recipe, task: _Task, subject: _Subject) -> list[_Step]:
    """Return the steps that join a task's own, where their chance came up; one that does not suit stays away."""
    joined: list[_Step] = []
    acting = 1
    for chance, drawer in task.also:
        draws = unit_draws(recipe.seed, f"also {drawer.generator.name}", subject.key)
        counts = drawer.generator.stage is not Stage.TAIL
        if draws[0] < chance and not (counts and acting == MAX_DEGRADATIONS):
            try:
                joined.append(drawer.draw(draws[1], subject))
                acting += counts
            except BadSample:
                continue  # the pair is complete without it, and its row says which steps it has
    return joined


def _json(value: Any) -> str:
    """Return JSON; params stand in it as tables of their fields."""
    return orjson.dumps(value, default=_fields).decode()


def _fields(params: Any) -> dict[str, Any]:
    fields: dict[str, Any] = params._asdict()
    return fields
