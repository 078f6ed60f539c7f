"""Limits on numbers: explained, repeatable, and quick."""

from __future__ import annotations

from dataclasses import replace

import pytest

from degrade.errors import RunError
from manifests.commit import read_table
from pipelines.build import books
from pipelines.select import select


def limited(run, **limits):
    """The run with other limits."""
    return replace(run, recipe=run.recipe.model_copy(update={"select": run.recipe.select.model_copy(update={"limits": limits})}))


def test_a_limit_takes_what_is_outside_and_says_so(scratch):
    """Every pair beyond the limit is refused with the score in its detail, and the books still close."""
    run = limited(scratch, psnr_db={"default": (20.0, 35.0)})
    fallen = select(run)
    rows = read_table(run.manifest).to_pylist()
    outside = [row for row in rows if row["scores"] and not 20.0 <= dict(row["scores"])["psnr_db"] <= 35.0]
    assert fallen[0].alone == len(outside) > 0
    assert {row["verdict"] for row in outside} == {"reject"}
    assert {row["reason"] for row in outside} <= {"below_limit", "above_limit"}
    assert all("psnr_db" in row["detail"] for row in outside)
    assert books(run).closed


def test_selecting_again_with_old_limits_restores_the_manifest(scratch):
    """Selection leaves no trace in the shards."""
    before = read_table(scratch.manifest)
    select(limited(scratch, psnr_db={"default": (20.0, 21.0)}))
    select(scratch)
    assert read_table(scratch.manifest).equals(before)


def test_a_score_that_nobody_computed_is_an_error(scratch):
    """A limit on a missing score is not silently fulfilled."""
    with pytest.raises(RunError, match=r"`select\.limits\.psnr`.*did you mean `psnr_db`"):
        select(limited(scratch, psnr={"default": (20.0, 35.0)}))
