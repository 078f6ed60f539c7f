"""A recipe means what it says, or is refused with the key and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest

from degrade.errors import RecipeError
from filters import defaults
from pipelines import recipe

ROOT = Path(__file__).resolve().parents[2]

REFUSED = {
    "an unknown key": ("tasks: {noise: {}}\nvarients: 3", r"unknown key `varients`; did you mean `variants`\?"),
    "an unknown task": ("tasks: {nois: {}}", r"no degradation `nois`; did you mean `noise`\?"),
    "an unknown range": ("tasks: {haze: {ranges: {visibility: [1, 2]}}}", r"tasks\.haze\.ranges.*unknown key `visibility`"),
    "a reversed range": ("tasks: {haze: {ranges: {near_m: [9, 4]}}}", r"reversed"),
    "an impossible value": ("tasks: {haze: {ranges: {near_m: [-5, 4]}}}", r"outside the possible"),
    "text for a number": ("tasks: {noise: {}}\nseed: '5'", r"`seed`: `5` is text where a number belongs"),
    "no task": ("seed: 1", r"give either `tasks`"),
    "only zeros": ("tasks: {noise: {strata: [0, 0, 0, 0, 0]}}", r"nothing would ever be drawn"),
    "two sensors or one degradation twice": ("tasks: {noise: {also: {noise: {}}}}", r"acts once"),
    "a key written twice": ("tasks: {noise: {}}\nseed: 1\nseed: 2", r"`seed` is written twice"),
    "a list": ("- tasks", r"a recipe is a table of keys"),
    "a tag that runs code": ("tasks: !!python/object/apply:os.system ['true']", r"cannot be read as YAML"),
    "a shrink below one": ("tasks: {noise: {}}\ncrop: {shrink: [0.5, 1]}", r"crop\.shrink"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path, case):
    """The message names the key and what would be valid."""
    text, told = REFUSED[case]
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RecipeError, match=told):
        recipe.load(tmp_path / "r.yaml")


def test_a_bomb_is_refused_by_its_size(tmp_path):
    """A recipe is a page."""
    (tmp_path / "r.yaml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(RecipeError, match="a recipe is a page"):
        recipe.load(tmp_path / "r.yaml")


def test_a_missing_recipe_names_those_that_are_there(monkeypatch):
    """A wrong name is answered with the right ones."""
    monkeypatch.chdir(ROOT)
    with pytest.raises(RecipeError, match=r"configs/demo\.yaml"):
        recipe.load(Path("configs/dmeo.yaml"))


def test_exponents_are_numbers(tmp_path):
    """5e-1 is a number, as people mean it, though YAML 1.1 reads text."""
    (tmp_path / "r.yaml").write_text("tasks: {noise: {share: 5e-1}}")
    assert recipe.load(tmp_path / "r.yaml").tasks["noise"].share == 0.5


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_recipe_in_the_repository_is_valid(path):
    """What we ship can be run."""
    page = recipe.load(path)
    assert page.tasks or page.real.makers


def test_limits_of_work_and_selection_do_not_make_another_run():
    """Deadlines, memory and score limits may change on an old run; the shard size may not."""
    page = {"tasks": {"noise": {}}}
    one = recipe.parse(page).identity()
    assert one == recipe.parse({**page, "render": {"deadline_s": 5.0}, "select": {"limits": {"psnr_db": [10.0, 40.0]}}}).identity()
    assert one != recipe.parse({**page, "render": {"shard_pairs": 5}}).identity()


def test_default_limits_are_written_out_under_those_of_the_page():
    """A page may begin with the default limits, change one and drop another; what is kept of it says all that were applied."""
    given = {"defaults": True, "limits": {"alignment.shift_px": [0.0, 3.0], "alignment.scale": None, "psnr_db": [5.0, 40.0]}}
    page = recipe.parse({"tasks": {"noise": {}}, "select": given})
    limits = page.select.limits
    assert limits["alignment.shift_px"] == {"default": (0.0, 3.0)}
    assert limits["clean.halo"] == defaults.PAIRS["clean.halo"]
    assert limits.keys() == {*defaults.PAIRS, "psnr_db"} - {"alignment.scale"}
    assert recipe.parse(page.model_dump(mode="json")).select == page.select
    assert not recipe.parse({"tasks": {"noise": {}}}).select.limits
