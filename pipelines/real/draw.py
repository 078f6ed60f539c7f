"""The plan of real pairs: one row for every photo, maker and candidate; what the gate refused is a row with its reason.

Nothing is drawn but the seeds of makers: what a photo shows was measured, not chosen. The rows of one photo stand in one
shard, so that its candidates can be compared when limits are applied.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from degrade.errors import BadSample, Reason, RunError
from degrade.stream import unit_draws
from manifests import commit, scores
from manifests.schema import PLAN, VERSION
from pipelines import crops
from pipelines.prompts import PROMPTS
from pipelines.real import gate
from pipelines.real.gate import Passed
from pipelines.real.pages import MakerRecipe, RealRecipe
from pipelines.recipe import Recipe
from pipelines.run import Run
from pipelines.splits import split
from pipelines.usable import Photo

ROLE = "candidate"  # of a row's record in `others`
UNIT = "grade"  # of severity: 1 barely visible to 5 hardly anything left
SEEDS = 1 << 31

Row = dict[str, Any]


def draw_rows(run: Run, usable: list[Photo]) -> Iterator[tuple[Any, ...]]:
    """Yield the plan's rows in the order of `schema.PLAN`, split by split and photo by photo.

    Raises:
        RunError: the photos have no scores yet that the gate asks for.
    """
    recipe, real = run.recipe, run.recipe.real
    if real is None:
        raise RunError("the recipe has no section `real`")
    numbers, failed = scores.by_key(run.folder, "photos")
    gate.check(real.gate, {column for scorer in scores.kept(run.folder, "photos") for column in scorer.columns()})
    for name, photos in split(recipe, usable):
        shard, held = 0, 0
        for photo in photos:
            rows = list(_rows_of(recipe, real, photo, name, numbers.get(photo.sha256), failed.get(photo.sha256)))
            made = sum(row["reason"] is None for row in rows)
            if held and held + made > recipe.render.shard_pairs:
                shard, held = shard + 1, 0
            held += made
            for row in rows:
                row["shard"] = f"{name}-{shard:05d}" if row["reason"] is None else ""
                yield tuple(row.get(name) for name in PLAN.names)


def _rows_of(
    recipe: Recipe,
    real: RealRecipe,
    photo: Photo,
    part: str,
    numbers: Mapping[str, float] | None,
    failed: tuple[str, str] | None,
) -> Iterator[Row]:
    """Yield the rows of one photo: its candidates to be, or one refusal."""
    head = _head(recipe, photo, part)
    try:
        if failed:
            raise BadSample(Reason(failed[0]), failed[1])
        if numbers is None:
            raise RunError(f"{photo.uri} has no scores: run `patina score RUN --on photos` to the end")
        passed = gate.judge(real.gate, numbers)
        if passed.verdict.reason is not None:
            raise BadSample(passed.verdict.reason, passed.verdict.detail)
        crop = _crop(recipe, real, photo)
        suited = {name: maker for name, maker in real.makers.items() if not maker.tasks or passed.task in maker.tasks}
        if not suited:
            raise BadSample(Reason.NO_TASK_SUITS, f"no maker of the recipe is for {passed.task}")
    except BadSample as bad:
        yield {**head, "variant": 0, "pair_id": _id(head, "refused"), "reason": str(bad.reason), "detail": bad.detail}
        return
    variant = itertools.count()
    for name, maker in sorted(suited.items()):
        for candidate in range(maker.candidates):
            seed = int(unit_draws(recipe.seed, f"maker:{name}", f"{photo.sha256}:{candidate}")[0] * SEEDS)
            yield _candidate({**head, **crop, "variant": next(variant)}, passed, (name, maker), seed, real.correct.margin_px)


def _head(recipe: Recipe, photo: Photo, part: str) -> Row:
    """Return what all rows of a photo share."""
    return {
        "schema_version": VERSION,
        "origin": "real",
        "split": part,
        "photo_uri": photo.uri,
        "photo_offset": photo.offset,
        "photo_size": photo.size,
        "photo_sha256": photo.sha256,
        "photo_width": photo.width,
        "photo_height": photo.height,
        "photo_frame": 0 if photo.kind == "clip" else None,
        "extra": photo.extra,
        "reason": None,
        "seed": recipe.seed,
    }


def _crop(recipe: Recipe, real: RealRecipe, photo: Photo) -> Row:
    """Return the box of the photo that a maker sees, and the size of the pair: its inner part, without the margin."""
    draws = unit_draws(recipe.seed, "plan", photo.sha256)
    crop = crops.draw(recipe.crop, photo.width, photo.height, draws[1:4], photo.detail_grid, lambda: unit_draws(recipe.seed, "place", photo.sha256))
    margin = real.correct.margin_px
    if min(crop.width, crop.height) - 2 * margin < 64:
        raise BadSample(Reason.TOO_SMALL, f"{crop.width}x{crop.height} less a margin of {margin} px on each side leaves hardly anything")
    told = dict(zip(("crop_x", "crop_y", "crop_width", "crop_height"), crop[:4], strict=True))
    return {**told, "width": crop.width - 2 * margin, "height": crop.height - 2 * margin}


def _candidate(row: Row, passed: Passed, maker: tuple[str, MakerRecipe], seed: int, margin_px: int) -> Row:
    """Return the row of a candidate."""
    name, page = maker
    english, chinese = PROMPTS[passed.task]
    prompt = page.prompts.get(passed.task) or (english if page.language == "en" else chinese)
    order = {"role": ROLE, "maker": name, "prompt": prompt, "seed": seed, "margin_px": margin_px}
    stratum = None if passed.severity is None else min(5, max(1, round(passed.severity)))
    params: Row = {"maker": name, **({"also": dict(passed.others)} if passed.others else {})}
    step = {"generator": passed.task, "version": 0, "params": params, "severity": passed.severity, "unit": UNIT, "stratum": stratum}
    return {
        **row,
        "task": passed.task,
        "steps": json.dumps([step]),
        "severity": passed.severity,
        "unit": UNIT,
        "stratum": stratum,
        "makers": json.dumps({"clean": name}),
        "others": json.dumps([order], ensure_ascii=False),
        "prompt_en": english,
        "prompt_zh": chinese,
        "pair_id": _id(row, json.dumps([order, page.kind, page.opened_settings()], sort_keys=True)),
    }


def _id(row: Row, order: str) -> str:
    return commit.fingerprint([row["seed"], row["photo_sha256"], [row.get(name) for name in ("crop_x", "crop_y", "crop_width", "crop_height")], order])
