"""The oracles of cameras, films and the dark fail when the physics that they stand for is broken on purpose."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import test_develop
import test_low_light
import test_noise
import test_photograph
import test_sensor
import test_shining
from test_mutations import Mutation, check, name_of, times

from degrade import develop, low_light, sensor
from degrade.dark.lighting import RED
from degrade.raw import denoiser, grain, photograph


def swapped(look: develop.Look, right: Any = develop.raw_gains) -> Any:
    """Give red the gain of blue, and blue that of red."""
    return right(look)[::-1]


def bright(look: develop.Look, right: Any = develop.raw_gains) -> Any:
    """Forget the brightness gain."""
    return right(look._replace(rgb_gain=1.0))


def doubled() -> Any:
    """Return the cameras' matrices with one number that is twice as large."""
    wrong = develop.XYZ_TO_CAMERA.copy()
    wrong[0, 0, 0] *= 2
    return wrong


def streaky(iso: float, camera: photograph.Camera, right: Any = photograph.exposure) -> Any:
    """Give rows three times the noise."""
    return right(iso, camera._replace(row_frac=3 * camera.row_frac))


def lights_for_shadows(light: Any, labels: Any, settings: denoiser.Denoiser, right: Any = denoiser.maps) -> Any:
    """Smooth lights more than shadows."""
    return right(light, labels, settings._replace(shadows=-0.5 * settings.shadows))


def blurring(noise: Any, scene: Any, grip: Any, settings: denoiser.Denoiser, right: Any = denoiser.denoise_luma) -> Any:
    """Blur where the camera sharpens."""
    return right(noise, scene, grip, settings._replace(sharpening=-0.3 * settings.sharpening))


def blotchy(half: Any, settings: denoiser.Denoiser, right: Any = denoiser._blotches) -> Any:
    """Make blotches thrice as strong."""
    return right(half, settings._replace(blotch=3 * settings.blotch))


def texture_eating(noise: Any, scene: Any, grip: Any, settings: denoiser.Denoiser, right: Any = denoiser.denoise_luma) -> Any:
    """Take three times as much texture."""
    return right(noise, scene, grip, settings._replace(texture_loss=3 * settings.texture_loss))


def half_balanced(iso: float, camera: photograph.Camera, right: Any = photograph.optics) -> Any:
    """Forget that a gain acts twice on a variance."""
    made = right(iso, camera)
    return made._replace(floor=made.floor * made.gains[1])


def one_speed(iso: float) -> float:
    """Let grain grow with speed as no film's does."""
    return 0.022 * float(np.power(iso / 400.0, 0.15))


def as_dark_as_it_is(exposed: photograph.Exposed, _exposure_ev: float) -> photograph.Exposed:
    """Let the denoiser take all of a dark photo for shadows."""
    return exposed


def all_alike_hot(exposure: sensor.Sensor, rows: int, columns: int, right: Any = sensor._leaks) -> Any:
    """Let hot pixels gain half of full scale at least."""
    return tuple((site, row, column, 0.5 + 0.5 * leak) for site, row, column, leak in right(exposure, rows, columns))


def red_the_wrong_way(look: develop.Look, mired: float, right: Any = low_light._balanced) -> Any:
    """Give red more gain under a light that is red already."""
    made = right(look, mired)
    return made._replace(red_gain=made.red_gain * float(np.exp(2 * RED * mired)))


def per_deviation(luma: Any, spread: Any, white: float, _plan: photograph.Optics, to: Any = None) -> Any:
    """Take luma over its own deviation for the number of deviations above black."""
    return cv2.divide(luma, spread, to, 1.0 / white, cv2.CV_32F)


BROKEN = (
    # low light
    Mutation("low_light", "low_light._balanced", red_the_wrong_way, test_low_light.test_a_light_that_is_balanced_costs_gain_in_its_weak_colour),
    Mutation("low_light", "low_light._balanced", red_the_wrong_way, test_low_light.test_white_balance_makes_its_light_neutral, {"mired": 120.0}),
    Mutation("low_light", "dark.shining.GLOW", 0.12, test_shining.test_a_lens_scatters_its_share_of_a_lamp, {"radius_px": 8}),
    Mutation("low_light", "low_light._as_if_right", as_dark_as_it_is, test_low_light.test_the_denoiser_tells_lights_and_shadows_by_the_scene),
    # noise
    Mutation("noise", "develop.raw_gains", swapped, test_develop.test_raw_is_darker_than_the_photo_by_the_gains),
    Mutation("noise", "develop.raw_gains", bright, test_develop.test_raw_is_darker_than_the_photo_by_the_gains),
    Mutation("noise", "develop.XYZ_TO_CAMERA", doubled(), test_develop.test_daylight_asks_of_every_camera_what_it_asks_of_real_ones),
    Mutation("noise", "raw.photograph.exposure", streaky, test_photograph.test_rows_share_the_noise_that_the_record_says),
    Mutation("noise", "raw.photograph.optics", half_balanced, test_photograph.test_read_noise_alone_gives_the_luma_noise_of_the_record),
    Mutation("noise", "sensor._leaks", all_alike_hot, test_sensor.test_most_hot_pixels_are_lukewarm),
    Mutation("noise", "raw.denoiser.maps", lights_for_shadows, test_photograph.test_lights_are_smoothed_less_than_shadows),
    Mutation("noise", "raw.denoiser.denoise_luma", blurring, test_photograph.test_sharpening_makes_noise_stronger),
    Mutation(
        "noise",
        "raw.denoiser.denoise_luma",
        texture_eating,
        test_photograph.test_faint_texture_is_lost_by_its_share_of_what_the_denoiser_takes,
        {"loss": 0.2, "strength": 0.5, "iso": 1e-3, "read_noise": 0.003},
    ),
    Mutation(
        "noise",
        "raw.photograph._in_deviations",
        per_deviation,
        test_photograph.test_faint_texture_is_lost_by_its_share_of_what_the_denoiser_takes,
        {"loss": 0.4, "strength": 0.8, "iso": 100.0, "read_noise": 1e-5},
    ),
    Mutation("noise", "raw.denoiser._blotches", blotchy, test_photograph.test_blotches_are_as_strong_as_recorded, {"blotch": 0.5, "colour": 0.5}),
    Mutation("noise", "raw.grain.SIGMA_AT_400", 0.036, test_noise.test_film_of_iso_400_has_the_grain_of_its_speed),
    Mutation("noise", "raw.grain._field", times(grain._field, 1.2), test_noise.test_film_of_iso_400_has_the_grain_of_its_speed),
    Mutation("noise", "raw.grain.sigma", one_speed, test_noise.test_grain_grows_with_the_cube_root_of_speed),
)


@pytest.mark.parametrize("mutation", BROKEN, ids=name_of)
def test_an_oracle_of_a_camera_fails_when_its_physics_is_broken(mutation: Mutation, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle holds as things are, and no longer with one number or function that is wrong."""
    check(mutation, request, monkeypatch)
