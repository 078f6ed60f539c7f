"""Rain: streaks of the near drops, a curtain of the farther, a veil of the rest, splashes on the ground and drops on the lens.

    O = (1 - a) (t J + (1 - t) A) + a E,    t = exp(-beta L),    beta = 0.312 R^0.67 per km

in linear light: a is the share of the exposure for which drops cover a pixel, E the light that drops refract towards us (Garg and
Nayar, IJCV 2007), A that of the air, L the metres of rain behind the nearest (Halder et al., ICCV 2019, for beta). Where we
depart from the usual recipe (white lines of a drawn length and width, added in sRGB): nothing about a streak is drawn. Drops have
Marshall and Palmer's sizes, fall at their terminal velocity through the camera's own frustum, and the shutter, the aperture
and the focus make them long, wide and faint; they are hidden by what is nearer. The ground is
not wetted: to dry it again is no restoration. Photos without distance are refused: all the drops within 3 m of a lens cover 1 % of
the picture in a cloudburst, and rain indoors is a mistake.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from degrade.air.optical_depth import KOSCHMIEDER, Layer, check_planes
from degrade.arrays import strips
from degrade.contract import STRATA, Assets, Facts, Generator, Interval, Linear, Map, Ranges, Stage, Texture, interval, share
from degrade.drops import curtain, flight, ground, lens, population, sheets, splashes, splat
from degrade.drops import glow as lights
from degrade.drops.sight import CLOUD_M, Sight, sight
from degrade.errors import BadSample, Reason
from degrade.stream import chance, log_uniform, new_seed, uniform


class RainRanges(Ranges):
    """What may vary in rain; the rate of rain itself follows from the stratum."""

    near_m: Interval = interval(3, 15, "m", "distance of the nearest thing in the photo", (0.2, 1000))
    far_m: Interval = interval(50, 200, "m", "distance of the farthest thing that is not sky", (10, 50000))
    far_cut: Interval = interval(0, 0.04, "0..1", "inverse depth below which everything lies at the far plane", (0, 0.9))
    gusts: Interval = interval(0, 0.15, "log density, one sigma", "unevenness of the rain from place to place", (0, 1.5))
    gust_m: Interval = interval(60, 300, "m", "size of denser and thinner places", (1, 1000))
    air_level: Interval = interval(0.8, 1.05, "relative", "brightness of the airlight against what the scene suggests", (0.1, 3))
    air_tint: Interval = interval(0.2, 0.7, "0..1", "share of the sky's own colour that the airlight keeps", (0, 1))
    exposure_ms: Interval = interval(3, 20, "ms", "exposure time", (0.05, 1000))
    aperture_mm: Interval = interval(1.0, 6, "mm", "diameter of the entrance pupil: 2 for a phone, 6 for 50 mm at f/8", (0.1, 100))
    focus_m: Interval = interval(2, 40, "m", "distance of focus", (0.1, 10000))
    wind_m_s: Interval = interval(-4, 4, "m/s", "wind to the right", (-30, 30))
    along_m_s: Interval = interval(-2, 2, "m/s", "wind towards the camera", (-30, 30))
    turbulence: Interval = interval(0.01, 0.07, "of its fall", "sideways speed of each drop's own, one sigma", (0, 1))
    brightness: Interval = interval(1.0, 2.4, "relative", "light of a drop against what the photo shows around it: it sees the sky above too", (0, 5))
    lamp_gain: Interval = interval(5, 40, "display whites", "how bright a clipped lamp really is at night", (1, 200))
    splashing: Interval = interval(0.1, 1, "0..1", "share of the drops that throw up a crown: few on grass, many on wet stone", (0.001, 1))
    on_lens: float = share(0.5, "share of pairs with drops on the lens or on a window before it at the strongest stratum; less below, none in drizzle")
    lens_cover: Interval = interval(0.01, 0.14, "0..1", "share of the picture that they cover at the strongest stratum; less below", (0, 1))
    lens_drop_frac: Interval = interval(0.012, 0.04, "short sides", "radius of a typical drop on the lens", (0.007, 0.08))
    lens_spread: Interval = interval(0.2, 0.5, "log, one sigma", "how their radii differ", (0, 1))
    lens_blur_frac: Interval = interval(0.0015, 0.01, "short sides", "blur of their outlines: a window's drops are sharper than the lens's", (0, 0.1))
    lens_view: Interval = interval(0.6, 1.4, "relative", "how much of the scene a drop shows", (0.1, 3))
    from_bank: float = share(0.5, "share of pairs with images of real rain, where the recipe gives a bank of them")
    bank_gain: Interval = interval(0.1, 0.5, "0..1", "cover of an image's brightest streaks at the strongest stratum; less below", (0, 1))

    @model_validator(mode="after")
    def _near_before_far(self) -> RainRanges:
        check_planes(self.near_m, self.far_m)
        return self


class RainParams(NamedTuple):
    """What was drawn for one pair; units as in `RainRanges`."""

    rain_mm_h: float
    near_m: float
    far_m: float
    far_cut: float
    gusts: float
    gust_m: float
    gust_seed: int
    air_level: float
    air_tint: float
    shutter: flight.Shutter
    brightness: float
    lamp_gain: float
    drops_seed: int
    splashing: float
    lens: lens.LensDrops | None
    textures: tuple[sheets.Sheet, ...]  # an entry for each image of the bank that is used


class _Shower(NamedTuple):
    seen: Sight
    glow: lights.Glow
    cover: Map  # by drops, HxW


def sample(rng: np.random.Generator, ranges: RainRanges, facts: Facts, stratum: int) -> RainParams:
    """Draw the rain of one pair.

    Raises:
        BadSample: the photo shows no distance.
    """
    if not facts.far:
        raise BadSample(Reason.NO_FAR_PLANE, "rain needs distance: portrait, macro, indoors or no open sky")
    return RainParams(
        rain_mm_h=log_uniform(rng, *GENERATOR.band(stratum)),
        near_m=log_uniform(rng, *ranges.near_m),
        far_m=log_uniform(rng, *ranges.far_m),
        far_cut=uniform(rng, *ranges.far_cut),
        gusts=uniform(rng, *ranges.gusts),
        gust_m=log_uniform(rng, *ranges.gust_m),
        gust_seed=new_seed(rng),
        air_level=uniform(rng, *ranges.air_level),
        air_tint=uniform(rng, *ranges.air_tint),
        shutter=_sample_shutter(rng, ranges),
        brightness=uniform(rng, *ranges.brightness),
        lamp_gain=log_uniform(rng, *ranges.lamp_gain),
        drops_seed=new_seed(rng),
        splashing=log_uniform(rng, *ranges.splashing),
        lens=_sample_lens(rng, ranges, stratum) if chance(rng, ranges.on_lens * (stratum - 1) / (STRATA - 1)) else None,
        textures=_sample_sheets(rng, ranges, facts.textures, stratum),
    )


def _sample_shutter(rng: np.random.Generator, ranges: RainRanges) -> flight.Shutter:
    return flight.Shutter(
        exposure_ms=min(log_uniform(rng, *ranges.exposure_ms), log_uniform(rng, *ranges.exposure_ms)),  # who shows rain keeps it short
        aperture_mm=log_uniform(rng, *ranges.aperture_mm),
        focus_m=log_uniform(rng, *ranges.focus_m),
        wind_m_s=uniform(rng, *ranges.wind_m_s),
        along_m_s=uniform(rng, *ranges.along_m_s),
        turbulence=uniform(rng, *ranges.turbulence),
    )


def _sample_lens(rng: np.random.Generator, ranges: RainRanges, stratum: int) -> lens.LensDrops:
    return lens.LensDrops(
        cover=uniform(rng, *ranges.lens_cover) * (stratum / STRATA) ** 3,
        radius_frac=log_uniform(rng, *ranges.lens_drop_frac),
        spread=uniform(rng, *ranges.lens_spread),
        blur_frac=uniform(rng, *ranges.lens_blur_frac),
        view=uniform(rng, *ranges.lens_view),
        seed=new_seed(rng),
    )


def _sample_sheets(rng: np.random.Generator, ranges: RainRanges, available: int, stratum: int) -> tuple[sheets.Sheet, ...]:
    """Draw where images of rain lie: none, one, or two of those that are there."""
    if not (available and chance(rng, ranges.from_bank)):
        return ()
    return tuple(
        sheets.Sheet(
            x_frac=uniform(rng, 0.0, 1.0),
            y_frac=uniform(rng, 0.0, 1.0),
            scale=uniform(rng, 0.5, 1.5),
            mirrored=chance(rng, 0.5),
            gain=uniform(rng, *ranges.bank_gain) * stratum / STRATA,
        )
        for _ in range(min(available, 1 + chance(rng, 0.5)))
    )


def render(light: Linear, params: RainParams, assets: Assets) -> Linear:
    """Return the photo in the rain.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: needs `depth` and `sky`, and a texture for each image of rain.

    Raises:
        ValueError: a prior or a texture is missing.
    """
    shower = _shower(light, params, assets)
    on_glass = None if params.lens is None else lens.wet(shower.seen.light, params.lens, *light.shape[:2])
    rainy = strips.enlarged(shower.glow.air, shower.glow.step, slice(0, light.shape[0]), light.shape[1])
    for rows in strips.rows_of(light.shape, shower.glow.step):
        part, veiled = light[rows], rainy[rows]
        passed = _three(shower.seen.veil.through(part, rows))
        cv2.accumulateProduct(cv2.subtract(part, veiled), passed, veiled)
        drops = strips.enlarged(shower.glow.drops, shower.glow.step, rows, light.shape[1])
        cv2.accumulateProduct(cv2.subtract(drops, veiled), _three(shower.cover[rows]), veiled)
        if on_glass is not None:
            veiled *= _three(1 - strips.enlarged(on_glass.opacity, on_glass.step, rows, light.shape[1]))
            veiled += strips.enlarged(on_glass.light, on_glass.step, rows, light.shape[1])
    return np.ascontiguousarray(rainy)


def layers(light: Linear, params: RainParams, assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return the side products of `render`: the light of the drops in the air, and the share of the scene's that arrives.

    The veil's own light is neither, and drops on the lens come after both.
    """
    shower = _shower(light, params, assets)
    rows = slice(0, light.shape[0])
    drops = strips.enlarged(shower.glow.drops, shower.glow.step, rows, light.shape[1])
    passed = shower.seen.veil.through(light, rows) * (1 - shower.cover)
    return {"rain": cv2.multiply(drops, _three(shower.cover)), "transmission": passed}


