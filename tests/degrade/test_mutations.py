"""Every oracle fails when the physics that it stands for is broken on purpose."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import test_airlight
import test_chain
import test_codec_chain
import test_codecs
import test_drops_flight
import test_drops_lens
import test_drops_splashes
import test_flare
import test_glass_fresnel
import test_glass_ghosts
import test_haze
import test_haze_params
import test_kernels
import test_lens_ghosts
import test_low_light
import test_moire
import test_motion_defocus
import test_motion_exposure
import test_noise
import test_rain
import test_reflection
import test_resolution
import test_screen_optics
import test_speckle

import degrade
from degrade import haze, psf, sensor
from degrade.air import airlight, optical_depth, shot
from degrade.coding import codec_chain, codecs
from degrade.dark import dimming
from degrade.drops import flight, lens, population, splashes
from degrade.glass import mixture
from degrade.lens import added
from degrade.screen import geometry, retake


class Mutation(NamedTuple):
    """A piece of physics that is wrong, and the test that has to notice."""

    kind: str
    place: str  # what is replaced, from `degrade.` on
    wrong: Any
    oracle: Callable[..., None]
    given: dict[str, Any] = {}  # noqa: RUF012  never written to


def times(right: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """Return a function whose answer is wrong by a factor."""
    return lambda *arguments: right(*arguments) * factor


def dull_as_shown(light: Any, _gain: float) -> Any:
    """Recover no highlight."""
    return light


def wrong_quality(picture: Any, quality: float, subsampling: str, mode: str, right: Any = codecs.jpeg) -> Any:
    """Write a better file than asked for."""
    return right(picture, quality + 5, subsampling, mode)


def no_offset(picture: Any, hop: codec_chain.Hop) -> Any:
    """Leave the block grid where the picture's is."""
    return codec_chain._coded(picture, hop)


def in_gamma(light: Any) -> Any:
    """Add lights as codes of a file, not as light."""
    return np.power(light, np.float32(1 / 2.2))


def biased(tail: float, words: Any, right: Any = sensor.read_noise) -> Any:
    """Forget to subtract the black level."""
    return right(tail, words) + np.float32(3)


def beside_the_line(light: Any, centre: Any, along: float) -> Any:
    """Put a ghost on the wrong side of the optical axis."""
    return centre[0] + along * (light[0] - centre[0]), centre[1] - along * (light[1] - centre[1])


def near_for_far(inverse: Any, layer: Any, right: Any = optical_depth.distance_m) -> Any:
    """Take inverse depth for depth."""
    return right(1 - inverse, layer)


def never_opaque(air: Any, light: Any, _through: Any, gain: float) -> None:
    """Let a twentieth of the scene through any fog."""
    cv2.accumulateWeighted(light * np.float32(gain), air, 0.05)


def one_site_late(picture: Any, red: int, right: Any = retake._mosaic) -> Any:
    """Read each site of the array a pixel too late."""
    return np.ascontiguousarray(np.roll(right(picture, red), 1, axis=1))


def seen_by_nothing(f_x: Any, f_y: Any, _soft_px: float) -> Any:
    """Neither lens nor photosite blurs."""
    return np.ones_like(f_x + f_y)


def never_hidden(values: Any, x: Any, _y: Any) -> Any:
    """Find everything far away, so that no thing hides rain."""
    return np.full(x.shape, 1e6, np.float32) + values.ravel()[0]


def unblurred(plane: Any, _sigma_px: float) -> Any:
    """Let the denoiser leave each pixel as it is."""
    return plane.copy()


def all_alike(scatters: Any, segments: int, _seed: int) -> Any:
    """Give all segments one strength."""
    return np.array([[scatter.mean] * segments for scatter in scatters], np.float32)


def missing_ev(photo: Any, tables: Any, exposure_ev: float, light: Any, lamp_gain: float, right: Any = dimming.darkened) -> Any:
    """Take a tenth too little light away."""
    return right(photo, tables, 0.9 * exposure_ev, light, lamp_gain)


def reads(name: str, factor: float, right: Any = haze._veil) -> Any:
    """Return a camera behind haze that takes a param times a factor."""
    return lambda coarse, params, assets: right(coarse, params._replace(**{name: factor * getattr(params, name)}), assets)


def unexposed_air(*arguments: Any, right: Any = haze._veil) -> Any:
    """Expose the scene and not the air."""
    veil = right(*arguments)
    return veil._replace(air=veil.air / np.float32(veil.gain))


