"""Haze and fog: light is lost on its way to the camera, and the air adds its own.

    I = t J + (1 - t) A,    t = exp(-beta L),    beta = 3.912 / visibility        (Koschmieder, 1924)

in linear light, with L the length of air on the line of sight in metres. Where we depart from the usual recipe
(RESIDE, Li et al., TIP 2019: random beta on a per-image min-max depth in sRGB): distance is metric between a drawn near and
far plane; the layer thins with height, so the sky is reached through a slant path and stays sky in thin haze; density is
patchy along the ray (fractal noise in slices of distance, and banks of real fog images read as density); the airlight follows
the sky; what is scattered forward blurs and lamps glow (the first orders of Narasimhan and Nayar, CVPR 2003, by two kernels
instead of a series); the camera meters again and adds its own noise.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from degrade import camera
from degrade.air import banks, lamps, shot
from degrade.air.airlight import LUMINANCE, airlight, darkness, lamplit, towards
from degrade.air.optical_depth import Layer, check_planes
from degrade.air.passage import Passage, passage, scene_of, sized
from degrade.arrays import strips
from degrade.contract import STRATA, Assets, Facts, Generator, Interval, Linear, Map, Ranges, Stage, Texture, interval, share
from degrade.errors import BadSample, Reason
from degrade.stream import chance, log_uniform, new_seed, uniform

AIR_STEP = 4  # the air's own light is soft: it is computed at a quarter of the working size
NIGHT_GAIN = 2.0  # below it a lamp seen through haze is no brighter than the photo shows it


class HazeRanges(Ranges):
    """What may vary in haze; the visibility itself follows from the stratum."""

    near_m: Interval = interval(3, 15, "m", "distance of the nearest thing in the photo", (0.2, 1000))
    far_m: Interval = interval(250, 900, "m", "distance of the farthest thing that is not sky", (10, 50000))
    far_cut: Interval = interval(0, 0.15, "0..1", "inverse depth below which everything lies at the far plane", (0, 0.9))
    layer_m: Interval = interval(30, 150, "m", "height in which the haze thins to 1/e", (5, 100000))
    patchiness: Interval = interval(0, 0.3, "log density, one sigma", "unevenness of the haze", (0, 1.5))
    patch_m: Interval = interval(15, 80, "m", "size of denser and thinner patches", (1, 1000))
    air_level: Interval = interval(0.85, 1.1, "relative", "brightness of the airlight against what the scene suggests", (0.1, 3))
    air_tint: Interval = interval(0.1, 0.5, "0..1", "share of the sky's own colour that dense haze keeps", (0, 1))
    air_follow: Interval = interval(0.3, 0.9, "0..1", "how far the airlight follows the sky in its own direction", (0, 1))
    sun_warmth: Interval = interval(-0.3, 0.5, "-1..1", "colour of the sun on the haze, cold to low and warm", (-1, 1))
    forward: Interval = interval(0.05, 0.3, "0..1", "share of scattered light that still comes from near its origin", (0, 0.9))
    glow_frac: Interval = interval(0.03, 0.1, "short sides", "radius of the glow", (0.01, 0.3))
    lamp_gain: Interval = interval(5, 40, "display whites", "how bright a clipped lamp really is", (1, 200))
    metering: Interval = interval(0.1, 0.6, "0..1", "how far the camera's meter undoes the haze's brightness", (0, 1))
    exposure_ev: Interval = interval(-0.35, 0.35, "EV", "exposure error at the strongest stratum; less below", (-3, 3))
    noise_gain: Interval = interval(2e-5, 3e-4, "1/display white", "shot noise variance per linear light", (0, 0.01))
    from_bank: float = share(0.5, "share of pairs whose air has fog banks, where the recipe gives images of fog")
    bank_frac: Interval = interval(0.8, 2.5, "long sides", "width of a fog bank", (0.05, 20))
    bank_strength: Interval = interval(0.3, 1.5, "parts of the even air's", "extinction that a bank adds at its densest", (0, 10))

    @model_validator(mode="after")
    def _near_before_far(self) -> HazeRanges:
        check_planes(self.near_m, self.far_m)
        return self


class HazeParams(NamedTuple):
    """What was drawn for one pair; units as in `HazeRanges`."""

    visibility_m: float
    near_m: float
    far_m: float
    far_cut: float
    layer_m: float
    patchiness: float
    patch_m: float
    patch_seed: int
    air_level: float
    air_tint: float
    air_follow: float
    sun_warmth: float
    forward: float
    glow_frac: float
    lamp_gain: float
    metering: float
    exposure_ev: float
    noise_gain: float
    noise_seed: int
    textures: tuple[banks.Bank, ...]  # an entry for each image of the bank that is used


class _Veil(NamedTuple):
    air: Linear  # what the air sends towards the camera in each direction, as exposed, at low resolution
    gain: float  # of the exposure
    lamp_gain: float  # how bright a clipped highlight is taken to be


def sample(rng: np.random.Generator, ranges: HazeRanges, facts: Facts, stratum: int) -> HazeParams:
    """Draw the haze of one pair.

    Raises:
        BadSample: the photo shows no distance.
    """
    if not facts.far:
        raise BadSample(Reason.NO_FAR_PLANE, "haze needs distance: portrait, macro, indoors or no open sky")
    low, high = GENERATOR.band(stratum)
    return HazeParams(
        visibility_m=log_uniform(rng, low, high),
        near_m=log_uniform(rng, *ranges.near_m),
        far_m=log_uniform(rng, *ranges.far_m),
        far_cut=uniform(rng, *ranges.far_cut),
        layer_m=log_uniform(rng, *ranges.layer_m),
        patchiness=uniform(rng, *ranges.patchiness),
        patch_m=log_uniform(rng, *ranges.patch_m),
        patch_seed=new_seed(rng),
        air_level=uniform(rng, *ranges.air_level),
        air_tint=uniform(rng, *ranges.air_tint),
        air_follow=uniform(rng, *ranges.air_follow),
        sun_warmth=uniform(rng, *ranges.sun_warmth),
        forward=uniform(rng, *ranges.forward),
        glow_frac=log_uniform(rng, *ranges.glow_frac),
        lamp_gain=log_uniform(rng, *ranges.lamp_gain),
        metering=uniform(rng, *ranges.metering),
        exposure_ev=uniform(rng, *ranges.exposure_ev) * stratum / STRATA,
        noise_gain=uniform(rng, *ranges.noise_gain),
        noise_seed=new_seed(rng),
        textures=_sample_banks(rng, ranges, facts.textures),
    )


def _sample_banks(rng: np.random.Generator, ranges: HazeRanges, available: int) -> tuple[banks.Bank, ...]:
    """Draw where fog banks lie: none, one, or two of the images that are there."""
    if not (available and chance(rng, ranges.from_bank)):
        return ()
    return tuple(
        banks.Bank(
            x_frac=uniform(rng, 0.0, 1.0),
            y_frac=uniform(rng, 0.3, 0.8),
            size_frac=log_uniform(rng, *ranges.bank_frac),
            flatness=uniform(rng, 0.3, 0.8),
            angle_deg=uniform(rng, -180.0, 180.0),
            mirrored=chance(rng, 0.5),
            strength=uniform(rng, *ranges.bank_strength),
        )
        for _ in range(min(available, 1 + chance(rng, 0.5)))
    )


def render(light: Linear, params: HazeParams, assets: Assets) -> Linear:
    """Return the photo through haze.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: needs `depth` and `sky`, and a texture for each fog bank.

    Raises:
        ValueError: a prior or a texture is missing.
    """
    coarse = _passage(light, params, assets)
    veil = _veil(coarse, params, assets)
    grain = shot.words(params.noise_seed, *light.shape[:2])
    fine = coarse.at_size(light.shape)
    hazy = strips.enlarged(veil.air, AIR_STEP * coarse.step, slice(0, light.shape[0]), light.shape[1])
    for rows in strips.rows_of(light.shape):
        part = light[rows]
        through = fine.through(part, rows)
        if veil.lamp_gain > NIGHT_GAIN:
            part = lamps.as_strong_as_they_are(part, _three(through), veil.lamp_gain)
        _mix_into(hazy[rows], part, through, veil.gain)
        shot.add(hazy[rows], grain[rows], params.noise_gain)
    return np.ascontiguousarray(hazy)


def transmission(light: Linear, params: HazeParams, assets: Assets) -> Map:
    """Return the share of light that arrives unscattered, HxW float32 in [0, 1], on the photo's own edges.

    Args:
        light: HxWx3 linear light: the guide for the edges.
        params: from `sample`.
        assets: needs `depth` and `sky`, and a texture for each fog bank.

    Raises:
        ValueError: a prior or a texture is missing.
    """
    return _passage(light, params, assets).at_size(light.shape).through(light, slice(0, light.shape[0]))


def layers(light: Linear, params: HazeParams, assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return the side product of `render`: its `transmission`."""
    return {"transmission": transmission(light, params, assets)}


