"""Limits from decisions: what people meant is found again, with how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import yaml
from test_review import limited, say, with_rows
from typer.testing import CliRunner

from pipelines import suggest
from pipelines.cli import app
from pipelines.interval import Interval, Rules, roundest
from pipelines.recipe import parse

OPEN = (-math.inf, math.inf)


def brute(values, accepted, *, lows, highs):
    """The best balanced accuracy of all intervals whose ends are among some numbers."""
    inside = [(values >= low) & (values <= high) for low in lows for high in highs if low <= high]
    return max((found[accepted].mean() + (~found[~accepted]).mean()) / 2 for found in inside)


@pytest.mark.parametrize("seed", range(8))
def test_no_interval_is_better(seed):
    """Over random decisions, the interval has the balanced accuracy that trying all of them finds."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(0, 2, 60), 1)
    accepted = np.abs(values - 0.5) + rng.normal(0, 1, 60) < 2
    ends = [-99.0, *(np.unique(values)[:-1] + np.diff(np.unique(values)) / 2), 99.0]
    found, accuracy = Interval(values, accepted, Rules((-99.0, 99.0), (None, None))).best()
    inside = (values >= found[0]) & (values <= found[1])
    assert accuracy == pytest.approx((inside[accepted].mean() + (~inside[~accepted]).mean()) / 2)
    assert accuracy == pytest.approx(brute(values, accepted, lows=ends, highs=ends))
    one_end, alone = Interval(values, accepted, Rules((-99.0, 99.0), (None, None), both=False)).best()
    assert one_end[0] == -99.0 or one_end[1] == 99.0
    assert alone == pytest.approx(max(brute(values, accepted, lows=ends, highs=[99.0]), brute(values, accepted, lows=[-99.0], highs=ends)))


def test_a_precision_is_kept_and_no_more_is_given_up_than_it_needs():
    """At 90 %, the interval keeps the most accepts of all that are so precise; where none is, the most precise."""
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1, 150)
    accepted = rng.uniform(0, 1, 150) < 1 - values**2
    (_, high), _ = Interval(values, accepted, Rules((0.0, 1.0), (0.0, None), precision=0.9)).best()
    assert accepted[values <= high].mean() >= 0.9
    ordered = np.sort(values)
    most = max(accepted[values <= end].sum() for end in ordered if accepted[values <= end].mean() >= 0.9)
    assert accepted[values <= high].sum() == most
    (low, high), _ = Interval(np.array([1.0, 2.0, 3.0]), np.array([False, True, False]), Rules(OPEN, (None, None), precision=0.99)).best()
    assert (1 < low < 2, 2 < high < 3) == (True, True)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.9, 7.2, 4.0), (1.01, 1.99, 1.5), (0.12345, 0.12349, 0.12347), (5.0, 5.0, 5.0), (-3.0, 1200.0, 600.0), (149.0, 151.5, 150.0)],
)
def test_ends_are_round(low, high, told):
    """Of the numbers between two others, one with few digits."""
    assert roundest(low, high) == told


def reviewed_run(scratch, count=120, truth=1.2, doubt=0.15):
    """A run in which people reject what has moved further than `truth` px, with some doubt; `other` says nothing."""
    rng = np.random.default_rng(5)
    shifts = rng.uniform(0, 3, count)
    scores = [{"alignment.shift_px": float(px), "other": float(rng.normal()), "sharp": float(-px)} for px in shifts]
    run = limited(scratch, alignment__shift_px=[0.0, 2.0], other=[-5.0, 5.0])
    for pair_id, px in zip(with_rows(run, scores), shifts, strict=True):
        say(run, pair_id, "accept" if px + rng.normal(0, doubt) < truth else "reject")
    return run


def test_the_limit_that_people_meant_is_found_again(scratch):
    """Reviewers who reject from 1.2 px on move a limit of 2 px there, and the range that it is known to is around it and narrow."""
    found = {made.score: made for made in suggest.suggest(reviewed_run(scratch))}
    made = found["alignment.shift_px"]
    assert made.high == pytest.approx(1.2, abs=0.15)
    assert made.low == 0.0  # a shift has no lower limit
    assert made.high_between[0] - 0.05 <= 1.2 <= made.high_between[1] + 0.05
    assert made.high_between[1] - made.high_between[0] < 0.5
    assert made.accuracy > 0.9 > made.accuracy_now
    assert made.tells
    assert (made.accepted + made.rejected, made.recipe) == (120, (0.0, 2.0))
    assert found["other"].accuracy_between[0] < 0.65  # chance, and it shows
    assert found["sharp"].low == pytest.approx(-1.2, abs=0.15)  # no limit in the recipe, but it tells
    assert found["sharp"].recipe is None


def test_suggestions_are_the_same_each_time_and_can_be_pasted(scratch):
    """Bootstrap samples are drawn from a named stream; the printed lines are a valid part of a recipe."""
    run = reviewed_run(scratch)
    assert suggest.suggest(run) == suggest.suggest(run)
    text = suggest.as_yaml(suggest.suggest(run))
    page = parse({"tasks": {"noise": {}}, **yaml.safe_load(text)})
    assert page.select.limits["alignment.shift_px"]["default"][0] == 0.0
    assert "recipe [0.0, 2.0]" in text
    assert "90 %: high" in text
    by_task = limited(scratch, alignment__shift_px={"default": [0.0, 2.0], "noise": [0.0, 2.5]})
    page = parse({"tasks": {"noise": {}}, **yaml.safe_load(suggest.as_yaml(suggest.suggest(by_task)))})
    assert set(page.select.limits["alignment.shift_px"]) == {"noise"}


def test_a_precision_can_be_asked_for(scratch):
    """With --precision the limit keeps at least that share accepted."""
    strict = {made.score: made for made in suggest.suggest(reviewed_run(scratch, doubt=0.5), 0.95)}["alignment.shift_px"]
    usual = {made.score: made for made in suggest.suggest(reviewed_run(scratch, doubt=0.5))}["alignment.shift_px"]
    assert strict.precision >= 0.95
    assert strict.high < usual.high


def test_too_few_decisions_suggest_nothing(scratch):
    """Below thirty, or with hardly a reject, nothing is said, and the command says so."""
    assert suggest.suggest(reviewed_run(scratch, count=29)) == []
    assert "review more" in CliRunner().invoke(app, ["review", str(scratch.folder), "--suggest"]).stdout
    assert suggest.suggest(reviewed_run(scratch, count=60, truth=9.0)) == []
