"""Haze obeys Koschmieder's law, keeps edges sharp and skies smooth, and is a pure function of its params."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, haze
from degrade.air.banks import Bank
from degrade.air.optical_depth import Layer
from degrade.contract import Assets, Facts, Linear, Srgb
from degrade.errors import BadSample, Reason
from degrade.scene.depth import geometric
from degrade.scene.proxy import proxy
from degrade.scene.sky import sky
from degrade.stream import stream

FACTS = Facts(width=640, height=427)
EVEN: dict[str, Any] = {"patchiness": 0.0, "layer_m": 1e9, "far_cut": 0.0, "noise_gain": 0.0, "metering": 0.0, "exposure_ev": 0.0}


def drawn(stratum: int = 3, key: str = "a", **fixed: Any) -> haze.HazeParams:
    return haze.sample(stream(7, "haze", key), haze.HazeRanges(), FACTS, stratum)._replace(**fixed)


def priors(photo: Srgb) -> Assets:
    small = proxy(photo)
    above = sky(small)
    prior = geometric(small, above)
    return Assets(depth=prior.inverse, sky=above, horizon_frac=prior.horizon_frac)


def psnr(clean: Srgb, degraded: Srgb) -> float:
    return float(cv2.PSNR(clean, degraded))


@pytest.fixture(scope="module")
def scene(rocket: Srgb) -> tuple[Linear, Assets]:
    return camera.to_linear(rocket), priors(rocket)


@pytest.fixture(scope="module")
def ramp() -> tuple[Linear, Assets]:
    """A plane without texture whose inverse depth falls evenly from the lower edge to the upper, and no sky."""
    inverse = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 256, 1)
    return np.full((256, 256, 3), 0.2, np.float32), Assets(depth=inverse, sky=np.zeros_like(inverse), horizon_frac=0.0)


def test_log_transmission_over_distance_has_the_slope_of_koschmieder(ramp: tuple[Linear, Assets]) -> None:
    """In even air -log t grows with distance at 3.912 / visibility, within 2 %."""
    light, assets = ramp
    params = drawn(visibility_m=400.0, near_m=5.0, far_m=200.0, **EVEN)
    through = haze.transmission(light, params, assets)[:, 128]
    assert assets.depth is not None
    distance = 1.0 / (assets.depth[:, 128] * (1 / 5.0 - 1 / 200.0) + 1 / 200.0)
    inner = slice(24, -24)
    slope = np.polyfit(distance[inner], -np.log(through[inner]), 1)[0]
    assert slope == pytest.approx(3.912 / 400.0, rel=0.02)


def test_transmission_falls_with_distance(ramp: tuple[Linear, Assets]) -> None:
    """What lies farther away arrives weaker."""
    through = haze.transmission(ramp[0], drawn(**EVEN), ramp[1])[:, 128]
    assert np.all(np.diff(through) >= -1e-4)
    assert through[-1] > through[0]


def test_what_is_infinitely_far_is_airlight() -> None:
    """Without transmission every pixel has one colour, whatever stood there."""
    light = np.random.default_rng(0).random((96, 128, 3), dtype=np.float32)
    blank = np.zeros((64, 64), np.float32)
    params = drawn(visibility_m=40.0, **{**EVEN, "far_m": 5000.0})
    hazy = haze.render(light, params, Assets(depth=blank, sky=blank))
    assert np.ptp(hazy.reshape(-1, 3), axis=0).max() < 1e-4
    assert hazy.mean() > 0.05


def test_no_halo_at_a_depth_edge() -> None:
    """Two pixels from a step in depth, transmission is that side's own, though the prior is four times coarser."""
    light = np.full((256, 256, 3), 0.05, np.float32)
    light[:, 128:] = 0.6
    depth = np.zeros((64, 64), np.float32)
    depth[:, :32] = 1.0
    depth = cv2.GaussianBlur(depth, (0, 0), 0.8)
    assets = Assets(depth=depth, sky=np.zeros_like(depth))
    through = haze.transmission(light, drawn(visibility_m=300.0, **EVEN), assets)[128]
    near, far = float(through[40]), float(through[216])
    assert near - far > 0.4
    assert abs(through[:126] - near).max() < 0.06 * (near - far) + 0.01
    assert abs(through[130:] - far).max() < 0.06 * (near - far) + 0.01