def severity(params: HazeParams) -> float:
    """Return the visibility in metres."""
    return params.visibility_m


def _textures(params: HazeParams, assets: Assets) -> tuple[Texture, ...]:
    found = assets.textures.get("haze", ())
    if len(found) < len(params.textures):
        raise ValueError(f"haze needs assets.textures['haze']: {len(params.textures)} images of fog for its banks, {len(found)} are there")
    return found


def _passage(light: Linear, params: HazeParams, assets: Assets) -> Passage:
    """Return what comes through the air, after a look whether all that it needs is there."""
    scene = scene_of(assets, "haze")
    textures = _textures(params, assets)
    layer = Layer(*params[:7], params.patch_seed)  # the params begin with the layer's own

    def density(shape: tuple[int, int]) -> Map | None:
        return banks.relative_density(textures, params.textures, shape) if params.textures else None

    return passage(light, scene, layer, density)


def _veil(coarse: Passage, params: HazeParams, assets: Assets) -> _Veil:
    """Return the light of the air and the camera's answer to it, at a quarter of the working size.

    Air sends airlight, less the share of it that is replaced by light scattered forward on its way from the scene: that
    share is greatest at middle optical depth, and spreads wider the deeper the haze.
    """
    colours, passed = strips.reduced(coarse.light, AIR_STEP), strips.reduced(coarse.coarse, AIR_STEP)
    sky = sized(scene_of(assets, "haze").sky, (passed.shape[1], passed.shape[0]))
    opacity = 1.0 - float(passed.mean())
    air = airlight(colours, sky, assets.horizon_frac, opacity, params.air_level, params.air_tint, params.sun_warmth)
    night = darkness(air)
    lamp_gain = lamps.gain_of(params.lamp_gain, night)
    everywhere = lamplit(towards(air, colours, sky, params.air_follow), colours, night)
    excess = camera.recover_highlights(colours, lamp_gain, lamps.KNEE) - everywhere
    root = np.sqrt(passed)
    forward = np.float32(4.0 * params.forward) * root * (1 - root)
    radius = params.glow_frac * min(passed.shape)
    scattered = _spread(excess, forward * root, radius / 4) + _spread(excess, forward * (1 - root), radius)
    total = np.maximum(everywhere + scattered, 0)
    after = np.minimum(total + passed[..., None] * (colours - total), 1)
    metered = (_luminance(colours) + 1e-3) / (_luminance(after) + 1e-3)
    gain = metered**params.metering * 2.0**params.exposure_ev
    return _Veil(total * np.float32(gain), gain, lamp_gain)


def _spread(light: Linear, share: Map, sigma: float) -> Linear:
    return cv2.GaussianBlur(light * share[..., None], (0, 0), max(sigma, 0.4), borderType=cv2.BORDER_REFLECT)


def _three(values: Map) -> NDArray[np.float32]:
    return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)


def _luminance(picture: Linear) -> float:
    return float(np.dot(cv2.mean(picture)[:3], LUMINANCE))


def _mix_into(air: Linear, light: Linear, through: Map, gain: float) -> None:
    """Make exposed air, in place, into air + through * (gain * light - air): never below zero, however it is rounded."""
    difference = cv2.addWeighted(light, gain, air, -1.0, 0.0)
    cv2.accumulateProduct(difference, _three(through), air)


GENERATOR = Generator(
    name="haze",
    version=5,
    about="haze and fog by Koschmieder's law in linear light, with height, patches, glow and a camera that meters it",
    stage=Stage.SCENE,
    severity_name="visibility",
    unit="m",
    strata=(30000, 9000, 2500, 800, 220, 40),
    ranges=HazeRanges,
    params=HazeParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("depth", "sky"),
    layers=layers,
)
