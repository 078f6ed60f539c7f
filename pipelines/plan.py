"""The verb `plan`: every pair of the run as a row, drawn from the index and the recipe without opening a photo.

What a row holds is a function of (recipe, sha256 of the photo, variant) alone, and the order of rows is an order of
hashes, so that neither the order of inputs nor the number of workers can be seen in it. Variants of one photo stand
together: the photo is decoded once for all of them.
"""

from __future__ import annotations

import bisect
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

import degrade
from degrade.contract import Facts, Generator
from degrade.errors import BadSample, Reason, RunError
from degrade.stream import Streams, unit_draws
from manifests import commit
from manifests.schema import PLAN, VERSION
from pipelines import crops
from pipelines.prompts import PROMPTS
from pipelines.recipe import Recipe, StepRecipe
from pipelines.run import Run, require

SHARDS_PER_PART = 64  # a row group is a shard; a part is a file


class Photo(NamedTuple):
    """What the plan knows of a usable photo: its index row, as far as it matters."""

    uri: str
    offset: int | None
    size: int | None
    sha256: str
    width: int
    height: int
    sky_frac: float
    luminance: float
    far: bool
    extra: list[tuple[str, str]]


class _Drawer:
    """A step of the recipe, ready to be drawn from many times."""

    def __init__(self, recipe: Recipe, name: str, step: StepRecipe) -> None:
        self.streams = Streams()
        self.generator: Generator[Any, Any] = degrade.by_name(name)
        self.ranges = recipe.ranges(name, step)
        self.edges = list(itertools.accumulate(step.strata))
        self.seed = recipe.seed

    def draw(self, draw: float, key: str, facts: Facts) -> dict[str, Any]:
        """Return a step's record, its params still a NamedTuple; raises BadSample when the photo does not suit."""
        generator = self.generator
        wanted = 1 + bisect.bisect_right(self.edges, draw * self.edges[-1])
        params = generator.sample(self.streams.at(self.seed, generator.name, key), self.ranges, facts, wanted)
        severity = generator.severity(params)
        return {
            "generator": generator.name,
            "version": generator.version,
            "params": params,
            "severity": severity,
            "unit": generator.unit,
            "stratum": generator.stratum(severity),
        }


class _Task:
    """A task of the recipe: its own step, and those that may join it."""

    def __init__(self, recipe: Recipe, name: str) -> None:
        task = recipe.tasks[name]
        self.name, self.share, self.own = name, task.share, _Drawer(recipe, name, task)
        self.also = [(also.chance, _Drawer(recipe, other, also)) for other, also in sorted(task.also.items())]
        generators = [self.own.generator, *(drawer.generator for _, drawer in self.also)]
        makers = {"depth": recipe.priors.depth, "sky": recipe.priors.sky, "segments": recipe.priors.segments}
        self.place = _places(generators)
        self._needs = {made.name: {need: makers[need] for need in made.needs} for made in generators}
        self._told: dict[tuple[str, ...], str] = {}

    def makers_of(self, steps: list[dict[str, Any]]) -> str:
        """Return, as JSON, who makes the maps that these steps need."""
        names = tuple(step["generator"] for step in steps)
        if names not in self._told:
            self._told[names] = _json({need: maker for name in names for need, maker in self._needs[name].items()})
        return self._told[names]


def _places(generators: list[Generator[Any, Any]]) -> Callable[[dict[str, Any]], int]:
    """Return the key by which steps are sorted into physical order."""
    ordered = sorted(generators, key=lambda made: (made.stage, made.name))
    places = {made.name: place for place, made in enumerate(ordered)}
    return lambda step: places[step["generator"]]


def plan(run: Run) -> dict[str, Any]:
    """Write the plan of a run; answer its record: counts by task, stratum, split and reason, and the shards."""
    require(run.index, "index", run.folder)
    if not run.plan_record.exists():
        record = _write(run, draw_rows(run.recipe, photos(run)))
        commit.write_json(run.plan_record, {**record, "fingerprint": run.fingerprint})
    return read_record(run)


