"""Haze and fog: light is lost on its way to the camera, and the air adds its own.

    I = t J + (1 - t) A,    t = exp(-beta L),    beta = 3.912 / visibility        (Koschmieder, 1924)

in linear light, with L the length of air on the line of sight in metres. Where we depart from the usual recipe
(RESIDE, Li et al., TIP 2019: random beta on a per-image min-max depth in sRGB): distance is metric between a drawn near and
far plane; the layer thins with height, so the sky is reached through a slant path and stays sky in thin haze; density is
patchy along the ray (fractal noise in slices of distance); what is scattered forward blurs and lamps glow (the first orders of
Narasimhan and Nayar, CVPR 2003, by two kernels instead of a series); the camera meters again and adds its own noise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import lamps, shot
from degrade.air.airlight import LUMINANCE, airlight, darkness
from degrade.air.optical_depth import Layer, coarse_transmission
from degrade.arrays import guided, strips
from degrade.contract import STRATA, Assets, Facts, Generator, Interval, Linear, Map, Ranges, Stage, interval
from degrade.errors import BadSample, Reason
from degrade.stream import log_uniform, new_seed, uniform

WORK_PX = 256  # long side at which transmission is computed before it gets the photo's edges
AIR_STEP = 4  # the air's own light is soft: it is computed at a quarter of the working size
DAYLIGHT_LAMPS = 0.03  # share of the lamps' gain that is left by day: glints, clipped clouds
NIGHT_GAIN = 2.0  # below it a lamp seen through haze is no brighter than the photo shows it
EPS = 4e-4  # variance of the guide below which a window counts as flat


class HazeRanges(Ranges):
    """What may vary in haze; the visibility itself follows from the stratum."""

    near_m: Interval = interval(3, 15, "m", "distance of the nearest thing in the photo", (0.2, 1000))
    far_m: Interval = interval(250, 900, "m", "distance of the farthest thing that is not sky", (10, 50000))
    far_cut: Interval = interval(0, 0.15, "0..1", "inverse depth below which everything lies at the far plane", (0, 0.9))
    layer_m: Interval = interval(30, 150, "m", "height in which the haze thins to 1/e", (5, 100000))
    patchiness: Interval = interval(0, 0.4, "log density, one sigma", "unevenness of the haze", (0, 1.5))
    patch_m: Interval = interval(15, 80, "m", "size of denser and thinner patches", (1, 1000))
    air_level: Interval = interval(0.85, 1.1, "relative", "brightness of the airlight against what the scene suggests", (0.1, 3))
    air_tint: Interval = interval(0.2, 0.7, "0..1", "share of the sky's own colour that the airlight keeps", (0, 1))
    sun_warmth: Interval = interval(-0.3, 0.5, "-1..1", "colour of the sun on the haze, cold to low and warm", (-1, 1))
    forward: Interval = interval(0.05, 0.3, "0..1", "share of scattered light that still comes from near its origin", (0, 0.9))
    glow_frac: Interval = interval(0.03, 0.1, "short sides", "radius of the glow", (0.01, 0.3))
    lamp_gain: Interval = interval(5, 40, "display whites", "how bright a clipped lamp really is", (1, 200))
    metering: Interval = interval(0.2, 0.8, "0..1", "how far the camera's meter undoes the haze's brightness", (0, 1))
    exposure_ev: Interval = interval(-0.35, 0.35, "EV", "exposure error at the strongest stratum; less below", (-3, 3))
    noise_gain: Interval = interval(2e-5, 3e-4, "1/display white", "shot noise variance per linear light", (0, 0.01))


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
    sun_warmth: float
    forward: float
    glow_frac: float
    lamp_gain: float
    metering: float
    exposure_ev: float
    noise_gain: float
    noise_seed: int


class _Passage(NamedTuple):
    step: int  # px of the photo per working px
    coarse: Map  # transmission at working size
    mix: NDArray[np.float64]  # of the channels, to the guide
    slope: Map
    offset: Map
    light: Linear  # the photo at working size


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
        sun_warmth=uniform(rng, *ranges.sun_warmth),
        forward=uniform(rng, *ranges.forward),
        glow_frac=log_uniform(rng, *ranges.glow_frac),
        lamp_gain=log_uniform(rng, *ranges.lamp_gain),
        metering=uniform(rng, *ranges.metering),
        exposure_ev=uniform(rng, *ranges.exposure_ev) * stratum / STRATA,
        noise_gain=uniform(rng, *ranges.noise_gain),
        noise_seed=new_seed(rng),
    )


def render(light: Linear, params: HazeParams, assets: Assets) -> Linear:
    """Return the photo through haze.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: needs `depth` and `sky`.

    Raises:
        ValueError: a prior is missing.
    """
    passage = _passage(light, params, assets)
    veil = _veil(passage, params, assets)
    grain = shot.words(params.noise_seed, *light.shape[:2])
    slope, offset = _full_size(passage, light.shape)
    hazy = strips.enlarged(veil.air, AIR_STEP * passage.step, slice(0, light.shape[0]), light.shape[1])
    for rows in strips.rows_of(light.shape):
        part = light[rows]
        through = _through(part, passage.mix, slope[rows], offset[rows])
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
        assets: needs `depth` and `sky`.

    Raises:
        ValueError: a prior is missing.
    """
    passage = _passage(light, params, assets)
    return _through(light, passage.mix, *_full_size(passage, light.shape))