def _shower(light: Linear, params: RainParams, assets: Assets) -> _Shower:
    """Return what fills the air, each at the size that it needs."""
    rate, (height, width) = params.rain_mm_h, light.shape[:2]
    camera = flight.view(height, width, assets.horizon_frac, assets.height_rad)
    kappa = population.reach_m_per_mm(rate, camera.steradian, _marked_px(params, camera))
    begin_m = population.near_m(rate, kappa)
    visibility_m = KOSCHMIEDER / population.extinction_per_m(rate)
    layer = Layer(visibility_m, params.near_m, params.far_m, params.far_cut, CLOUD_M, params.gusts, params.gust_m, params.gust_seed)
    seen = sight(light, layer, curtain.DEPTH * begin_m, assets)
    glow = lights.glow(seen, assets.horizon_frac, params.air_level, params.air_tint, params.brightness, params.lamp_gain)
    marks = _marks(params, camera, kappa, seen, assets.horizon_frac)
    cover = splat.cover(marks, seen.distance_m, height, width)
    behind = curtain.cover(curtain.texture(rate, kappa, begin_m, params.shutter, camera), params.drops_seed + 2, height, width)
    filled = np.clip((seen.distance_m / np.float32(begin_m) - 1) / np.float32(curtain.DEPTH - 1), 0, 1)
    cv2.accumulateProduct(behind, strips.enlarged(filled, seen.step, slice(0, height), width), cover)
    if params.textures:
        slant_deg = flight.fall_deg(population.typical_mm(rate), params.shutter)
        laid = sheets.cover(_bank(params, assets), params.textures, slant_deg, height, width)
        cv2.accumulateProduct(laid, strips.enlarged(sheets.before(seen.distance_m, begin_m), seen.step, slice(0, height), width), cover)
    return _Shower(seen, glow, cv2.min(cover, 1.0, dst=cover))


