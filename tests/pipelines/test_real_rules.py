"""The rules of real pairs by themselves: the gate, the recipe's section, and what is undone on the way from maker to pair."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from real_page import PAGE

from degrade.errors import BadSample, RecipeError, RunError
from filters.limits import parse as limit
from pipelines.real import gate
from pipelines.real.darkroom import put_back, unresized
from pipelines.real.pages import CorrectRecipe, GateRecipe
from pipelines.recipe import parse


def test_the_gate_is_pure_and_explains():
    """Of several tasks the one that ranks highest is taken, the others are named; what shows none says which was nearest."""
    page = GateRecipe(
        every={"mark": limit([0, 0.5])},
        shows={"clip.p.{task}": limit([0.6, 1])},
        tasks={"haze": {}, "rain": {"clip.margin.rain": limit([1, 99])}},
        rank="clip.p.{task}",
    )
    both = gate.judge(page, {"mark": 0.0, "clip.p.haze": 0.7, "clip.p.rain": 0.9, "clip.margin.rain": 2.0, "severity.rain": 3.4})
    assert (both.verdict.keep, both.task, both.severity, both.others) == (True, "rain", 3.4, {"haze": 0.7})
    assert gate.judge(page, {"mark": 0.0, "clip.p.haze": 0.7, "clip.p.rain": 0.9, "clip.margin.rain": 0.0}).task == "haze"
    assert str(gate.judge(page, {"mark": 0.9, "clip.p.haze": 0.7}).verdict.reason) == "above_limit"
    none = gate.judge(page, {"mark": 0.0, "clip.p.haze": 0.5, "clip.p.rain": 0.2}).verdict
    assert str(none.reason) == "not_degraded"
    assert "nearest is haze" in none.detail


def test_a_gate_on_numbers_that_nobody_took_says_what_to_run():
    """A limit on an unknown number is an error before anything is planned."""
    page = GateRecipe(shows={"clip.p.{task}": limit([0.6, 1])}, tasks={"haze": {}})
    with pytest.raises(RunError, match=r"clip\.p\.haze.*patina score RUN --on photos"):
        gate.check(page, {"evidence.sign.noise"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"best": {}}, "say which is `best`"),
        ({"makers": {}}, "at least one maker"),
        ({"makers": {"x": {"kind": "comand", "settings": {}}}}, "did you mean `command`"),
        ({"gate": {"tasks": {"hase": {}}}}, "did you mean `haze`"),
        ({"correct": {"margin_px": 2, "max_shift_px": 4.0}}, "`margin_px` must be at least"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(change, told):
    """Unknown makers and tasks are named with the nearest; several candidates need a best."""
    with pytest.raises(RecipeError, match=told):
        parse({**PAGE, "real": {**PAGE["real"], **change}})


def test_real_and_synthetic_are_two_recipes():
    """A page makes one kind of pairs."""
    with pytest.raises(RecipeError, match="give either `tasks`"):
        parse({**PAGE, "tasks": {"noise": {}}})


def test_an_editors_resize_is_undone_and_a_cut_beyond_the_margin_is_not(astronaut):
    """Stretched and padded candidates come back at the photo's size and place; one that lost more than the margin is refused."""
    photo = np.ascontiguousarray(astronaut[60:380, 40:440])
    height, width = photo.shape[:2]
    stretched = cv2.resize(photo, (width * 5 // 4, height * 5 // 4 + 6))
    padded = cv2.copyMakeBorder(photo, 40, 40, 0, 0, cv2.BORDER_CONSTANT, value=(9, 9, 9))
    for candidate in (stretched, padded):
        back = unresized(candidate, photo, 16)
        assert back.shape == photo.shape
        assert cv2.PSNR(back, photo) > 27
    slightly, far = photo[:, 10:-10], photo[:, 60:-60]
    assert unresized(np.ascontiguousarray(slightly), photo, 16).shape == photo.shape
    with pytest.raises(BadSample, match="more than the margin"):
        unresized(np.ascontiguousarray(far), photo, 16)


def test_what_moved_too_far_is_refused(astronaut):
    """A candidate that is shifted beyond the limits is no correction any more; an unmoved one is left untouched."""
    photo = np.ascontiguousarray(astronaut[:320, :320])
    rules = CorrectRecipe(margin_px=16, max_shift_px=4.0)
    with pytest.raises(BadSample, match=r"shifted 9\.\d px"):
        put_back(np.roll(photo, 9, 1), photo, rules)
    same, notes = put_back(photo, photo, rules)
    assert np.array_equal(same, photo)
    assert notes["restore.shift_px"] == 0.0
