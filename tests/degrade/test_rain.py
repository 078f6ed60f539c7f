"""Rain covers what its rate says, falls as the wind blows, hides behind what is near, and is a pure function of its params."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, rain
from degrade.air import passage
from degrade.contract import Assets, Facts, Linear, Map, Srgb, Texture
from degrade.drops import glow, lens, population, sheets, sight
from degrade.errors import BadSample, Reason
from degrade.scene.depth import geometric
from degrade.scene.proxy import proxy
from degrade.scene.sky import sky
from degrade.stream import stream

FACTS = Facts(width=256, height=256)
PLAIN: dict[str, Any] = {"near_m": 3.0, "far_m": 200.0, "far_cut": 0.0, "gusts": 0.0, "lens": None, "textures": (), "splashing": 1e-9}


def drawn(stratum: int = 4, key: str = "a", **fixed: Any) -> rain.RainParams:
    """Draw params, some of them set; those of the shutter by their own names."""
    params = rain.sample(stream(7, "rain", key), rain.RainRanges(), FACTS, stratum)
    of_shutter = {name: fixed.pop(name) for name in list(fixed) if name in params.shutter._fields}
    return params._replace(shutter=params.shutter._replace(**of_shutter), **fixed)


def flat(inverse: float | Map = 0.0, light: float = 0.05, side: int = 256) -> tuple[Linear, Assets]:
    """A picture of one brightness, with a depth, no sky, and the horizon in the middle."""
    depth = np.full((64, 64), inverse, np.float32)
    return np.full((side, side, 3), light, np.float32), Assets(depth=depth, sky=np.zeros((64, 64), np.float32))


def covered(params: rain.RainParams, scene: tuple[Linear, Assets]) -> Map:
    """Return the share of each pixel that drops in the air cover, from the two layers of a black scene's air."""
    return rain._shower(scene[0], params, scene[1]).cover


@pytest.fixture(scope="module")
def launch(rocket: Srgb) -> tuple[Linear, Assets]:
    photo = cv2.resize(rocket, (320, 213), interpolation=cv2.INTER_AREA)
    small = proxy(photo)
    above = sky(small)
    prior = geometric(small, above)
    return camera.to_linear(photo), Assets(depth=prior.inverse, sky=above, horizon_frac=prior.horizon_frac)