def _marked_px(params: RainParams, camera: flight.View) -> float:
    """Return how far a typical drop a metre away falls in the exposure, in px of a picture of usual size."""
    usual = min(1.0, curtain.GRID_PX / max(camera.height, camera.width))
    metres = population.fall_of(population.typical_mm(params.rain_mm_h)) * params.shutter.exposure_ms * 1e-3
    return metres * camera.focal_px * usual


def _marks(params: RainParams, camera: flight.View, kappa: float, seen: Sight, horizon_frac: float) -> flight.Streaks:
    """Return the streaks of the near drops, and the jets of the splashes."""
    drops = population.drops(params.drops_seed, params.rain_mm_h, camera.steradian, kappa)
    falling = flight.streaks(drops, params.shutter, camera, params.drops_seed + 1)
    facing = splashes.upward(seen.inverse, seen.sky, horizon_frac)
    wet = facing * ground.alike(seen.light, facing)
    thrown = splashes.splashes(wet, seen.distance_m, params.rain_mm_h, params.splashing, params.shutter, camera, params.drops_seed + 3)
    return flight.Streaks(*(np.concatenate(pair) for pair in zip(falling, thrown, strict=True)))


def _bank(params: RainParams, assets: Assets) -> tuple[Texture, ...]:
    found = assets.textures.get("rain", ())
    if len(found) < len(params.textures):
        raise ValueError(f"rain needs assets.textures['rain']: {len(params.textures)} images of rain, {len(found)} are there")
    return found


def _three(values: Map) -> NDArray[np.float32]:
    return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)


def severity(params: RainParams) -> float:
    """Return the rate of rain in mm/h."""
    return params.rain_mm_h


GENERATOR = Generator(
    name="rain",
    version=5,
    about="rain by drop sizes, fall and shutter: streaks, curtain, veil, splashes and drops on the lens, hidden by what is nearer",
    stage=Stage.SCENE,
    severity_name="rate of rain",
    unit="mm/h",
    strata=(1, 3, 10, 30, 80, 200),
    ranges=RainRanges,
    params=RainParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("depth", "sky"),
    layers=layers,
)
