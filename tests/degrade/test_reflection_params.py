"""Reflection keeps more than the laws ask of it: bytes of light, its notes, both photos, and a mild first stratum."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import test_reflection
from test_reflection import assets, drawn

from degrade import chain, reflection
from degrade.contract import STRATA, Linear, Srgb
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

