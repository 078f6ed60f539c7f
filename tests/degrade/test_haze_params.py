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



def wall(inverse: float = 0.4, light: float = 0.2, side: int = 128) -> tuple[Linear, Assets]:
    """A grey wall at one distance, and no sky."""
    depth = np.full((64, 64), inverse, np.float32)
    return np.full((side, side, 3), light, np.float32), Assets(depth=depth, sky=np.zeros_like(depth))


UNMETERED = {"noise_gain": 0.0, "metering": 0.0, "exposure_ev": 0.0, "air_level": 0.5, "visibility_m": 400.0}


def test_a_stop_more_is_twice_the_light() -> None:
    """Of scene and air alike."""
    even, longer = (haze.render(wall()[0], drawn(4, **{**UNMETERED, "exposure_ev": ev}), wall()[1]) for ev in (0.0, 1.0))
    assert np.allclose(longer, 2 * even, rtol=1e-4)


def test_a_meter_that_undoes_all_keeps_the_mean() -> None:
    """Metered in full, the picture is as bright as it was; not metered, it is as bright as the haze makes it."""
    bright, metered = (float(haze.render(wall()[0], drawn(4, **{**UNMETERED, "metering": share, "air_level": 1.0}), wall()[1]).mean()) for share in (0.0, 1.0))
    assert bright > 1.15 * 0.2
    assert metered == pytest.approx(0.2, rel=0.02)


def test_shot_noise_has_the_variance_of_its_record() -> None:
    """Noise gain times linear light, within 5 %."""
    light, assets = wall(side=256)
    still, noisy = (haze.render(light, drawn(4, **{**UNMETERED, "noise_gain": gain}), assets) for gain in (0.0, 3e-4))
    assert float((noisy - still)[..., 1].var()) == pytest.approx(3e-4 * float(still[..., 1].mean()), rel=0.05)


def test_the_level_of_the_air_is_a_factor() -> None:
    """Behind fog that lets nothing through all light is the air's: half the level, half the light."""
    fog = {**UNMETERED, "visibility_m": 40.0, "far_m": 5000.0}
    dim, bright = (float(haze.render(wall(0.0)[0], drawn(5, **{**fog, "air_level": level}), wall(0.0)[1]).mean()) for level in (0.3, 0.6))
    assert dim == pytest.approx(bright / 2, rel=0.01)


@pytest.mark.parametrize("patchiness", [0.3, 1.5])
def test_patches_move_haze_and_add_none(patchiness: float) -> None:
    """On average over a plane the optical depth is that of even air: the visibility of the record is the one that is rendered."""
    light, assets = wall(0.0)
    for seed in (1, 7, 4711):
        params = drawn(2, visibility_m=4000.0, far_m=500.0, layer_m=1e9, patchiness=patchiness, patch_seed=seed)
        through = haze._passage(light, params, assets).coarse
        assert float(-np.log(through).mean()) == pytest.approx(3.912 * 500 / 4000, rel=0.02)
        assert float(through.std()) > 0.05 * patchiness