def severity(params: HazeParams) -> float:
    """Return the visibility in metres."""
    return params.visibility_m


def _priors(assets: Assets) -> tuple[Map, Map]:
    if assets.depth is None or assets.sky is None:
        missing = "depth" if assets.depth is None else "sky"
        raise ValueError(f"haze needs assets.{missing}: make it with degrade.scene and cut it to the clean side")
    return assets.depth, assets.sky


def _sized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a map or picture at (width, height): by area when smaller, linear when larger."""
    if values.shape[1::-1] == size:
        return values
    smaller = size[0] * size[1] < values.shape[0] * values.shape[1]
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def _passage(light: Linear, params: HazeParams, assets: Assets) -> _Passage:
    """Return the transmission at working size and the guided filter that brings it to full size."""
    inverse, sky = _priors(assets)
    long_side, short_side = max(light.shape[:2]), min(light.shape[:2])
    step = min(math.ceil(long_side / WORK_PX), max(short_side // 8, 1))
    small = strips.reduced(light, step)
    size = (small.shape[1], small.shape[0])
    cell = max(size[0] / inverse.shape[1], size[1] / inverse.shape[0], 1.0)  # working px per pixel of the prior
    layer = Layer(*params[:7], params.patch_seed)  # the params begin with the layer's own
    nearest, above = guided.steepened(_sized(inverse, size), max(round(1.5 * cell), 2)), _sized(sky, size)
    lit = lamps.at_night(small)
    if lit.any():
        nearest, above = np.maximum(nearest, np.float32(lamps.INVERSE) * lit), above * (1 - lit)
    coarse = coarse_transmission(nearest, above, layer, assets.horizon_frac, assets.height_rad)
    roots: Linear = cv2.sqrt(small)
    mix = guided.guide_mix(roots, coarse)
    guide: Map = cv2.transform(roots, mix.reshape(1, 3))
    slope, offset = guided.coefficients(guide, coarse, max(round(3 * cell), 4), EPS)
    return _Passage(step, coarse, mix, slope, offset, small)


def _full_size(passage: _Passage, shape: tuple[int, ...]) -> tuple[Map, Map]:
    """Return the guided filter's slope and offset at the photo's size: the one thing that is cheaper at once than in strips."""
    rows = slice(0, shape[0])
    return strips.enlarged(passage.slope, passage.step, rows, shape[1]), strips.enlarged(passage.offset, passage.step, rows, shape[1])


def _through(part: Linear, mix: NDArray[np.float64], slope: Map, offset: Map) -> Map:
    """Return the transmission of a strip: slope * guide + offset, in [0, 1]."""
    fine = guided.mixed(part, mix)
    fine *= slope
    fine += offset
    return np.asarray(np.clip(fine, 0, 1, out=fine))


def _veil(passage: _Passage, params: HazeParams, assets: Assets) -> _Veil:
    """Return the light of the air and the camera's answer to it, at a quarter of the working size.

    Air sends airlight, less the share of it that is replaced by light scattered forward on its way from the scene: that
    share is greatest at middle optical depth, and spreads wider the deeper the haze.
    """
    colours, passed = strips.reduced(passage.light, AIR_STEP), strips.reduced(passage.coarse, AIR_STEP)
    sky = _sized(_priors(assets)[1], (passed.shape[1], passed.shape[0]))
    air = airlight(colours, sky, assets.horizon_frac, params.air_level, params.air_tint, params.sun_warmth)
    lamp_gain = 1.0 + (params.lamp_gain - 1.0) * max(darkness(air), DAYLIGHT_LAMPS)
    everywhere = air.astype(np.float32)
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
    version=1,
    about="haze and fog by Koschmieder's law in linear light, with height, patches, glow and a camera that meters it",
    stage=Stage.SCENE,
    severity_name="visibility",
    unit="m",
    strata=(20000, 8000, 2500, 800, 220, 40),
    ranges=HazeRanges,
    params=HazeParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("depth", "sky"),
)