def read_record(run: Run) -> dict[str, Any]:
    """Return what the plan committed."""
    require(run.plan_record, "plan", run.folder)
    record: dict[str, Any] = json.loads(run.plan_record.read_text())
    if record["fingerprint"] != run.fingerprint:
        raise RunError(f"{run.plan_record} belongs to another recipe than {run.folder / 'run.json'}: use a new --out")
    return record


def photos(run: Run) -> list[Photo]:
    """Return the usable photos of a run's index."""
    names = [*Photo._fields, "verdict"]
    table = commit.read_table(run.index, names)
    kept = table.filter(pa.compute.equal(table.column("verdict"), "keep"))
    return [Photo(*row) for row in zip(*(kept.column(name).to_pylist() for name in Photo._fields), strict=True)]


def draw_rows(recipe: Recipe, usable: list[Photo]) -> Iterator[tuple[Any, ...]]:
    """Yield the plan's rows, split by split and photo by photo, each in the order of `schema.PLAN`.

    The shard of a row is its place among the rows of its split that are not refused.
    """
    tasks = [_Task(recipe, name) for name, task in sorted(recipe.tasks.items()) if task.share > 0]
    splits = sorted(name for name, share in recipe.split.items() if share > 0)
    edges = list(itertools.accumulate(recipe.split[name] for name in splits))
    placed = []
    for photo in usable:
        group = dict(photo.extra).get("group") or photo.sha256
        draw = unit_draws(recipe.seed, "split", group)[0]
        order = unit_draws(recipe.seed, "order", photo.sha256)[0]
        placed.append((bisect.bisect_right(edges, draw * edges[-1]), order, photo))
    placed.sort(key=lambda place: (place[0], place[1], place[2].sha256))
    seen: set[str] = set()
    for index, group_of in itertools.groupby(placed, key=lambda place: place[0]):
        count = 0
        for _, _, photo in group_of:
            for variant in range(recipe.variants):
                shard = f"{splits[index]}-{count // recipe.render.shard_pairs:05d}"
                row = _row(recipe, tasks, photo, variant, splits[index], shard, seen)
                count += row[_REASON] is None
                yield row


_NAMES = PLAN.names
_REASON = _NAMES.index("reason")
_SHARD = _NAMES.index("shard")


def _row(recipe: Recipe, tasks: list[_Task], photo: Photo, variant: int, split: str, shard: str, seen: set[str]) -> tuple[Any, ...]:
    """Return one row: a pair to be, or a refusal with its reason."""
    key = f"{photo.sha256}:{variant}"
    draws = unit_draws(recipe.seed, "plan", key)
    head = (photo.uri, photo.offset, photo.size, photo.sha256, photo.width, photo.height, variant)
    try:
        crop = crops.draw(recipe.crop, photo.width, photo.height, draws[1:4])
        facts = Facts(crop.width, crop.height, photo.sky_frac, photo.luminance, photo.far)
        task, own = _suited(tasks, key, facts, draws[0], draws[4])
        steps = [own, *_joined(recipe, task, key, facts)]
        if len(steps) > 1:
            steps.sort(key=task.place)
        written, makers = _json(steps), task.makers_of(steps)
        pair_id = commit.short_hash(f"{VERSION} {photo.sha256} {crop[:]} {written} {makers}")
        if pair_id in seen:
            raise BadSample(Reason.DUPLICATE, "the same crop and parameters as another variant: widen the ranges or lower `variants`")
    except BadSample as bad:
        name = commit.short_hash(f"refused {key} {recipe.seed}")
        nothing = (None,) * (len(_NAMES) - _NAMES.index("crop_x") - 4)
        return (VERSION, name, None, "synthetic", split, *head, *nothing, photo.extra, "", str(bad.reason), bad.detail)
    seen.add(pair_id)
    english, chinese = PROMPTS[task.name]
    told = (written, own["severity"], own["unit"], own["stratum"], makers, english, chinese)
    return (VERSION, pair_id, task.name, "synthetic", split, *head, *crop, *told, photo.extra, shard, None, None)


