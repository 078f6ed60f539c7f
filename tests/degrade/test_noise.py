"""Noise obeys its formula, is soft and uneven, and keeps the brightness."""

from __future__ import annotations

import functools
import json
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, develop, noise
from degrade.arrays.bands import bands
from degrade.contract import Assets, Facts, Linear, Srgb
from degrade.raw import bayer, denoiser, grain, photograph
from degrade.raw.photograph import SHOT_PER_ISO
from degrade.raw.regions import Scatter, segment_values
from degrade.record import from_record, to_record
from degrade.scene.segments import superpixels
from degrade.stream import stream

CAMERA = noise.NoiseRanges(source={"camera": 1.0}, jpeg=0.0, hot=0.0, web=0.0)
FILM = noise.NoiseRanges(source={"film": 1.0}, web=0.0)
FACTS = Facts(512, 512)
UNTOUCHED = {
    "strength": Scatter(0.0, 0.0),
    "colour": Scatter(1.0, 0.0),
    "texture_loss": 0.0,
    "blotch": 0.0,
    "sharpening": 0.0,
}


def rendered(*given: Any) -> Srgb:
    """The pixels of a photo."""
    return noise.render(*given).pixels


def draw(stratum: int, key: str = "0", ranges: noise.NoiseRanges = CAMERA) -> noise.NoiseParams:
    """Draw one exposure."""
    return noise.sample(stream(1, "noise", key), ranges, FACTS, stratum)


def altered(params: noise.NoiseParams, **changes: object) -> noise.NoiseParams:
    """Change numbers of the denoiser."""
    assert params.camera is not None
    return params._replace(camera=params.camera._replace(denoiser=params.camera.denoiser._replace(**changes)))


def assets_of(photo: Srgb) -> Assets:
    """Cut a photo into superpixels."""
    return Assets(segments=superpixels(cv2.resize(photo, (128, 128), interpolation=cv2.INTER_AREA)))


def wall(value: float, height: int = 256, width: int = 256) -> Linear:
    """Return an even grey in linear light."""
    return np.full((height, width, 3), value, np.float32)


ONE = Assets(segments=np.zeros((64, 64), np.int32))


def psnr(first: Srgb, second: Srgb) -> float:
    """Compare two photos."""
    return float(cv2.PSNR(first, second))


def test_the_mild_end_is_mild_and_noise_grows_with_iso(astronaut: Srgb, rocket: Srgb) -> None:
    """Stratum 1 is above 25 dB and stratum by stratum the typical photo gets worse, for cameras and for films."""
    for ranges in (CAMERA, FILM):
        worse = []
        for stratum in range(1, 6):
            found = []
            for photo in (astronaut, rocket):
                for key in "abc":
                    shown = rendered(camera.to_linear(photo), draw(stratum, key, ranges), assets_of(photo))
                    found.append(psnr(shown, photo))
            if stratum == 1:
                assert min(found) > 25
            worse.append(np.median(found))
        assert all(np.diff(worse) < 0)


def test_strata_span_the_published_shot_noise() -> None:
    """ISO 100 to 12,000 is the range 1e-4 to 1.2e-2 of Brooks et al."""
    strata = noise.GENERATOR.strata
    assert np.allclose([strata[0] * SHOT_PER_ISO, strata[-1] * SHOT_PER_ISO], [1e-4, 1.2e-2])


@pytest.mark.parametrize("stratum", range(1, 6))
def test_a_draw_lies_in_its_stratum_and_survives_json(stratum: int) -> None:
    """Severity, record and pixels agree with the draw."""
    params = draw(stratum, ranges=noise.NoiseRanges())
    assert noise.GENERATOR.stratum(noise.severity(params)) == stratum
    back = from_record(noise.NoiseParams, json.loads(json.dumps(to_record(params))))
    assert back == params
    assert np.array_equal(rendered(wall(0.2, 64, 64), params, ONE), rendered(wall(0.2, 64, 64), back, ONE))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 97), (131, 64), (300, 67)])
@pytest.mark.parametrize("ranges", [CAMERA, FILM])
def test_any_size_and_the_extremes_are_fine(height: int, width: int, ranges: noise.NoiseRanges) -> None:
    """Odd sizes, black, white and excess light give a photo of the same size; the input is left alone."""
    for value in (0.0, 1.0, 3.0):
        light = wall(value, height, width)
        before = light.copy()
        shown = rendered(light, draw(5, ranges=ranges), ONE)
        assert shown.shape == light.shape
        assert shown.dtype == np.uint8
        assert np.array_equal(light, before)
        if value >= 1.0:
            assert shown.mean() > 225