def dull_level(colours: Any, sky: Any, horizon: float, opacity: float, level: float, *rest: float, right: Any = airlight.airlight) -> Any:
    """Heed the level of the air too little."""
    return right(colours, sky, horizon, opacity, level**0.3, *rest)


def thinned(*arguments: Any, right: Any = optical_depth._patches) -> Any:
    """Let patches take haze away."""
    return [0.95 * patch for patch in right(*arguments)]


def swelling_twice(rain: Any, shutter: Any, camera: Any, seed: int, right: Any = flight.streaks) -> Any:
    """Let drops that come near fan out twice as far."""
    made, straight = right(rain, shutter, camera, seed), right(rain, shutter._replace(along_m_s=0.0), camera, seed)
    return made._replace(across=2 * made.across - straight.across)


def pitched_wrongly(rain: Any, shutter: Any, camera: Any, seed: int, right: Any = flight.streaks) -> Any:
    """Let the wind along the view lift drops where it lowers them."""
    moved = 2e-3 * shutter.exposure_ms * shutter.along_m_s * np.sin(camera.pitch_rad) * camera.focal_px / rain.distance_m
    return (made := right(rain, shutter, camera, seed))._replace(down=made.down + moved)


def in_a_storm(rain: Any, shutter: Any, *rest: Any, right: Any = flight.streaks) -> Any:
    """Treble the turbulence."""
    return right(rain, shutter._replace(turbulence=3 * shutter.turbulence), *rest)


def foreshortened(ground: Any, metres: Any, *rest: Any, right: Any = splashes.splashes) -> Any:
    """Take ground seen at a slant for smaller than it looks, not for larger."""
    return right(ground * (1.5 / metres) ** 2, metres, *rest)


def few(*arguments: Any, right: Any = lens._drawn) -> Any:
    """Draw no more drops on the lens than 48."""
    discs, lobes = right(*arguments)
    return lens.Discs(*(values[:48] for values in discs)), lobes[:48]


def miscounted(*arguments: Any, right: Any = mixture.layers) -> Any:
    """Measure the light that passes two per cent too bright."""
    made = right(*arguments)
    return made._replace(passed_mean=1.02 * made.passed_mean)