def test_sky_stays_smooth() -> None:
    """Haze writes no edges into a clear sky."""
    rows = np.linspace(0.2, 0.5, 192, dtype=np.float32)[:, None, None]
    light = np.ascontiguousarray(np.broadcast_to(rows * np.array([0.6, 0.8, 1.0], np.float32), (192, 256, 3)))
    above = np.ones((96, 128), np.float32)
    hazy = haze.render(light, drawn(noise_gain=0.0), Assets(depth=np.zeros_like(above), sky=above, horizon_frac=1.0))
    assert np.abs(np.diff(hazy, axis=0)).max() < 0.02
    assert np.abs(np.diff(hazy, axis=1)).max() < 0.02


def test_sky_overhead_is_clearer_than_at_the_horizon() -> None:
    """A slant path through a layer of finite height grows towards the horizon."""
    above = np.ones((64, 64), np.float32)
    light = np.full((128, 128, 3), 0.4, np.float32)
    through = haze.transmission(light, drawn(patchiness=0.0, far_cut=0.0), Assets(depth=0 * above, sky=above, horizon_frac=1.0))
    assert through[4, 64] > through[64, 64] > through[120, 64]


def test_thin_haze_spares_what_is_near(scene: tuple[Linear, Assets]) -> None:
    """At the mildest stratum the nearest tenth of the picture keeps more than 95 % of its light."""
    light, assets = scene
    through = haze.transmission(light, drawn(1), assets)
    assert np.quantile(through, 0.95) > 0.95


def test_priors_a_rounding_error_beyond_their_range_do_no_harm() -> None:
    """Interpolated priors may leave 0..1 by a last bit, and dense haze forgives nothing."""
    above = np.full((32, 32), 1.0 + 1e-5, np.float32)
    hazy = haze.render(np.full((64, 64, 3), 0.01, np.float32), drawn(5), Assets(depth=above - 1.00002, sky=above, horizon_frac=1.0))
    assert np.isfinite(hazy).all()


def test_the_params_begin_with_the_layer() -> None:
    """The air's description is handed on by position."""
    assert Layer._fields[:4] == haze.HazeParams._fields[:4]
    assert Layer._fields[5:] == haze.HazeParams._fields[5 : len(Layer._fields)]


@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (131, 64), (301, 517), (1030, 771), (64, 3000)])
def test_any_size_keeps_its_shape(shape: tuple[int, int]) -> None:
    """Odd and small sizes render without holes."""
    light = np.random.default_rng(1).random((*shape, 3), dtype=np.float32)
    prior = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)
    hazy = haze.render(light, drawn(5), Assets(depth=prior, sky=1 - prior))
    assert hazy.shape == light.shape
    assert hazy.dtype == np.float32
    assert np.isfinite(hazy).all()
    assert hazy.min() >= 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_pictures_stay_finite(value: float) -> None:
    """A picture without any structure is no special case."""
    prior = np.full((16, 16), 0.5, np.float32)
    hazy = haze.render(np.full((70, 90, 3), value, np.float32), drawn(4), Assets(depth=prior, sky=prior))
    assert np.isfinite(hazy).all()


def test_strips_leave_no_seams() -> None:
    """A picture rendered in strips has no step between them."""
    rows = np.linspace(0.1, 0.4, 1100, dtype=np.float32)[:, None, None]
    light = np.ascontiguousarray(np.broadcast_to(rows, (1100, 900, 3)))
    prior = np.repeat(np.linspace(0, 1, 128, dtype=np.float32)[:, None], 128, 1)
    through = haze.transmission(light, drawn(4, **EVEN), Assets(depth=prior, sky=np.zeros_like(prior)))
    steps = np.abs(np.diff(through[:, 450]))
    assert steps.max() < 3 * np.median(steps[steps.argmax() - 6 : steps.argmax() + 7]) + 1e-4