def test_bands_leave_no_seam(astronaut: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Working band by band gives the bits of working on the whole picture."""
    light, params, assets = camera.to_linear(astronaut), draw(4), assets_of(astronaut)
    in_bands = rendered(light, params, assets)
    for module in (photograph, bayer):
        monkeypatch.setattr(module, "bands", functools.partial(bands, rows=4096))
    assert np.array_equal(in_bands, rendered(light, params, assets))


def test_segments_must_be_there() -> None:
    """Without segments nothing is guessed."""
    with pytest.raises(ValueError, match="needs `segments`"):
        rendered(wall(0.2), draw(3), Assets())


@pytest.mark.parametrize("value", [0.08, 0.2, 0.5])
@pytest.mark.parametrize("stratum", [1, 3, 4])
def test_brightness_is_kept(value: float, stratum: int) -> None:
    """The scene light of an even wall keeps its mean, within 1.5 %, away from the clip."""
    params = altered(draw(stratum), blotch=0.0)
    shown = rendered(wall(value, 512, 512), params, ONE)
    seen = camera.to_linear(shown).mean(axis=(0, 1))
    assert np.abs(seen / value - 1).max() < 0.015


def test_variance_against_mean_fits_the_record() -> None:
    """With the denoiser off, luma noise of even walls lies on the line of shot and read noise in the record."""
    params = altered(draw(3), **UNTOUCHED)
    assert params.camera is not None
    plan = photograph.optics(params.iso, params.camera)
    ratios = []
    for value in (0.05, 0.1, 0.2, 0.4):
        exposed = photograph.expose(wall(value), plan, params.iso, params.camera)
        scene = float(exposed.light.mean()) / develop.WHITE
        light = np.concatenate([rows for _, rows in photograph.noisy(exposed, plan, params.camera, np.zeros((8, 8), np.int32))])
        luma = cv2.transform(light / np.float32(develop.WHITE), np.array([photograph.LUMA]))
        ratios.append(luma.var() / (plan.slope * scene + plan.floor))
    assert max(abs(ratio - 1) for ratio in ratios) < 0.25  # edge-aware demosaicing leaves a little less than bilinear
    assert max(ratios) / min(ratios) < 1.12  # and it is a line


def test_segments_are_as_noisy_as_their_strength_says() -> None:
    """On an even wall, the stronger a segment's denoiser the weaker its noise."""
    labels = np.arange(16, dtype=np.int32).reshape(4, 4).repeat(32, axis=0).repeat(32, axis=1)
    params = altered(draw(4), strength=Scatter(0.5, 0.6), blotch=0.0, coarse=Scatter(0.1, 0.0), feather_px=4.0)
    assert params.camera is not None
    d = params.camera.denoiser
    strength = segment_values((d.strength, d.coarse, d.colour), 16, d.seed)[0].clip(max=denoiser.MOST)
    shown = rendered(wall(0.2, 512, 512), params, Assets(segments=labels)).astype(np.float32)
    luma = cv2.transform(shown, np.array([photograph.LUMA]))
    spread = [luma[128 * (i // 4) + 16 : 128 * (i // 4) + 112, 128 * (i % 4) + 16 : 128 * (i % 4) + 112].std() for i in range(16)]
    assert np.corrcoef(strength, spread)[0, 1] < -0.9


def test_noise_is_correlated_like_that_of_real_photos() -> None:
    """Neighbouring pixels share noise, and more so the longer the correlation length."""
    shares = []
    for length in (0.6, 1.3):
        params = altered(draw(4), strength=Scatter(0.8, 0.0), length_px=length, sharpening=0.0)
        luma = cv2.transform(rendered(wall(0.2), params, ONE).astype(np.float32), np.array([photograph.LUMA]))
        luma -= luma.mean()
        shares.append(float((luma[:, 1:] * luma[:, :-1]).mean() / luma.var()))
    assert shares[0] > 0.2
    assert shares[1] > shares[0]


def test_colour_noise_follows_its_share() -> None:
    """Twice the share of colour noise is twice the deviation of the colour differences."""
    spreads = []
    for colour in (0.3, 0.6):
        params = altered(draw(4), colour=Scatter(colour, 0.0), blotch=0.1)
        shown = rendered(wall(0.2), params, ONE).astype(np.float32)
        spreads.append(float((shown[..., 0] - shown[..., 2]).std()))
    assert abs(spreads[1] / spreads[0] - 2) < 0.2


def test_flat_areas_are_smoothed_and_texture_keeps_its_grain() -> None:
    """The same sensor noise is left stronger on foliage than on sky."""
    light = wall(0.2)
    light[:, 128:] *= np.random.default_rng(1).uniform(0.3, 1.7, (256, 128, 1)).astype(np.float32)
    params = altered(draw(2), strength=Scatter(0.8, 0.0), texture_loss=0.0, sharpening=0.0)
    left = rendered(light, params, ONE).astype(int) - camera.to_srgb(light)
    assert left[:, 140:].std() > 1.3 * left[:, :116].std()


def test_the_camera_writes_its_own_jpeg(astronaut: Srgb) -> None:
    """A lower quality of the camera's JPEG costs similarity."""
    params = draw(1)
    assert params.camera is not None
    light, assets = camera.to_linear(astronaut), assets_of(astronaut)
    found = [psnr(rendered(light, params._replace(camera=params.camera._replace(jpeg_quality=q)), assets), astronaut) for q in (60, 98)]
    assert found[0] < found[1]


@pytest.mark.parametrize("ranges", [CAMERA, FILM])
def test_posting_again_softens_noise_and_leaves_the_scene(astronaut: Srgb, ranges: noise.NoiseRanges) -> None:
    """A shrunk post of a noisy wall shares more noise between neighbours; the mild photo of a scene comes no farther from it by that."""
    web = noise.Reshare(0.5, "linear", 95)
    params = draw(4, ranges=ranges)
    shares = []
    for shared in (None, web):
        shown = rendered(wall(0.2), params._replace(web=shared), ONE)[..., 1].astype(float)
        shares.append(np.corrcoef(shown[:, 1:].ravel(), shown[:, :-1].ravel())[0, 1])
    assert shares[1] > shares[0] + 0.05
    light, assets, mild = camera.to_linear(astronaut), assets_of(astronaut), draw(1, ranges=ranges)
    before, after = (psnr(rendered(light, mild._replace(web=shared), assets), astronaut) for shared in (web._replace(scale=1.0), web))
    assert after > before - 0.1


def test_a_share_of_photos_was_posted_again() -> None:
    """A quarter of the draws pass through the web, some of them without being resized."""
    posts = [noise.sample(stream(2, "noise", str(key)), noise.NoiseRanges(), FACTS, 1 + key % 5).web for key in range(800)]
    assert 0.2 < np.mean([post is not None for post in posts]) < 0.3
    assert 0.3 < np.mean([post.scale == 1.0 for post in posts if post]) < 0.5


def test_film_grain_is_strongest_in_the_middle_tones() -> None:
    """Grain of a middle grey exceeds that of shadows and lights, and black stays black."""
    params = draw(3, ranges=FILM)
    spread = [rendered(wall(float(camera.srgb_to_linear(np.array(v)))), params, ONE).std() for v in (0.0, 0.1, 0.5, 0.9)]
    assert spread[0] == 0
    assert spread[2] > 1.3 * max(spread[1], spread[3])


def film_deviation(iso: float) -> float:
    """Return the deviation of the sRGB values (0..1) of a film's middle grey."""
    return float(grain.render(wall(float(camera.srgb_to_linear(np.array(0.5))), 512, 512), iso, grain.Grain(1.5, 0.1, 3)).std() / 255)


def test_film_of_iso_400_has_the_grain_of_its_speed() -> None:
    """Its middle grey scatters by 2.2 % of the sRGB range."""
    assert film_deviation(400.0) == pytest.approx(0.022, rel=0.03)


def test_grain_grows_with_the_cube_root_of_speed() -> None:
    """Eight times the speed is about twice the grain."""
    assert film_deviation(1600.0) / film_deviation(200.0) == pytest.approx(2.0, rel=0.1)


def test_coarse_grain_is_coarse() -> None:
    """The correlation of neighbours grows with the grain's size."""
    shares = []
    for size in (1.2, 3.5):
        params = draw(4, ranges=FILM)
        assert params.film is not None
        shown = rendered(wall(0.2), params._replace(film=params.film._replace(size_px=size)), ONE)[..., 1].astype(float)
        shares.append(np.corrcoef(shown[:, 1:].ravel(), shown[:, :-1].ravel())[0, 1])
    assert shares[1] > shares[0] + 0.2
