"""Low light: too few photons, lit unevenly and in the wrong colour, and brightened afterwards.

    y = develop(clip(Poisson(k F x / K) K + N(0, s_r^2) + rows + black level)),    k = 2^-EV

on the camera engine of `noise`: a photo is un-developed to scene light x, lit anew by F (`dark.lighting`), its lamps get
back the brightness that the clip hid (`dark.shining`), a sensor counts what is left, and the development smooths, tones and
brightens (`dark.tone`). The ISO rises with the darkness, as automatic cameras have it, and a light that white balance does
correct costs noise in its weak colour.

Published recipes (MAET, Cui et al., ICCV 2021; OneRestore, Guo et al., ECCV 2024) darken all light by one factor or power,
lamps included, before white noise. We depart from them there; and in that the photo is measured against its own right
exposure: one that is dark already is brightened by more, so that something is left to be seen.

Severity is EV below right exposure, on the sensor. Brightening gives much of a mild shortage back and little of a severe one.
"""

from __future__ import annotations

import functools
import math
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import develop
from degrade.camera import LUMINANCE
from degrade.contract import STRATA, Assets, Encoded, Facts, Generator, Interval, Linear, Srgb, Stage, choice, interval, share
from degrade.dark import dimming, lighting, tone
from degrade.dark.lighting import Lighting
from degrade.dark.tone import Lift
from degrade.keys import Weights
from degrade.raw.cameras import CameraRanges, at, sample_camera
from degrade.raw.photograph import Camera, Exposed, expose_scene, filed, noisy, optics
from degrade.stream import log_uniform, pick

Source = Literal["daylight", "tungsten", "sodium", "led", "dusk"]
MIRED: dict[str, Interval] = {  # against daylight of 6,500 K
    "daylight": (-15.0, 25.0),
    "tungsten": (150.0, 230.0),
    "sodium": (280.0, 350.0),
    "led": (-10.0, 110.0),
    "dusk": (-75.0, -25.0),
}
OFF_LINE = {"led": 1.0, "tungsten": 0.15, "sodium": 0.3}  # how far sources are off the black bodies' line, of `green`
LEAST_LIGHT = 0.006  # mean linear light that brightening leaves at least
MILDNESS = 1.2  # by what power of the stratum the light's faults grow
ISO_LIMITS = (100.0, 12800.0)
WHITE_BALANCE = (1.05, 4.0)  # gains of cameras


class LowLightRanges(CameraRanges):
    """What may vary in the dark; the exposure itself follows from the stratum."""

    left: Interval = interval(0.4, 1.0, "0..1", "share of the missing EV that brightening leaves, at the strongest stratum; less below", (0.0, 1.0))
    lift_ev: Interval = interval(0.0, 3.0, "EV", "least and most that a photo is brightened by, unless it would stay black", (0.0, 6.0))
    gamma_share: Interval = interval(0.0, 1.0, "0..1", "share of the brightening that is gamma, at the strongest stratum; the rest is gain", (0.0, 1.0))
    late: float = share(0.35, "how often the finished 8-bit file is brightened, not the RAW")
    contrast: Interval = interval(0.0, 0.6, "0..1", "tone curve: 0 is straight, 1 a full smoothstep", (0.0, 1.0))
    lamp_gain: Interval = interval(20.0, 400.0, "display whites", "how bright a clipped lamp really is", (1.0, 10000.0))
    lamp_share: Interval = interval(0.0, 0.85, "0..1", "share of a lamp on one side in the light, at the strongest stratum", (0.0, 1.0))
    lamp_height: Interval = interval(0.4, 1.5, "short sides", "distance of that lamp from the scene", (0.1, 20.0))
    lamp_mired: Interval = interval(-60.0, 90.0, "mired", "by how much it is warmer than the room, at the strongest stratum", (-300.0, 300.0))
    vignette_ev: Interval = interval(0.0, 1.2, "EV", "loss in the corners, at the strongest stratum", (0.0, 4.0))
    source: Weights[Source] = choice({"daylight": 0.2, "tungsten": 0.3, "sodium": 0.15, "led": 0.2, "dusk": 0.15}, "what lights the scene, and how often")
    balance_error: Interval = interval(-0.05, 0.6, "0..1", "share of its colour that white balance leaves, at the strongest stratum", (-0.5, 1.0))
    green: Interval = interval(-0.1, 0.16, "log", "green of LEDs, at the strongest stratum", (-0.5, 0.5))
    black_tint: Interval = interval(-0.2, 0.2, "of read noise", "error of the black level, each colour", (-5.0, 5.0))
    base_iso: Interval = interval(80.0, 250.0, "ISO", "ISO of the right exposure; in the dark it is 100 to 12,800", (80.0, 12800.0))
    auto_iso: Interval = interval(0.3, 0.85, "0..1", "EV of ISO per EV that is missing", (0.0, 1.5))
    row_frac: Interval = interval(0.0, 0.35, "of read noise", "noise shared by a row", (0.0, 2.0))
    strength: Interval = interval(0.3, 0.9, "0..1", "the denoiser's grip on flat areas", (0.0, 0.95))
    coarse: Interval = interval(0.15, 0.6, "0..1", "share of smoothed noise with the long correlation length", (0.0, 0.95))
    colour: Interval = interval(0.25, 0.9, "0..1", "share of the colour noise that is left", (0.0, 2.0))
    blotch: Interval = interval(0.05, 0.35, "of noise", "deviation of the colour blotches before `colour` takes its share", (0.0, 1.0))
    jpeg: float = share(0.5, "how often the camera wrote a JPEG")
    jpeg_quality: Interval = interval(80.0, 97.0, "quality", "of the camera's own JPEG", (50.0, 100.0))


