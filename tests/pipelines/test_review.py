"""Which pairs go to people: those at the limits, a fair sample, and those about which people disagree; and what their words come to."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from degrade.errors import CorruptRun, RecipeError
from filters.limits import parse as limit
from manifests import commit
from manifests.commit import read_table
from manifests.page import queue
from manifests.page.reviews import ReviewLog, reviewed
from manifests.schema import PAIR
from pipelines import review
from pipelines.build import books
from pipelines.cli import app
from pipelines.select import select


def limited(run, **limits):
    """The run with other limits, `scorer__measure` for `scorer.measure`."""
    page = run.recipe.select.model_copy(update={"limits": {name.replace("__", "."): limit(bounds) for name, bounds in limits.items()}})
    return replace(run, recipe=run.recipe.model_copy(update={"select": page}))


def with_rows(run, scores, tasks=None, **columns):
    """Write a manifest of pairs with these scores (a dict for each); answer their ids."""
    base = next(row for row in read_table(run.manifest).to_pylist() if row["verdict"] == "keep")
    ids = [commit.short_hash(f"pair {at}") for at in range(len(scores))]
    rows = []
    for at, (pair_id, numbers) in enumerate(zip(ids, scores, strict=True)):
        told = {name: values[at] for name, values in columns.items()}
        rows.append({**base, "pair_id": pair_id, "task": (tasks or ["noise"] * len(scores))[at], "scores": sorted(numbers.items()), **told})
    commit.write_table(run.manifest, pa.Table.from_pylist(rows, PAIR))
    return ids


def say(run, pair_id, decision, reviewer="ann"):
    """Write a word down."""
    ReviewLog(run.folder).append(reviewed(pair_id, reviewer, decision, "artefact" if decision == "reject" else None))


def test_both_sides_of_every_limit_are_asked_about_nearest_first(scratch):
    """Of two limits in different units the nearest pairs on each side are taken in turn; what another limit refuses by far is left out."""
    rng = np.random.default_rng(1)
    scores = [{"psnr_db": float(db), "alignment.shift_px": float(px)} for db, px in zip(rng.uniform(20, 40, 400), rng.uniform(0, 4, 400), strict=True)]
    ids = with_rows(scratch, scores)
    run = limited(scratch, psnr_db=[25.0, math.inf], alignment__shift_px=[0.0, 2.0])
    made = review.ask(run, borderline=40, sample=0)
    numbers = dict(zip(ids, scores, strict=True))
    why = Counter(" ".join(reasons[0].split()[:4]) for reasons in made.pairs.values())
    ends = ("psnr_db >= 25", "alignment.shift_px <= 2")  # a shift has no lower limit
    assert set(why) == {f"{word} {end}" for word in ("keeps", "breaks") for end in ends}
    assert set(why.values()) == {10}
    near = [numbers[pair_id] for pair_id, reasons in made.pairs.items() if "psnr_db" in reasons[0]]
    assert max(abs(told["psnr_db"] - 25) for told in near) < 2.0
    possible = sorted(abs(told["psnr_db"] - 25) for told in scores if told["psnr_db"] >= 25 and told["alignment.shift_px"] <= 4)
    assert max(told["psnr_db"] - 25 for told in near) <= possible[14]


def test_a_pair_that_falls_by_far_is_no_question(scratch):
    """Near one limit, but far beyond another: nobody is asked."""
    scores = [{"a": 1.0 + at / 1000, "b": 100.0 if at % 5 == 0 else at / 100} for at in range(100)]
    ids = with_rows(scratch, scores)
    made = review.ask(limited(scratch, a=[1.05, math.inf], b=[-1.0, 3.0]), borderline=100, sample=0)
    assert made.pairs
    assert not {pair_id for pair_id, told in zip(ids, scores, strict=True) if told["b"] == 100.0} & made.pairs.keys()


def test_limits_by_task_are_asked_about_within_their_task(scratch):
    """A haze pair near the limit of noise is not at a limit."""
    scores = [{"x": at / 10} for at in range(100)]
    tasks = ["noise" if at % 2 else "haze" for at in range(100)]
    ids = with_rows(scratch, scores, tasks)
    run = limited(scratch, x={"default": [2.0, math.inf], "haze": [8.0, math.inf]})
    of = dict(zip(ids, tasks, strict=True))
    made = review.ask(run, borderline=8, sample=0)
    assert {(of[pair_id], "of haze" in reasons[0]) for pair_id, reasons in made.pairs.items()} == {("noise", False), ("haze", True)}


def test_the_sample_is_of_what_the_limits_keep_and_a_larger_one_holds_it(scratch):
    """Fifty of the kept, the same each time, whatever people have said meanwhile."""
    ids = with_rows(scratch, [{"x": float(at)} for at in range(300)])
    run = limited(scratch, x=[100.0, math.inf])
    small, large = (set(review.ask(run, 0, count).pairs) for count in (20, 60))
    assert small < large <= set(ids[100:])
    for pair_id in sorted(large)[:30]:
        say(run, pair_id, "reject")
    select_kept = [{"verdict": "reject", "decided_by": "review"} if pair_id in sorted(large)[:30] else {} for pair_id in ids]
    with_rows(run, [{"x": float(at)} for at in range(300)], verdict=[told.get("verdict", "keep") for told in select_kept])
    table = read_table(run.manifest)
    assert set(table.column("verdict").to_pylist()) == {"keep", "reject"}
    rows = [{**row, "decided_by": "review"} if row["verdict"] == "reject" else row for row in table.to_pylist()]
    commit.write_table(run.manifest, pa.Table.from_pylist(rows, PAIR))
    assert set(review.ask(run, 0, 60).pairs) == large


def test_what_nobody_can_bring_back_is_not_asked_about(scratch):
    """Pairs without pictures, and candidates that were not the best, stay out."""
    ids = with_rows(scratch, [{"x": 1.0}] * 4, verdict=["keep", "reject", "reject", "reject"], decided_by=["render", "best", "render", "select"],
                    clean_sha256=["a", "b", None, "c"])  # fmt: skip
    assert set(review.open_rows(read_table(scratch.manifest, review.COLUMNS)).column("pair_id").to_pylist()) == {ids[0], ids[3]}


def test_a_quarrel_is_asked_about_until_it_is_settled(scratch):
    """Accepted by one and rejected by another, a pair enters the queue; a third word takes it out."""
    pair_id = next(row["pair_id"] for row in read_table(scratch.manifest).to_pylist() if row["verdict"] == "keep")
    say(scratch, pair_id, "accept", "ann")
    say(scratch, pair_id, "reject", "bob")
    assert review.ask(scratch, 0, 0).pairs == {pair_id: ("disputed",)}
    assert queue.read(scratch.folder).left(ReviewLog(scratch.folder).standing(), "cleo") == [pair_id]
    say(scratch, pair_id, "reject", "cleo")
    assert not review.ask(scratch, 0, 0).pairs


def test_three_must_speak(scratch):
    """With three reviewers, one or two words decide nothing, in the queue or out of it; the third makes a majority, and `select` obeys."""
    kept = [row["pair_id"] for row in read_table(scratch.manifest).to_pylist() if row["verdict"] == "keep"]
    asked = list(review.ask(scratch, 0, 5, reviewers=3).pairs)
    other = next(pair_id for pair_id in kept if pair_id not in asked)
    for name, decision in (("ann", "reject"), ("bob", "accept")):
        say(scratch, asked[0], decision, name)
        say(scratch, other, "reject", name)
        select(scratch)
        verdicts = {row["pair_id"]: row["verdict"] for row in read_table(scratch.manifest).to_pylist()}
        assert (verdicts[asked[0]], verdicts[other]) == ("keep", "keep")
    say(scratch, asked[0], "flag", "cleo")
    assert review.status(scratch).decided == {"accept": 0, "reject": 0, "pending": 5}
    say(scratch, asked[0], "reject", "cleo")
    select(scratch)
    row = next(row for row in read_table(scratch.manifest).to_pylist() if row["pair_id"] == asked[0])
    assert (row["verdict"], row["reason"], row["detail"]) == ("reject", "reviewed_out", "ann: artefact; bob: accept; cleo: artefact")
    assert books(scratch).closed
    told = review.status(scratch)
    assert told.decided == {"accept": 0, "reject": 1, "pending": 4}
    assert told.left == {"ann": 4, "bob": 4, "cleo": 4}
    assert review.ask(scratch, 0, 5, reviewers=3).pairs.keys() == set(asked)


def test_the_command_asks_tells_and_refuses(scratch):
    """`patina review` writes the queue, `--status` counts, and what cannot be meant is refused."""
    run = str(scratch.folder)
    asked = json.loads(CliRunner().invoke(app, ["review", run, "--sample", "4", "--reviewers", "2", "--json"]).stdout)
    assert asked == {"pairs": 4, "reviewers": 2}
    before = (scratch.folder / queue.FILE).read_bytes()
    CliRunner().invoke(app, ["review", run, "--sample", "4", "--reviewers", "2"])
    assert (scratch.folder / queue.FILE).read_bytes() == before
    first = next(iter(queue.read(scratch.folder).pairs))
    say(scratch, first, "accept", "ann")
    say(scratch, first, "accept", "bob")
    told = CliRunner().invoke(app, ["review", run, "--status"]).stdout.splitlines()
    assert told[0] == "queue     4 pairs, 2 reviewers each: 1 accepted, 0 rejected, 3 pending"
    assert told[1] == "ann       1 accept; 3 of the queue left"
    assert told[3].startswith("agreement 1 of 1 pairs")
    with pytest.raises(RecipeError, match="--reviewers 0"):
        review.ask(scratch, reviewers=0)
    assert isinstance(CliRunner().invoke(app, ["review", run, "--precision", "2"]).exception, RecipeError)
    (scratch.folder / queue.FILE).write_text('{"pairs": 3}')
    with pytest.raises(CorruptRun, match="no review queue"):
        review.status(scratch)
