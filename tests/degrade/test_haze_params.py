"""Haze keeps more than the laws ask of it: bytes of light, every number by itself, and how dark its fog may be."""

from __future__ import annotations

import json

import numpy as np
import pytest
import test_haze
from test_haze import drawn, psnr

from degrade import camera, haze
from degrade.contract import Assets, Linear, Srgb
from degrade.record import from_record, to_record

scene = test_haze.scene


@pytest.mark.parametrize("name", [name for name in haze.HazeParams._fields if name != "textures"])
def test_every_param_changes_the_picture(scene: tuple[Linear, Assets], name: str) -> None:
    """No number is recorded that does not matter."""
    light, assets = scene
    params = drawn(4, far_cut=0.05)
    value = getattr(params, name)
    other = value + 1 if isinstance(value, int) else value * 1.3 + 0.02
    before, after = (camera.to_srgb(haze.render(light, one, assets)) for one in (params, params._replace(**{name: other})))
    assert not np.array_equal(before, after)


def test_render_is_pure(scene: tuple[Linear, Assets]) -> None:
    """The same params give the same bytes, also after a trip through JSON, and the input keeps its own."""
    light, assets = scene
    kept = light.copy()
    params = drawn(3)
    again = from_record(haze.HazeParams, json.loads(json.dumps(to_record(params))))
    assert haze.render(light, params, assets).tobytes() == haze.render(light, again, assets).tobytes()
    assert np.array_equal(light, kept)


def test_stronger_strata_differ_more_from_clean(scene: tuple[Linear, Assets], rocket: Srgb) -> None:
    """Similarity to the clean side falls with every stratum."""
    light, assets = scene
    values = [psnr(rocket, camera.to_srgb(haze.render(light, drawn(stratum), assets))) for stratum in range(1, 6)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 25
    assert values[-1] < 23  # at dawn fog is dark, and so is what it hides

