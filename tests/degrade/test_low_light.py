"""Low light obeys its formula, keeps lamps lit and something to be seen."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
import pytest

from degrade import camera, develop, low_light
from degrade.arrays.bands import bands
from degrade.contract import Assets, Facts, Linear, Srgb
from degrade.dark import dimming, tone
from degrade.dark.lighting import Lighting, tint
from degrade.raw import bayer, photograph
from degrade.raw.regions import Scatter
from degrade.scene.segments import superpixels
from degrade.stream import stream

EVEN = Lighting(0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
ONE = Assets(segments=np.zeros((64, 64), np.int32))
UNLIFTED = tone.Lift(0.0, 0.0, 0.01)
UNTOUCHED = {"strength": Scatter(0.0, 0.0), "colour": Scatter(1.0, 0.0), "texture_loss": 0.0, "blotch": 0.0, "sharpening": 0.0}


def rendered(*given: Any) -> Srgb:
    """The pixels of a photo."""
    return low_light.render(*given).pixels


def draw(stratum: int, key: str = "0", ranges: low_light.LowLightRanges | None = None, luminance: float = 0.18) -> low_light.LowLightParams:
    """Draw one exposure."""
    return low_light.sample(stream(1, "low_light", key), ranges or low_light.LowLightRanges(), Facts(256, 256, luminance=luminance), stratum)


def quiet(stratum: int = 3, **changes: object) -> low_light.LowLightParams:
    """Draw an exposure by a sensor without noise, in even light, straight from the camera."""
    params = draw(stratum)
    still = params.camera._replace(read_noise=1e-6, row_frac=0.0, hot_per_mpx=0.0, bits=14, jpeg_quality=None)
    still = still._replace(denoiser=still.denoiser._replace(**UNTOUCHED))
    plain = params._replace(lift_ev=0.0, contrast=0.0, late=False, lighting=EVEN, black_tint=(0.0, 0.0, 0.0), iso=0.01, camera=still)
    return plain._replace(**changes)


def wall(value: float, size: int = 128) -> Linear:
    """Return an even grey in linear light."""
    return np.full((size, size, 3), value, np.float32)


def night(radius_px: int = 9, size: int = 256) -> Linear:
    """Return a dark scene with one clipped lamp in the middle."""
    return cv2.circle(wall(0.03, size), (size // 2, size // 2), radius_px, (1.0, 1.0, 1.0), -1)


def seen(params: low_light.LowLightParams, light: Linear) -> np.ndarray:
    """Return the mean linear light that the photo shows, by colour."""
    return camera.to_linear(rendered(light, params, ONE)).mean(axis=(0, 1))


@pytest.mark.parametrize("contrast", [0.0, 0.6])
def test_one_more_ev_halves_the_light(contrast: float) -> None:
    """In the scene's light, with the tone curve taken off, every EV is a factor of two."""
    shown = [rendered(wall(0.6), quiet(exposure_ev=ev, contrast=contrast), ONE) for ev in (1.0, 2.0, 3.0)]
    table = tone.tables(contrast, UNLIFTED).scene
    light = [float(cv2.LUT(camera.to_16_bit(camera.to_linear(photo)), table).mean()) for photo in shown]
    assert np.allclose([light[0] / light[1], light[1] / light[2]], 2.0, rtol=0.04)