def _suited(tasks: list[_Task], key: str, facts: Facts, draw: float, stratum_draw: float) -> tuple[_Task, dict[str, Any]]:
    """Return a task drawn by share among those that the photo suits, and its own step."""
    left, refusals = tasks, []
    while left:
        wanted, task = draw * sum([task.share for task in left]), left[0]
        for task in left:
            wanted -= task.share
            if wanted < 0:
                break
        try:
            return task, task.own.draw(stratum_draw, key, facts)
        except BadSample as bad:
            refusals.append(bad)
            left = [other for other in left if other is not task]
    if len(refusals) == 1:
        raise refusals[0]
    raise BadSample(Reason.NO_TASK_SUITS, "; ".join(map(str, refusals)))


def _joined(recipe: Recipe, task: _Task, key: str, facts: Facts) -> list[dict[str, Any]]:
    """Return the steps that join a task's own, where their chance came up; one that does not suit stays away."""
    joined = []
    for chance, drawer in task.also:
        draws = unit_draws(recipe.seed, f"also {drawer.generator.name}", key)
        if draws[0] < chance:
            try:
                joined.append(drawer.draw(draws[1], key, facts))
            except BadSample:
                continue  # the pair is complete without it, and its row says which steps it has
    return joined


def _json(value: Any) -> str:
    """Return JSON; params stand in it as tables of their fields."""
    return orjson.dumps(value, default=_fields).decode()


def _fields(params: Any) -> dict[str, Any]:
    fields: dict[str, Any] = params._asdict()
    return fields


def _write(run: Run, rows: Iterator[tuple[Any, ...]]) -> dict[str, Any]:
    """Write the parts; answer the plan's record."""
    commit.clear_temporaries(run.folder / "plan")
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("task", "stratum", "split", "reason")}
    refused: list[tuple[Any, ...]] = []

    def rendered() -> Iterator[tuple[Any, ...]]:
        for row in rows:
            if row[_REASON] is None:
                for name in ("task", "stratum", "split"):
                    counts[name][str(row[_NAMES.index(name)])] += 1
                yield row
            else:
                counts["reason"][row[_REASON]] += 1
                refused.append(row)

    shards: list[list[str]] = []
    sizes: dict[str, int] = {}
    groups = itertools.groupby(rendered(), key=lambda row: row[_SHARD])
    for part in itertools.count():
        written = _write_part(run, part, itertools.islice(groups, SHARDS_PER_PART), sizes)
        if not written:
            break
        shards.append(written)
    commit.write_table(run.folder / "plan" / "refused.parquet", table_of(refused))
    planned = sum(sizes.values())
    hashes = [commit.sha256(run.plan_part(part).read_bytes()) for part in range(len(shards))]
    told = {name: dict(count) for name, count in counts.items()}
    return {"planned": planned, "refused": len(refused), "parts": shards, "sha256": hashes, "rows": sizes, "counts": told}


def _write_part(run: Run, part: int, groups: Any, sizes: dict[str, int]) -> list[str]:
    """Write up to SHARDS_PER_PART shards as the row groups of one file; answer their names."""
    names: list[str] = []
    first = next(groups, None)
    if first is None:
        return names
    with commit.atomic_file(run.plan_part(part)) as file, pq.ParquetWriter(file, PLAN, compression="zstd", write_page_checksum=True) as writer:
        for shard, group in itertools.chain([first], groups):
            table = table_of(list(group))
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            names.append(shard)
            sizes[shard] = table.num_rows
    return names


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Return plan rows as an Arrow table."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(_NAMES)
    return pa.Table.from_arrays([pa.array(column, field.type) for column, field in zip(columns, PLAN, strict=True)], schema=PLAN)


def shard_rows(run: Run, part: int, group: int) -> list[dict[str, Any]]:
    """Return the plan's rows of one shard."""
    with pq.ParquetFile(run.plan_part(part), page_checksum_verification=True) as file:
        rows: list[dict[str, Any]] = file.read_row_group(group).to_pylist()
    return rows