PINHOLE = test_drops_flight.test_a_streak_is_what_a_pinhole_sees_of_a_moving_point
CROWNS = test_drops_splashes.test_as_many_crowns_stand_as_drops_strike_the_ground_while_one_lasts
BROKEN = (
    # blur
    Mutation("blur", "motion.sweep.STEP_PX", 30.0, test_motion_exposure.test_a_blurred_edge_has_no_replicas, {"step": 14.0}),
    Mutation("blur", "motion.highlights.recovered", dull_as_shown, test_motion_exposure.test_a_lamp_leaves_a_saturated_streak),
    Mutation("blur", "motion.grain.give_back", lambda *_: None, test_motion_exposure.test_a_static_clip_gives_the_input_back_to_noise),
    Mutation("blur", "psf.aperture", times(psf.aperture, 1.05), test_motion_defocus.test_a_lamp_becomes_a_disc_of_its_diameter, {"length": 8.0}),
    Mutation("blur", "chain.LAST", (), test_chain.test_a_flare_is_shaken_with_the_rest_of_the_picture),
    # compression
    Mutation("compression", "coding.codecs.jpeg", wrong_quality, test_codecs.test_quantisation_table_is_that_of_the_quality, {"quality": 50}),
    Mutation("compression", "coding.codec_chain._through", no_offset, test_codec_chain.test_grid_of_an_inner_hop_is_where_the_record_says, {"dx": 3, "dy": 5}),
    Mutation(
        "compression",
        "coding.codecs.JPEG_SUBSAMPLING",
        codecs.JPEG_SUBSAMPLING | {"4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422},
        test_codecs.test_subsampling_is_written_in_the_file,
        {"subsampling": "4:2:0", "factors": (2, 2)},
    ),
    # flare
    Mutation("flare", "lens.added.lifted", times(added.lifted, 0.9), test_flare.test_flare_only_adds_light, {"stratum": 1}),
    Mutation("flare", "lens.added.SPARSE", 64, test_flare.test_the_added_light_drowns_the_recorded_share, {"stratum": 4}),
    Mutation("flare", "lens.added.lifted", dull_as_shown, test_flare.test_a_white_wall_stays_white_when_the_camera_meters_down),
    Mutation("flare", "lens.added.COLOURED", 0.0, test_flare.test_a_black_and_white_photo_gets_no_coloured_flare),
    Mutation("flare", "lens.ghosts.place", beside_the_line, test_lens_ghosts.test_the_centroid_lies_on_the_line_within_one_per_cent, {"along": -1.0}),
    # haze
    Mutation("haze", "air.optical_depth.KOSCHMIEDER", 2.996, test_haze.test_log_transmission_over_distance_has_the_slope_of_koschmieder),
    Mutation("haze", "air.optical_depth.distance_m", near_for_far, test_haze.test_transmission_falls_with_distance),
    Mutation("haze", "haze._mix_into", never_opaque, test_haze.test_what_is_infinitely_far_is_airlight),
    Mutation("haze", "air.passage.EPS", 1.0, test_haze.test_no_halo_at_a_depth_edge),
    Mutation("haze", "air.airlight.LEAST", 0.8, test_haze.test_night_air_stays_dark),
    Mutation("haze", "air.airlight.LAMPLIT", (1.0, 1.0), test_airlight.test_night_air_is_bright_about_lamps_and_day_air_is_not),
    Mutation("haze", "haze._veil", reads("exposure_ev", -1.0), test_haze_params.test_a_stop_more_is_twice_the_light),
    Mutation("haze", "haze._veil", unexposed_air, test_haze_params.test_a_stop_more_is_twice_the_light),
    Mutation("haze", "haze._veil", reads("metering", -1.0), test_haze_params.test_a_meter_that_undoes_all_keeps_the_mean),
    Mutation("haze", "haze.airlight", dull_level, test_haze_params.test_the_level_of_the_air_is_a_factor),
    Mutation("haze", "air.shot.add", lambda *of, right=shot.add: right(*of[:2], 9 * of[2]), test_haze_params.test_shot_noise_has_the_variance_of_its_record),
    Mutation("haze", "air.optical_depth._patches", thinned, test_haze_params.test_patches_move_haze_and_add_none, {"patchiness": 0.3}),
    # low light
    Mutation("low_light", "dark.dimming.darkened", missing_ev, test_low_light.test_one_more_ev_halves_the_light, {"contrast": 0.0}),
    Mutation("low_light", "dark.shining.CLIPPED", (1e-6, 1e-6), test_low_light.test_a_lamp_stays_saturated, {"exposure_ev": 5.0, "late": False}),
    Mutation("low_light", "dark.dimming.refill", lambda *_: None, test_low_light.test_a_well_that_overflows_shows_no_noise),
    Mutation("low_light", "sensor.read_noise", times(sensor.read_noise, 1.2), test_low_light.test_variance_against_mean_gives_the_sensor_back),
    # moire
    Mutation(
        "moire",
        "screen.geometry.looked_at",
        times(geometry.looked_at, 1.02),
        test_screen_optics.test_a_band_stands_where_display_and_array_beat,
        {"pitch_px": 2.1, "harmonic": 1, "array": 0.5},
    ),
    Mutation("moire", "screen.optics.QUAD", (0, 0, 0, 0), test_screen_optics.test_a_quad_array_beats_at_quarters),
    Mutation("moire", "screen.optics.transfer", seen_by_nothing, test_screen_optics.test_there_is_no_moire_when_the_pitch_is_fine_and_the_lens_soft),
    Mutation("moire", "screen.retake._mosaic", one_site_late, test_moire.test_the_pair_is_registered, {"ranges": test_moire.DISPLAY}),
    # noise
    Mutation("noise", "raw.photograph.LEFT_BY_DEMOSAIC", np.ones(3), test_noise.test_variance_against_mean_fits_the_record),
    Mutation("noise", "raw.denoiser._blur", unblurred, test_noise.test_noise_is_correlated_like_that_of_real_photos),
    Mutation("noise", "raw.denoiser.segment_values", all_alike, test_noise.test_segments_are_as_noisy_as_their_strength_says),
    Mutation("noise", "sensor.read_noise", biased, test_noise.test_brightness_is_kept, {"value": 0.08, "stratum": 4}),
    # rain
    Mutation("rain", "drops.population.PER_M3_MM", 4000.0, test_rain.test_the_mean_opacity_is_that_of_the_drops_in_the_air, {"rate": 10.0, "exposure_ms": 2.0}),
    Mutation("rain", "drops.population.extinction_per_m", times(population.extinction_per_m, 1.1), test_rain.test_more_rain_covers_more_and_veils_more),
    Mutation("rain", "drops.flight.fall_m_s", times(flight.fall_m_s, 1.3), test_rain.test_streaks_lie_as_the_wind_blows, {"wind": 4.0}),
    Mutation("rain", "drops.splat._there", never_hidden, test_rain.test_no_streak_is_seen_through_a_near_thing),
    Mutation("rain", "drops.sheets.before", lambda metres, _depth_m: np.ones_like(metres), test_rain.test_no_image_of_rain_is_seen_through_a_near_thing),
    Mutation("rain", "drops.flight.streaks", swelling_twice, PINHOLE, {"along": 6.0, "horizon": 0.5}),
    Mutation("rain", "drops.flight.streaks", pitched_wrongly, PINHOLE, {"along": 6.0, "horizon": 0.9}),
    Mutation("rain", "drops.flight.streaks", in_a_storm, test_drops_flight.test_turbulence_is_the_sideways_speed_in_shares_of_the_fall),
    Mutation("rain", "drops.splashes.LASTS_S", 0.5, CROWNS),
    Mutation("rain", "drops.splashes.splashes", foreshortened, CROWNS),
    Mutation("rain", "drops.lens._drawn", few, test_drops_lens.test_many_small_drops_cover_what_is_asked_too),
    # reflection
    Mutation("reflection", "glass.fresnel.INDEX", 1.33, test_glass_fresnel.test_a_pane_mirrors_eight_percent_head_on),
    Mutation("reflection", "glass.mixture._with_highlights", in_gamma, test_reflection.test_the_mixture_less_what_passes_is_what_is_mirrored, {"key": "a"}),
    Mutation("reflection", "glass.mixture.layers", miscounted, test_reflection.test_the_energy_of_the_reflection_is_the_records, {"stratum": 3}),
    Mutation("reflection", "glass.mixture.HIGHLIGHTS", (0.9, 1.0), test_reflection.test_white_stays_white),
    Mutation("reflection", "glass.ghosts.UNSEEN_PX", 50.0, test_glass_ghosts.test_the_shift_between_two_panes_is_constant_over_a_pane_seen_from_the_front),
    # web
    Mutation("web", "upload.kernels.TRIMMED", 0.3, test_kernels.test_filtering_is_the_convolution, {"name": "long tails"}),
    Mutation("web", "upload.resolution.BLUR", 0.5, test_resolution.test_blur_and_shrinking_of_one_severity_hurt_alike, {"share": 0.35}),
    Mutation("web", "upload.speckle.MIDDLE", 1.0, test_speckle.test_deviation_at_middle_grey_is_the_record, {"kind": "poisson", "sigma": 6.0, "grey": False}),
)

ramp, street, clean, partner = test_haze.ramp, test_flare.street, test_reflection.clean, test_reflection.partner  # the oracles' own fixtures
flare_light, reflection_light = test_flare.light, test_reflection.light


def name_of(mutation: Mutation) -> str:
    """Return what pytest calls it."""
    return f"{mutation.kind}-{mutation.place.rpartition('.')[2]}"


def arguments(mutation: Mutation, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the oracle is called with: what is given, and its fixtures; one that two oracles call alike begins with the kind here."""
    wanted = [name for name in inspect.signature(mutation.oracle).parameters if name not in mutation.given]
    return mutation.given | {name: request.getfixturevalue(f"{mutation.kind}_{name}" if f"{mutation.kind}_{name}" in globals() else name) for name in wanted}


@pytest.mark.parametrize("mutation", BROKEN, ids=name_of)
def test_an_oracle_fails_when_its_physics_is_broken(mutation: Mutation, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle holds as things are, and no longer with one constant or function that is wrong."""
    check(mutation, request, monkeypatch)


def test_every_degradation_has_been_broken() -> None:
    """No degradation of the catalogue goes without."""
    assert {mutation.kind for mutation in BROKEN} == set(degrade.NAMES)


def check(mutation: Mutation, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assert that an oracle holds, and that it fails with its mutation."""
    called_with = arguments(mutation, request)
    mutation.oracle(**called_with)
    monkeypatch.setattr(f"degrade.{mutation.place}", mutation.wrong)
    with pytest.raises(AssertionError):
        mutation.oracle(**called_with)