def test_mild_haze_is_mild_on_real_photos(data: Path) -> None:
    """At stratum 1 nineteen of twenty pairs of outdoor photos stay above 25 dB, and stratum 5 is far below."""
    mild, dense = [], []
    for name in ("street_london", "lake_village_depth4", "beach_rob_bye", "pier_sunset", "mountain_ryan_schroeder", "night_street_lamps"):
        photo = cv2.cvtColor(cv2.imread(str(data / "clean" / f"{name}.jpg"), cv2.IMREAD_REDUCED_COLOR_4), cv2.COLOR_BGR2RGB)
        light, assets = camera.to_linear(photo), priors(photo)
        mild += [psnr(photo, camera.to_srgb(haze.render(light, drawn(1, f"{name} {draw}"), assets))) for draw in range(4)]
        dense.append(psnr(photo, camera.to_srgb(haze.render(light, drawn(5, name), assets))))
    assert np.mean(np.array(mild) > 25) > 0.95
    assert np.mean(mild) > 30
    assert max(dense) < 21


def test_night_air_stays_dark() -> None:
    """Fog at night does not turn it to day."""
    light = np.full((128, 192, 3), 0.004, np.float32)
    light[30:34, 90:94] = 1.0
    prior = np.full((32, 48), 0.2, np.float32)
    hazy = haze.render(light, drawn(5, noise_gain=0.0), Assets(depth=prior, sky=np.zeros_like(prior)))
    assert np.median(hazy) < 0.05


def test_a_lamp_in_fog_glows() -> None:
    """Around a lamp the air is brighter than far from it."""
    light = np.full((256, 256, 3), 0.004, np.float32)
    light[60:68, 124:132] = 1.0
    prior = np.full((64, 64), 0.05, np.float32)
    hazy = haze.render(light, drawn(4, patchiness=0.0, noise_gain=0.0, forward=0.3), Assets(depth=prior, sky=np.zeros_like(prior)))
    assert hazy[64, 144].mean() > 1.2 * hazy[200, 20].mean()