class LowLightParams(NamedTuple):
    """One exposure in the dark; units as in `LowLightRanges`."""

    exposure_ev: float  # below right exposure, on the sensor
    lift_ev: float
    gamma_share: float
    late: bool
    contrast: float
    lamp_gain: float
    lighting: Lighting
    black_tint: tuple[float, float, float]
    iso: float
    camera: Camera


def _lift_ev(exposure_ev: float, left: float, bounds: Interval, luminance: float) -> float:
    """Return the brightening: what the recipe asks for, and more where the photo would stay black."""
    wanted = min(max((1.0 - left) * exposure_ev, bounds[0]), bounds[1])
    needed = exposure_ev - max(math.log2(max(luminance, 1e-6) / LEAST_LIGHT), 0.0)
    return min(max(wanted, needed), exposure_ev)


def _sample_lighting(rng: np.random.Generator, ranges: LowLightRanges, hurt: float) -> tuple[Lighting, float]:
    """Draw what lights the scene, and the mired that white balance does correct."""
    source = pick(ranges.source, rng.random())
    side, x, y, colour, error, share_of_lamp, height, vignette, warmth, green = rng.random(10).tolist()
    mired = at(MIRED[source], colour)
    left = at(ranges.balance_error, error) * hurt
    light = Lighting(
        lamp_x_frac=at((-0.55, 0.05) if side < 0.5 else (0.95, 1.55), x),
        lamp_y_frac=at((-0.4, 0.9), y),
        lamp_height_frac=at(ranges.lamp_height, height),
        lamp_share=at(ranges.lamp_share, share_of_lamp) * hurt,
        vignette_ev=at(ranges.vignette_ev, vignette) * hurt,
        cast_mired=mired * left,
        lamp_mired=at(ranges.lamp_mired, warmth) * hurt,
        green=at(ranges.green, green) * OFF_LINE.get(source, 0.05) * hurt,
    )
    return light, mired * (1.0 - left)


def _balanced(look: develop.Look, mired: float) -> develop.Look:
    """Return the look whose white balance makes a light neutral that is warmer than daylight."""
    red, green, blue = lighting.tint(mired)
    low, high = WHITE_BALANCE
    return look._replace(
        red_gain=min(max(look.red_gain * green / red, low), high),
        blue_gain=min(max(look.blue_gain * green / blue, low), high),
    )


def sample(rng: np.random.Generator, ranges: LowLightRanges, facts: Facts, stratum: int) -> LowLightParams:
    """Draw an exposure as many EV short as the stratum says."""
    hurt = (stratum / STRATA) ** MILDNESS
    missing, rising, left, gamma, late, contrast, red, green, blue = rng.random(9).tolist()
    exposure_ev = at(GENERATOR.band(stratum), missing)
    iso = log_uniform(rng, *ranges.base_iso) * 2.0 ** (at(ranges.auto_iso, rising) * exposure_ev)
    iso = min(max(iso, ISO_LIMITS[0]), ISO_LIMITS[1])
    light, corrected = _sample_lighting(rng, ranges, hurt)
    camera = sample_camera(rng, ranges, iso)
    return LowLightParams(
        exposure_ev=exposure_ev,
        lift_ev=_lift_ev(exposure_ev, at(ranges.left, left) * hurt, ranges.lift_ev, facts.luminance),
        gamma_share=at(ranges.gamma_share, gamma) * hurt,
        late=late < ranges.late,
        contrast=at(ranges.contrast, contrast),
        lamp_gain=log_uniform(rng, *ranges.lamp_gain),
        lighting=light,
        black_tint=(at(ranges.black_tint, red), at(ranges.black_tint, green), at(ranges.black_tint, blue)),
        iso=iso,
        camera=camera._replace(look=_balanced(camera.look, corrected)),
    )


