"""Every recipe that comes with Patina can be planned, and makes what its name says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from test_companions import photo

import degrade
import filters
from manifests.schema import PLAN
from pipelines.draw import draw_rows
from pipelines.real import gate
from pipelines.recipe import load
from pipelines.score import names_of
from pipelines.usable import Photo

EVERY = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))
REAL = [path for path in EVERY if "\nreal:" in path.read_text(encoding="utf-8")]
CONFIGS = [path for path in EVERY if path not in REAL]
MOTION = json.dumps({"fps": 30.0, "speeds_px": [4.0] * 99, "shots": [[0, 99]]})


def usable() -> list[Photo]:
    """Sixty photos with lamps and distance, and four clips."""
    lamps = json.dumps([[0.4, 0.3, 0.01, [1.0, 0.9, 0.7], 8.0]])
    stills = [photo(at, width=1800)._replace(height=1500, lights=lamps) for at in range(60)]
    return stills + [still._replace(kind="clip", motion=MOTION, uri="/clip.mp4", sha256=still.sha256[::-1], far=False) for still in stills[:4]]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_recipe_plans_its_tasks(path):
    """Each task of the page comes up, at more than one stratum, and few photos are refused."""
    page = load(path)
    photos = [one for one in usable() if one.kind == "photo" or page.takes_clips]
    rows = [dict(zip(PLAN.names, row, strict=True)) for row in draw_rows(page, photos)]
    tasks = Counter(row["task"] for row in rows if row["reason"] is None)
    common = {name for name, task in page.tasks.items() if task.share > 0.02 * sum(task.share for task in page.tasks.values())}
    assert common <= set(tasks) <= set(page.tasks)
    assert len({row["stratum"] for row in rows if row["reason"] is None}) == 5
    assert sum(tasks.values()) > 0.9 * len(rows), Counter(row["detail"] for row in rows)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_recipe_of_real_pairs_asks_for_numbers_that_its_scorers_give(path):
    """Every limit, rank and weight names a number of a scorer that the page runs, and every task can be shown."""
    page = load(path)
    given = {on: {f"{name}.{measure}" for name in getattr(page.score, on) for measure in names_of(filters.by_name(name))} for on in ("photos", "pairs")}
    gate.check(page.real.gate, given["photos"])
    assert {*page.select.limits, *page.real.best} <= given["pairs"]
    for task in page.real.gate.tasks:
        limits = {**page.real.gate.every, **page.real.gate.asked_of(task)}
        numbers = {name: sum(limit["default"]) / 2 for name, limit in limits.items()}
        told = {page.real.gate.rank.replace("{task}", task): 1.0, page.real.gate.severity.replace("{task}", task): 4.0}
        passed = gate.judge(page.real.gate, {**numbers, **told})
        assert (passed.task, passed.severity) == (task, 4.0)


def test_every_degradation_has_a_recipe_of_its_own():
    """A newcomer finds a page by the name of the degradation."""
    names = {path.stem for path in EVERY}
    assert {name for name in degrade.NAMES if name != "web"} < names
    assert {"nine", "equal", "web_sr", "standard", "demo"} < names


def test_nine_keeps_the_published_shares():
    """The shares are those of RealRestorer's synthetic pairs, 1.57 million in all, and blur is 65 % of them."""
    shares = {name: task.share for name, task in load(CONFIGS[0].with_name("nine.yaml")).tasks.items()}
    assert sum(shares.values()) == pytest.approx(1567.5, rel=1e-3)
    assert shares["blur"] / sum(shares.values()) == pytest.approx(0.647, abs=1e-3)