def test_variance_against_mean_gives_the_sensor_back() -> None:
    """Walls of several exposures lie on a line whose slope is K and whose offset is the read noise squared."""
    params = draw(4)
    taken = params.camera._replace(row_frac=0.0, hot_per_mpx=0.0, bits=14, tail=0.14)
    plan = photograph.optics(params.iso, taken)
    site = next(index for index, channel in enumerate(bayer.colours(taken.phase)) if channel == 1)
    tables = tone.tables(0.0, UNLIFTED)
    means, variances = [], []
    for ev in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0):
        dark = dimming.darkened(wall(0.6, 320), tables, ev, EVEN, 1.0)
        made = photograph.expose_scene(functools.partial(dimming.write, dark), (320, 320, 3), plan, params.iso, taken)
        codes = bayer.values(made.mosaic[site // 2 :: 2, site % 2 :: 2], plan.scales[site])
        raw = codes * made.spread / develop.WHITE * plan.gains[1]  # noise of one green site, share of full scale
        means.append(float(made.light.mean()) / develop.WHITE * plan.gains[1])
        variances.append(float(raw.var()))
    slope, offset = np.polyfit(means, variances, 1, w=1.0 / np.array(variances))
    assert abs(slope / (photograph.SHOT_PER_ISO * params.iso) - 1) < 0.04
    assert abs(np.sqrt(offset) / taken.read_noise - 1) < 0.08


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("exposure_ev", [1.0, 3.0, 5.0])
def test_a_lamp_stays_saturated(exposure_ev: float, late: bool) -> None:
    """What outshines the exposure by its recovered brightness is at 0.98 or more, in noise and by any brightening."""
    params = draw(5)._replace(exposure_ev=exposure_ev, lamp_gain=400.0, late=late, lift_ev=exposure_ev / 2, lighting=EVEN)
    shown = rendered(night(), params._replace(camera=params.camera._replace(jpeg_quality=None)), ONE)
    assert shown[123:134, 123:134].min() >= 0.98 * 255
    assert shown[:40].mean() < 100


def test_a_well_that_overflows_shows_no_noise() -> None:
    """At the highest gain the room is noisy and the lamp is plain white."""
    params = quiet(exposure_ev=3.0, lamp_gain=400.0, iso=12800.0)
    shown = rendered(night(), params._replace(camera=params.camera._replace(read_noise=0.02)), ONE)
    assert shown[123:134, 123:134].min() == 255
    assert shown[:40].std() > 5.0


def test_a_lamp_that_is_no_brighter_than_it_looks_goes_dark() -> None:
    """Without recovered highlights even the lamp obeys the exposure."""
    shown = rendered(night(), quiet(exposure_ev=3.0, lamp_gain=1.0), ONE)
    assert abs(camera.to_linear(shown)[128, 128].mean() - 1 / 8) < 0.01


def test_a_clipped_sky_is_no_lamp() -> None:
    """A clipped half of the photo is as many EV darker as everything else."""
    light = wall(0.2, 256)
    light[:128] = 1.0
    shown = rendered(light, quiet(exposure_ev=3.0, lamp_gain=400.0), ONE)
    assert abs(camera.to_linear(shown)[:60].mean() - 1 / 8) < 0.01


def test_nothing_changed_gives_the_photo_back(astronaut: Srgb) -> None:
    """No missing light, no noise and the same tone curve twice: within 1/255."""
    for contrast in (0.0, 0.6):
        shown = rendered(camera.to_linear(astronaut), quiet(exposure_ev=0.0, contrast=contrast, lamp_gain=1.0), ONE)
        assert cv2.absdiff(shown, astronaut).max() <= 1


def test_white_balance_leaves_the_colour_that_the_record_says() -> None:
    """The colours of a grey wall are those of the light that is left."""
    warm = seen(quiet(exposure_ev=1.0, lighting=EVEN._replace(cast_mired=100.0, green=0.1)), wall(0.4))
    assert np.allclose(warm / warm.mean(), np.array(tint(100.0, 0.1)) / np.mean(tint(100.0, 0.1)), rtol=0.03)


def test_the_black_level_tints_the_shadows() -> None:
    """An error of the black level adds light to its colour, as much as it says."""
    base = quiet(exposure_ev=5.0)
    lifted = base.camera._replace(read_noise=2e-4)
    plain, tinted = (seen(base._replace(camera=lifted, black_tint=(0.0, 0.0, black)), wall(0.5)) for black in (0.0, 10.0))
    expected = np.linalg.inv(develop.to_camera(lifted.look)) @ (0, 0, 10 * 2e-4 / develop.raw_gains(lifted.look)[2])
    assert np.abs(tinted - plain - expected)[2] < 0.15 * expected[2]


def test_brightening_gives_light_back_and_noise_with_it() -> None:
    """A lifted photo is as bright as a right exposure, and noisier."""
    params = draw(4)._replace(lighting=EVEN, black_tint=(0.0, 0.0, 0.0), gamma_share=0.0, late=False, exposure_ev=3.0, contrast=0.0)
    right, lifted = (rendered(wall(0.2), params._replace(exposure_ev=ev, lift_ev=ev), ONE) for ev in (0.0, 3.0))
    assert abs(camera.to_linear(lifted).mean() / camera.to_linear(right).mean() - 1) < 0.05
    assert lifted.std() > 1.5 * right.std()


def test_brightening_a_finished_file_tears_its_steps_apart() -> None:
    """A gradient brightened in 8 bits has fewer values than one brightened as RAW: banding."""
    ramp = np.ascontiguousarray(np.broadcast_to(np.linspace(0.05, 0.8, 256, dtype=np.float32)[None, :, None], (64, 256, 3)))
    values = [len(np.unique(rendered(ramp, quiet(exposure_ev=4.0, lift_ev=3.0, late=late), ONE))) for late in (False, True)]
    assert values[1] < 0.7 * values[0]


def test_the_denoiser_tells_lights_and_shadows_by_the_scene() -> None:
    """A light wall that was exposed 4 EV short is spared as a light one, not smoothed as a dark one."""
    base, spread = draw(4)._replace(exposure_ev=4.0, lift_ev=4.0, gamma_share=0.0, late=False, lighting=EVEN, contrast=0.0), []
    for shadows in (0.9, 0.0):
        smooth = {**UNTOUCHED, "strength": Scatter(0.8, 0.0), "coarse": Scatter(0.0, 0.0), "shadows": shadows}
        taken = base.camera._replace(jpeg_quality=None, hot_per_mpx=0.0, denoiser=base.camera.denoiser._replace(**smooth))
        spread.append((rendered(wall(0.6), base._replace(camera=taken), ONE) @ np.array(photograph.LUMA)).std())
    assert spread[0] > 1.2 * spread[1]


def test_iso_rises_with_the_darkness() -> None:
    """An automatic camera answers missing light with gain."""
    iso = [np.median([draw(stratum, str(key)).iso for key in range(60)]) for stratum in range(1, 6)]
    assert all(np.diff(iso) > 0)
    assert iso[-1] > 4 * iso[0]


def test_a_light_that_is_balanced_costs_gain_in_its_weak_colour() -> None:
    """Under tungsten the blue gain is higher than by day, and so is its noise; of red there is plenty."""
    gains = {}
    for source in ("tungsten", "daylight"):
        ranges = low_light.LowLightRanges(source={source: 1.0}, balance_error=(0.0, 0.0))
        looks = [draw(3, str(key), ranges).camera.look for key in range(30)]
        gains[source] = np.mean([(look.red_gain, look.blue_gain) for look in looks], axis=0)
    red, blue = gains["tungsten"] / gains["daylight"]
    assert blue > 1.5
    assert red < 0.75


@pytest.mark.parametrize("mired", [-50.0, 60.0, 120.0])
def test_white_balance_makes_its_light_neutral(mired: float) -> None:
    """The RAW values of a grey card in a coloured light, times the gains for that light, are as grey as those of daylight were."""
    look = develop.Look((1.0, 1.0, 1.0, 1.0), 1.0, 2.1, 1.7)
    card = np.array(tint(mired)) * develop.raw_gains(look)
    red, green, blue = card / develop.raw_gains(low_light._balanced(look, mired))
    assert np.allclose((red, blue), green)


def test_the_iso_of_a_right_exposure_is_one_that_varies() -> None:
    """The lowest ISO that a recipe may ask for is not lost to the lowest that the camera has."""
    lowest = low_light.LowLightRanges(base_iso=(80.0, 100.0))
    assert len({draw(1, str(key), lowest).iso for key in range(40)}) > 30
    with pytest.raises(ValueError, match="outside the possible"):
        low_light.LowLightRanges(base_iso=(25.0, 40.0))


def test_a_photo_that_is_dark_already_is_brightened_more() -> None:
    """The darker the photo, the less of its light is taken, and never more than a lift can give."""
    for key in range(40):
        bright, dark = (draw(5, str(key), luminance=luminance) for luminance in (0.3, 0.02))
        assert dark.lift_ev >= bright.lift_ev
        assert 0.02 * 2.0 ** (dark.lift_ev - dark.exposure_ev) >= low_light.LEAST_LIGHT * (1 - 1e-9)
        assert dark.lift_ev <= dark.exposure_ev


def test_the_mild_end_is_mild_and_darkness_grows(astronaut: Srgb, rocket: Srgb) -> None:
    """Stratum 1 is above 25 dB and stratum by stratum the typical photo gets worse."""
    median = []
    for stratum in range(1, 6):
        found = []
        for photo in (astronaut, rocket):
            small = cv2.resize(photo, (256, 192), interpolation=cv2.INTER_AREA)
            assets = Assets(segments=superpixels(cv2.resize(small, (128, 96))))
            found += [cv2.PSNR(rendered(camera.to_linear(small), draw(stratum, key), assets), small) for key in "abcde"]
        assert stratum > 1 or min(found) > 25
        median.append(np.median(found))
    assert all(np.diff(median) < 0)


def test_bands_leave_no_seam(rocket: Srgb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Working band by band gives the bits of working on the whole picture, lamps included."""
    light = camera.to_linear(rocket)
    cv2.circle(light, (320, 256), 12, (1.0, 1.0, 1.0), -1)
    params = draw(4)
    in_bands = rendered(light, params, ONE)
    for module in (photograph, bayer):
        monkeypatch.setattr(module, "bands", functools.partial(bands, rows=4096))
    assert np.array_equal(in_bands, rendered(light, params, ONE))


def test_illumination_is_the_share_of_light() -> None:
    """The layer that goes with a pair says how much of its right light each pixel got."""
    params = quiet(exposure_ev=2.0, lighting=EVEN._replace(lamp_x_frac=0.0, lamp_share=0.8))
    layer = low_light.layers(wall(0.4), params, ONE)["illumination"]
    assert layer.shape == (128, 128)
    assert abs(layer.mean() - 0.25) < 0.01
    shown = camera.to_linear(rendered(wall(0.4), params, ONE))[..., 1]
    assert np.abs(shown - 0.4 * layer).max() < 0.01


def test_light_beyond_white_is_survived_and_segments_must_be_there() -> None:
    """Excess light saturates; without segments nothing is guessed."""
    assert rendered(wall(3.0), quiet(exposure_ev=0.0), ONE).min() >= 250
    with pytest.raises(ValueError, match="needs `segments`"):
        rendered(wall(0.2), draw(3), Assets())