def render(picture: Linear | Srgb, params: LowLightParams, assets: Assets) -> Encoded:
    """Return the dark photo, and the camera's own file where nothing came after it.

    Args:
        picture: HxWx3 linear light, or 8-bit sRGB, at least 64x64; left untouched.
        params: from `sample`.
        assets: `segments` are needed.

    Raises:
        ValueError: no segments.
    """
    if assets.segments is None:
        raise ValueError("low_light needs `segments`: fill Assets.segments, e.g. by degrade.scene.segments.superpixels")
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REFLECT_101)
    lift = Lift(params.lift_ev, params.gamma_share, tone.GREY * 2.0**-params.exposure_ev)
    photo = filed(np.ascontiguousarray(_developed(picture, params, lift, assets.segments)[:height, :width]), params.camera.jpeg_quality)
    return Encoded(cv2.LUT(photo.pixels, tone.late_table(params.contrast, lift))) if params.late else photo


def _developed(picture: Linear | Srgb, params: LowLightParams, lift: Lift, labels: NDArray[np.int32]) -> Srgb:
    """Expose and develop a photo of even sizes; it is brightened here unless that comes late."""
    plan = optics(params.iso, params.camera)
    finish = tone.finish_table(params.contrast, None if params.late else lift)
    tables = tone.tables(params.contrast, lift)
    dark = dimming.darkened(picture, tables, params.exposure_ev, params.lighting, params.lamp_gain)
    exposed = expose_scene(functools.partial(dimming.write, dark), picture.shape, plan, params.iso, params.camera)
    black = np.tile(_black_level(params), picture.shape[1])
    photo = np.empty(picture.shape, np.uint8)
    for rows, codes in noisy(_as_if_right(exposed, params.exposure_ev), plan, params.camera, labels):
        cv2.add(codes, np.full((len(codes), len(black)), black).reshape(codes.shape), codes)  # thrice as fast as by a scalar
        dimming.refill(exposed.light[rows], codes)
        cv2.LUT(codes.view(np.uint16), finish, photo[rows])
    return photo


def _as_if_right(exposed: Exposed, exposure_ev: float) -> Exposed:
    """Return the exposure with the luma that the denoiser tells segments by as bright as in a right one."""
    luma = cv2.threshold(exposed.luma * np.float32(2.0**exposure_ev), 1.0, 0.0, cv2.THRESH_TRUNC)[1]
    return exposed._replace(luma=luma)


def _black_level(params: LowLightParams) -> NDArray[np.int16]:
    """Return the error of the black level in codes of scene light, by colour."""
    camera = params.camera
    balanced = camera.read_noise * np.array(params.black_tint) / np.array(develop.raw_gains(camera.look))
    shown = np.linalg.inv(develop.to_camera(camera.look)) @ balanced
    return np.clip(np.rint(shown * develop.WHITE), -develop.WHITE, develop.WHITE).astype(np.int16)


def severity(params: LowLightParams) -> float:
    """Return the EV below right exposure."""
    return params.exposure_ev


def layers(light: Linear, params: LowLightParams, _assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return `illumination`: the share of its right light that each pixel of the scene gets, HxW in [0, 1]."""
    height, width = light.shape[:2]
    field = lighting.field(height, width, params.lighting) @ np.array(LUMINANCE, np.float32)
    step = lighting.step_for(height, width)
    large = cv2.resize(field, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)[:height, :width]
    return {"illumination": np.minimum(large * np.float32(2.0**-params.exposure_ev), np.float32(1.0))}


GENERATOR: Generator[LowLightRanges, LowLightParams] = Generator(
    name="low_light",
    version=2,
    about="an exposure in the dark: few photons, uneven and coloured light, lamps that stay lit, brightened afterwards",
    stage=Stage.SENSOR,
    severity_name="missing exposure",
    unit="EV",
    strata=(0.7, 1.3, 2.1, 3.1, 4.4, 6.0),
    ranges=LowLightRanges,
    params=LowLightParams,
    sample=sample,
    render=render,
    severity=severity,
    takes_srgb=True,
    needs=("segments",),
    layers=layers,
)