def puff() -> np.ndarray:
    """A round white cloud, transparent around."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    alpha = np.clip(255 * (1 - x * x - y * y), 0, 255).astype(np.uint8)
    return np.dstack([np.full((64, 64, 3), 255, np.uint8), alpha])


BANK = Bank(x_frac=0.5, y_frac=0.5, size_frac=0.6, flatness=0.8, angle_deg=0.0, mirrored=False, strength=1.5)


def test_a_fog_bank_hides_what_lies_behind_it_and_spares_what_stands_before() -> None:
    """The image thickens the air: at its middle far things lose light, near things next to none."""
    light = np.full((128, 128, 3), 0.2, np.float32)
    depth = np.zeros((64, 64), np.float32)
    depth[:, 32:] = 1.0
    bare = Assets(depth=depth, sky=np.zeros_like(depth), horizon_frac=0.0)
    params = drawn(visibility_m=1000.0, near_m=5.0, far_m=300.0, **EVEN)
    before = haze.transmission(light, params, bare)
    after = haze.transmission(light, params._replace(textures=(BANK,)), replace(bare, textures={"haze": (puff(),)}))
    assert after[64, 50] < before[64, 50] ** 1.8
    assert after[64, 78] > before[64, 78] - 0.03
    assert after[4, 4] > before[4, 4]


def test_every_number_of_a_fog_bank_changes_the_picture(scene: tuple[Linear, Assets]) -> None:
    """What is recorded of a bank matters."""
    light, assets = scene
    lopsided = puff()
    lopsided[:, :24] = 0
    bright = replace(assets, textures={"haze": (lopsided,)})
    first = camera.to_srgb(haze.render(light, drawn(3, textures=(BANK,)), bright))
    for name in Bank._fields:
        value = getattr(BANK, name)
        other = BANK._replace(**{name: not value if isinstance(value, bool) else value + 0.2 if name != "angle_deg" else 40.0})
        assert not np.array_equal(first, camera.to_srgb(haze.render(light, drawn(3, textures=(other,)), bright))), name


def test_fog_banks_are_drawn_only_where_the_recipe_has_images() -> None:
    """No bank, no entry; two images, at most two entries, and about as often as asked."""
    assert all(drawn(key=str(key)).textures == () for key in range(50))
    with_bank = replace(FACTS, textures=2)
    drawn_banks = [haze.sample(stream(1, "haze", str(key)), haze.HazeRanges(from_bank=0.7), with_bank, 3).textures for key in range(300)]
    assert {len(entries) for entries in drawn_banks} == {0, 1, 2}
    assert np.mean([bool(entries) for entries in drawn_banks]) == pytest.approx(0.7, abs=0.08)
    one = replace(FACTS, textures=1)
    assert all(len(haze.sample(stream(1, "haze", str(key)), haze.HazeRanges(), one, 3).textures) <= 1 for key in range(50))


def test_a_missing_fog_image_is_named(scene: tuple[Linear, Assets]) -> None:
    """A bank without its image is an error, not plain haze."""
    with pytest.raises(ValueError, match=r"assets.textures\['haze'\]"):
        haze.render(scene[0], drawn(textures=(BANK,)), scene[1])


def test_the_layer_is_the_transmission_that_was_used(ramp: tuple[Linear, Assets]) -> None:
    """The side product has the clean side's size, lies in 0..1, and is what a fine pattern on the scene loses."""
    light, assets = ramp
    params = drawn(4, patchiness=0.0, noise_gain=0.0, metering=0.0, exposure_ev=0.0)
    made = haze.layers(light, params, assets)
    assert set(made) == {"transmission"}
    through = made["transmission"]
    assert through.shape == light.shape[:2]
    assert through.dtype == np.float32
    assert through.min() >= 0
    assert through.max() <= 1
    pattern = np.where(np.indices(through.shape).sum(0) % 2, 0.01, -0.01).astype(np.float32)[..., None]
    arrived = haze.render(light + pattern, params, assets) - haze.render(light - pattern, params, assets)
    assert np.abs(arrived / (2 * pattern) - through[..., None]).max() < 0.03


def test_thin_haze_leaves_a_blue_sky_blue() -> None:
    """At stratum 1 the sky keeps its colour; dense fog before the same sky is nearly white."""
    rows = np.linspace(0.6, 1.0, 192, dtype=np.float32)[:, None, None]
    light = np.ascontiguousarray(np.broadcast_to(rows * np.array([0.15, 0.35, 0.75], np.float32), (192, 256, 3)))
    above = np.repeat((np.arange(96) < 72).astype(np.float32)[:, None], 128, 1)
    assets = Assets(depth=0.3 * (1 - above), sky=above, horizon_frac=0.75)
    thin, dense = (haze.render(light, drawn(stratum, noise_gain=0.0, air_tint=0.3), assets)[100, 128] for stratum in (1, 5))
    assert thin[0] / thin[2] < 0.35
    assert dense[0] / dense[2] > 0.55


def test_a_photo_without_distance_is_refused() -> None:
    """Portraits, macro shots and rooms get no haze."""
    with pytest.raises(BadSample) as refusal:
        haze.sample(stream(1, "haze", "x"), haze.HazeRanges(), Facts(512, 512, far=False), 3)
    assert refusal.value.reason is Reason.NO_FAR_PLANE


@pytest.mark.parametrize("missing", ["depth", "sky"])
def test_missing_priors_are_named(missing: str) -> None:
    """A forgotten prior is an error that says which, not a flat veil."""
    here = {"depth": np.zeros((16, 16), np.float32), "sky": np.zeros((16, 16), np.float32)}
    with pytest.raises(ValueError, match=f"assets.{missing}"):
        haze.render(np.zeros((64, 64, 3), np.float32), drawn(), Assets(**{**here, missing: None}))


def test_visibility_is_the_severity_and_lies_in_its_stratum() -> None:
    """What is drawn for a stratum belongs to it."""
    for stratum in range(1, 6):
        params = drawn(stratum)
        assert haze.GENERATOR.stratum(haze.severity(params)) == stratum