@pytest.mark.parametrize("rate", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("exposure_ms", [2.0, 30.0])
def test_the_mean_opacity_is_that_of_the_drops_in_the_air(rate: float, exposure_ms: float) -> None:
    """Streaks and curtain cover what Marshall and Palmer's drops block within their depth, whatever the shutter."""
    scene = flat()
    params = drawn(**PLAIN, rain_mm_h=rate, exposure_ms=exposure_ms, aperture_mm=2.0, focus_m=10.0)
    view = rain.flight.view(256, 256, 0.5, scene[1].height_rad)
    begin_m = population.near_m(rate, population.reach_m_per_mm(rate, view.steradian, rain._marked_px(params, view)))
    depth_m = rain.curtain.DEPTH * begin_m - population.NEAREST_M
    marshall_palmer = 8000 * math.pi / 4 * 2 / (4.1 * rate**-0.21) ** 3 * 1e-6
    assert float(covered(params, scene).mean()) == pytest.approx(marshall_palmer * depth_m, rel=0.1)


def test_more_rain_covers_more_and_veils_more() -> None:
    """Opacity and extinction rise with the rate, the latter as 0.312 R^0.67 per km."""
    scene = flat()
    through = []
    for rate in (2.0, 10.0, 50.0):
        params = drawn(**PLAIN, rain_mm_h=rate, drops_seed=5)
        shower = rain._shower(*scene[:1], params, scene[1])
        passed = shower.seen.veil.through(scene[0], slice(0, 256))
        view = rain.flight.view(256, 256, 0.5, scene[1].height_rad)
        kappa = population.reach_m_per_mm(rate, view.steradian, rain._marked_px(params, view))
        through.append(-math.log(float(passed.mean())) / (200.0 - rain.curtain.DEPTH * population.near_m(rate, kappa)))
    assert through == pytest.approx([0.312e-3 * rate**0.67 for rate in (2.0, 10.0, 50.0)], rel=0.02)


def dominant_deg(layer: Map) -> float:
    """Return the direction of a layer's streaks from the vertical, to the right downwards, by its structure tensor."""
    smooth = cv2.GaussianBlur(layer, (0, 0), 0.8)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return math.degrees(-0.5 * math.atan2(2 * float((across * down).sum()), float((across**2 - down**2).sum())))


@pytest.mark.parametrize("wind", [-3.0, 0.0, 1.5, 4.0])
def test_streaks_lie_as_the_wind_blows(wind: float) -> None:
    """The structure tensor of the streaks finds the angle of a typical drop in that wind, within 3 degrees."""
    scene = flat(side=320)
    params = drawn(**PLAIN, rain_mm_h=30.0, exposure_ms=15.0, aperture_mm=2.0, wind_m_s=wind, along_m_s=0.0, turbulence=0.02)
    expected = math.degrees(math.atan2(wind, 9.65 - 10.3 * math.exp(-0.6 * 4 / (4.1 * 30**-0.21))))
    assert dominant_deg(covered(params, scene)) == pytest.approx(expected, abs=3.0)


def test_wind_towards_the_camera_makes_streaks_fan_out() -> None:
    """On the left they lean to the left, on the right to the right."""
    params = drawn(**PLAIN, rain_mm_h=60.0, exposure_ms=15.0, aperture_mm=2.0, wind_m_s=0.0, along_m_s=6.0, turbulence=0.01)
    layer = covered(params, flat(side=320))
    assert dominant_deg(layer[:, :100]) < -2.0
    assert dominant_deg(layer[:, -100:]) > 2.0


def test_no_streak_is_seen_through_a_near_thing() -> None:
    """A thing nearer than all rain has none before it; the open half beside it has."""
    half = np.zeros((64, 64), np.float32)
    half[:, :32] = 1.0
    params = drawn(**{**PLAIN, "near_m": population.NEAREST_M}, rain_mm_h=60.0, aperture_mm=0.2)
    layer = covered(params, flat(half))
    assert layer[:, 8:120].max() == 0.0
    assert layer[:, 136:].mean() > 0.01


def test_no_image_of_rain_is_seen_through_a_near_thing() -> None:
    """A sheet falls before the open half of the picture, and none of it before a thing nearer than all rain."""
    half = np.zeros((64, 64), np.float32)
    half[:, :32] = 1.0
    image: Texture = np.full((256, 256, 4), 255, np.uint8)
    image[..., :3] = 255 * (np.arange(256) % 7 == 0)[:, None]
    light, assets = flat(half)
    params = drawn(**{**PLAIN, "near_m": population.NEAREST_M}, rain_mm_h=60.0, aperture_mm=0.2)
    params = params._replace(textures=(sheets.Sheet(0.5, 0.5, 1.0, mirrored=False, gain=0.4),))
    layer = covered(params, (light, replace(assets, textures={"rain": (image,)})))
    assert layer[:, 8:116].max() < 1e-3
    assert layer[:, 140:].mean() > 0.05


def test_the_nearer_the_thing_the_less_rain_is_before_it() -> None:
    """Cover before a wall grows with its distance."""
    means = [float(covered(drawn(**{**PLAIN, "near_m": near_m}, rain_mm_h=60.0), flat(1.0)).mean()) for near_m in (0.6, 1.5, 4.0, 12.0)]
    assert means == sorted(means)
    assert means[0] < 0.2 * means[-1]


def test_rain_is_bright_on_dark_and_invisible_on_the_sky() -> None:
    """Before a dark wall streaks stand out; before a sky like the air's own light they do not."""
    light, assets = flat()
    light[:128] = 0.7
    above = np.zeros((64, 64), np.float32)
    above[:32] = 1.0
    params = drawn(**{**PLAIN, "far_m": 30.0}, rain_mm_h=60.0, exposure_ms=3.0, brightness=1.0, air_level=1.0, aperture_mm=2.0)
    seen = camera.to_srgb(rain.render(light, params, Assets(depth=assets.depth, sky=above))).astype(np.float32).mean(-1)
    detail = np.abs(seen - cv2.GaussianBlur(seen, (0, 0), 6))
    assert detail[150:].mean() > 1.0
    assert detail[150:].mean() > 8 * detail[:100].mean()


def test_a_longer_shutter_makes_longer_and_fainter_streaks() -> None:
    """The brightest pixel falls with the exposure, the mean hardly."""
    fast, slow = (covered(drawn(**PLAIN, rain_mm_h=20.0, aperture_mm=2.0, exposure_ms=time), flat()) for time in (2.0, 20.0))
    assert np.percentile(fast, 99.9) > 2 * np.percentile(slow, 99.9)


def test_an_open_aperture_makes_wide_and_faint_streaks() -> None:
    """Out of focus, the same drops are spread over more pixels."""
    sharp, soft = (covered(drawn(**PLAIN, rain_mm_h=20.0, exposure_ms=3.0, focus_m=40.0, aperture_mm=mm), flat()) for mm in (0.5, 20.0))
    assert np.percentile(sharp, 99.9) > 1.5 * np.percentile(soft, 99.9)


def test_a_larger_picture_shows_the_same_rain() -> None:
    """Streaks scale with the picture: at twice the size, reduced, the cover is nearly the same."""
    small, large = (covered(drawn(**PLAIN, rain_mm_h=60.0, exposure_ms=10.0, aperture_mm=8.0), flat(side=side)) for side in (192, 384))
    again = cv2.resize(large, (192, 192), interpolation=cv2.INTER_AREA)
    assert again.mean() == pytest.approx(small.mean(), rel=0.05)
    blurred = [cv2.GaussianBlur(layer, (0, 0), 4) for layer in (small, again)]
    assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.8


def test_the_input_is_untouched_and_nothing_is_below_black(launch: tuple[Linear, Assets]) -> None:
    """Rendering reads a frozen picture, and gives finite light of its shape."""
    light, assets = launch[0].copy(), launch[1]
    light.setflags(write=False)
    for seed in range(12):
        rainy = rain.render(light, drawn(1 + seed % 5, key=str(seed)), assets)
        assert rainy.shape == light.shape
        assert rainy.dtype == np.float32
        assert np.isfinite(rainy).all()
        assert rainy.min() >= -1e-5


def test_layers_explain_the_picture(launch: tuple[Linear, Assets]) -> None:
    """What is left of the picture after the scene's and the drops' light is the veil's own light: smooth, and not below zero."""
    light, assets = launch
    params = drawn(5, lens=None)
    made = rain.layers(light, params, assets)
    assert set(made) == {"rain", "transmission"}
    assert made["rain"].shape == light.shape
    assert made["transmission"].shape == light.shape[:2]
    rest = rain.render(light, params, assets) - made["rain"] - made["transmission"][..., None] * light
    assert rest.min() > -1e-3
    assert np.all((made["transmission"] >= 0) & (made["transmission"] <= 1))


def test_drizzle_leaves_the_lens_dry_and_a_cloudburst_does_not() -> None:
    """No drops on the lens at the mildest, on every second photo at the strongest, and more of them."""
    wet = [[made.lens for made in (drawn(stratum, str(key)) for key in range(60)) if made.lens is not None] for stratum in (1, 3, 5)]
    assert not wet[0]
    assert 0 < len(wet[1]) < len(wet[2])
    assert np.median([drops.cover for drops in wet[1]]) < 0.4 * np.median([drops.cover for drops in wet[2]])


def test_the_veil_of_a_neon_night_is_grey_and_no_brighter_than_the_street() -> None:
    """Purple signs under a black sky do not make purple rain."""
    light = np.full((256, 256, 3), 0.002, np.float32)
    light[128:] = (0.5, 0.05, 0.6)
    above = np.repeat((np.arange(256) < 128).astype(np.float32)[:, None], 256, 1)
    half = np.full((256, 256), 0.5, np.float32)
    veil = passage.Passage(1, half, np.zeros(3), half, half, light)
    seen = sight.Sight(1, light, above, half, half, half, veil)
    air = glow.glow(seen, 0.5, 1.0, 0.5, 1.0, 20.0).air.reshape(-1, 3).mean(0)
    assert air.max() / air.min() < 3.5
    assert air.max() < 0.25


def test_photos_without_distance_are_refused() -> None:
    """A portrait, a macro shot or a room gets no rain, and the row says why."""
    with pytest.raises(BadSample) as refusal:
        rain.sample(stream(1, "rain", "a"), rain.RainRanges(), Facts(64, 64, far=False), 3)
    assert refusal.value.reason is Reason.NO_FAR_PLANE


def test_images_of_rain_are_used_where_there_are_some(launch: tuple[Linear, Assets]) -> None:
    """A draw asks for no more images than the bank has, uses them, and says so when they are missing."""
    bank: tuple[Texture, ...] = (np.full((32, 32, 4), 255, np.uint8),)
    bank[0][:, ::2, :3] = 0
    counts = {len(rain.sample(stream(s, "rain", "a"), rain.RainRanges(), Facts(64, 64, textures=1), 3).textures) for s in range(20)}
    assert counts == {0, 1}
    params = drawn(3, lens=None, textures=(sheets.Sheet(0.5, 0.5, 1.0, mirrored=False, gain=0.4),))
    with_bank = Assets(depth=launch[1].depth, sky=launch[1].sky, textures={"rain": bank})
    without = rain.render(launch[0], params._replace(textures=()), with_bank)
    assert np.abs(rain.render(launch[0], params, with_bank) - without).max() > 0.02
    with pytest.raises(ValueError, match="textures"):
        rain.render(launch[0], params, launch[1])


def test_drops_on_the_lens_change_only_where_they_are(launch: tuple[Linear, Assets]) -> None:
    """Between the drops the picture is that without them."""
    dry = drawn(4, lens=None)
    wet = dry._replace(lens=lens.LensDrops(0.03, 0.03, 0.2, 0.002, 1.0, 9))
    change = np.abs(rain.render(launch[0], wet, launch[1]) - rain.render(launch[0], dry, launch[1])).max(-1)
    assert 0.005 < float((change > 0.01).mean()) < 0.3
    assert float((change < 1e-6).mean()) > 0.5


def test_nothing_vanishes_in_strong_rain(data: Path) -> None:
    """Where the stand-in's depth knows of no thing, at the horizon of a street, a third of the light still arrives."""
    photo = cv2.cvtColor(cv2.imread(str(data / "clean" / "cars_street_dusk.jpg"), cv2.IMREAD_REDUCED_COLOR_8), cv2.COLOR_BGR2RGB)
    small = proxy(photo)
    above = sky(small)
    prior = geometric(small, above)
    assets = Assets(depth=prior.inverse, sky=above, horizon_frac=prior.horizon_frac)
    for key in "abcdef":
        params = drawn(4, key)
        passed = rain._shower(camera.to_linear(photo), params, assets).seen.coarse
        assert float(passed.min()) > 0.3


def test_real_photos_get_rain_of_every_severity(data: Path) -> None:
    """A street and a lake: mild rain is mild, a cloudburst clearly hurts."""
    for name in ("street_london.jpg", "lake_village_depth4.jpg"):
        photo = cv2.cvtColor(cv2.imread(str(data / "clean" / name), cv2.IMREAD_REDUCED_COLOR_8), cv2.COLOR_BGR2RGB)
        small = proxy(photo)
        above = sky(small)
        prior = geometric(small, above)
        assets = Assets(depth=prior.inverse, sky=above, horizon_frac=prior.horizon_frac)
        level = [
            np.median([cv2.PSNR(photo, camera.to_srgb(rain.render(camera.to_linear(photo), drawn(stratum, key=str(seed)), assets))) for seed in range(6)])
            for stratum in (1, 3, 5)
        ]
        assert level[0] > 28 > level[2]
        assert level == sorted(level, reverse=True)
