"""Reflection keeps more than the laws ask of it: bytes of light, its notes, both photos, and a mild first stratum."""

from __future__ import annotations

import itertools
import json
from typing import Any, cast

import cv2
import numpy as np
import pytest
import test_reflection
from pydantic import ValidationError
from test_reflection import assets, drawn

from degrade import chain, reflection
from degrade.contract import STRATA, Assets, Linear, Srgb
from degrade.record import from_record, to_record
from degrade.reflection import ReflectionParams

clean, partner, light = test_reflection.clean, test_reflection.partner, test_reflection.light


def test_render_is_pure(light: Linear, partner: Srgb) -> None:
    """The same params give the same bytes, also after a trip through JSON, and neither photo is touched."""
    for key in "abcde":
        params = drawn(3, key)
        kept = light.copy(), partner.copy()
        again = from_record(ReflectionParams, json.loads(json.dumps(to_record(params))))
        first, second = (reflection.render(light, one, assets(partner, one)) for one in (params, again))
        assert first.picture.tobytes() == second.picture.tobytes()
        assert first.notes == second.notes
        assert np.array_equal(light, kept[0])
        assert np.array_equal(partner, kept[1])


def test_a_missing_bank_is_an_error(light: Linear, partner: Srgb) -> None:
    """Params that lay an image on the glass do not render without it, and say where it belongs."""
    params = next(one for one in (drawn(3, str(key), {"dirty": 1.0, "bank": 1.0}) for key in range(9)) if one.textures)
    for make in (reflection.render, reflection.layers):
        with pytest.raises(ValueError, match=r"assets.textures\['reflection'\], 0 are there"):
            make(light, params, Assets(partner=partner, height_rad=0.75))


@pytest.mark.parametrize("coverage", [(0.0, 0.02), (0.0, 0.0)])
def test_dirty_glass_without_dirt_is_refused(coverage: tuple[float, float]) -> None:
    """Coverage is drawn by its logarithm: a recipe that wants clean glass says `dirty: 0`."""
    with pytest.raises(ValidationError, match=r"`coverage`.*outside the possible"):
        reflection.ReflectionRanges(coverage=coverage)


@pytest.mark.parametrize("end", [0, 1])
def test_ranges_can_be_drawn_from_at_the_ends_of_what_is_possible(end: int) -> None:
    """No bound that a recipe may set makes a draw fail."""
    for name, field in reflection.ReflectionRanges.model_fields.items():
        bounds = cast("dict[str, Any]", field.json_schema_extra or {}).get("possible")
        if bounds is not None:
            bound = float(bounds[end])
            for key in range(12):
                drawn(3, str(key), {name: (bound, bound), "dirty": 1.0, "double": 1.0, "curtain": 1.0, "bank": 0.0})


def test_stronger_strata_differ_more_from_clean(clean: Srgb, partner: Srgb) -> None:
    """Similarity to the clean side falls with every stratum, and the first is mild."""
    level = []
    for stratum in range(1, STRATA + 1):
        params = [drawn(stratum, str(key)) for key in range(8)]
        made = [chain.render(clean, [chain.Step(reflection.GENERATOR, one)], assets(partner, one)).pixels for one in params]
        level.append(float(np.mean([cv2.PSNR(clean, one) for one in made])))
    assert all(before > after for before, after in itertools.pairwise(level)), level
    assert level[0] > 25
    assert level[-1] < 18

