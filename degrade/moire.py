"""Moire: a camera photographs a display, and the two lattices beat.

    aliases at |k f_display - n f_array|

with f_display the frequency of the display's sub-pixels on the sensor and f_array that of one colour of the filter array.
Most pairs are such a photograph, simulated (`screen.retake`): sub-pixel lattice, perspective, lens, photosites behind a
Bayer or quad-Bayer array, noise, development (the chain of Yuan et al., arXiv 1804.03809). We depart from it in two
places: the lattice is not drawn and resampled but evaluated, low-passed by lens and photosite, at the phase that each
site looks at, so that any pitch is exact; and the picture stays on the clean side's grid. The other pairs are patterns on
a picture (`screen.blend`): from a bank where there is one, else procedural.

Severity is contrast: the RMS modulation of light that the pattern gives to a grey, in per cent.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from pydantic import PrivateAttr

from degrade.contract import Assets, Facts, Generator, Interval, Linear, Ranges, Srgb, Stage, choice, interval, share
from degrade.keys import Weights
from degrade.raw import bayer
from degrade.screen import blend, geometry, gratings, optics, retake
from degrade.screen.geometry import View
from degrade.stream import chance, log_uniform, new_seed, pick, uniform

Layout = Literal["stripe", "bgr", "pentile", "diamond", "rgbw"]
Zoom = Literal[1, 2, 3]

BAYER = {"stripe": (1.0, 2.0, 4.0), "bgr": (1.0, 2.0, 4.0), "rgbw": (1.0, 2.0, 4.0), "pentile": (1.0, 2.0), "diamond": (1.0, 2.0)}
QUAD = {"stripe": (1.0, 4 / 3, 4.0), "bgr": (1.0, 4 / 3, 4.0), "rgbw": (1.0, 4 / 3, 4.0), "pentile": (1.0, 4 / 3, 2.0), "diamond": (1.0, 4 / 3, 2.0)}
COARSEST = 2.0  # px of the finished photo that a display pixel may cover
COARSEST_MILD = 1.1  # the same where the pattern is mild: nor is detail lost
MILD = 0.1
FAINT = 0.03  # contrast up to which the camera is the finest there is: what it costs in sharpness would outweigh the pattern
FARTHEST = 0.2  # a pitch strays at most this far from its resonance


class _Display(NamedTuple):
    """A kind of display before a camera, near a pitch at which its bands are as wide as the picture."""

    layout: Layout
    resonance: float
    camera: optics.Camera
    weight: float
    reach: optics.Reach


class MoireRanges(Ranges):
    """What may vary; the contrast follows from the stratum."""

    photographed: float = share(0.75, "how often a display is photographed; patterns are blended on the rest")
    layouts: Weights[Layout] = choice(
        {"stripe": 0.45, "bgr": 0.1, "pentile": 0.15, "diamond": 0.2, "rgbw": 0.1}, "arrangements of sub-pixels, and how often"
    )
    fill: Interval = interval(0.5, 0.9, "0..1", "share of the panel that shines", (0.3, 0.95))
    zooms: Weights[Zoom] = choice({1: 0.3, 2: 0.45, 3: 0.25}, "camera pixels per pixel of the photo, and how often")
    bands: Interval = interval(1, 30, "per short side", "how far the pitch lies from resonance", (0.1, 500))
    slant: Interval = interval(0.5, 20, "bands per short side", "how far the display is rolled", (0.01, 500))
    tilt_deg: Interval = interval(0, 25, "degrees", "between display and sensor; small ones are likelier, and none hides a corner", (0, 60))
    field_deg: Interval = interval(15, 45, "degrees", "field of view across the short side", (1, 80))
    k1: Interval = interval(-0.03, 0.05, "1/half diagonal^2", "radial distortion", (-0.2, 0.2))
    soft_px: Interval = interval(0.3, 0.8, "camera px", "blur of lens and anti-alias filter, one sigma", (0.1, 3))
    quad: float = share(0.3, "how often the array is a quad-Bayer one")
    denoise: Interval = interval(0.2, 0.7, "0..1", "share of fine colour that the camera smooths away", (0, 1))
    sharpening: Interval = interval(0.1, 0.7, "factor", "the camera's unsharp mask", (0, 3))
    patterns: Weights[Literal[1, 2, 3]] = choice({1: 0.4, 2: 0.35, 3: 0.25}, "patterns on one picture, and how often")
    bank: float = share(0.7, "how often a pattern is taken from the bank where there is one")
    span_frac: Interval = interval(0.8, 2.0, "short sides", "size of a photo of moire", (0.1, 10))
    grating_bands: Interval = interval(4, 120, "per short side", "bands of a procedural pattern", (1, 1000))
    bend: Interval = interval(-0.8, 0.8, "1/short side", "curvature of its bands", (-3, 3))
    swirl: Interval = interval(0.2, 2.0, "cycles", "how far its bands wander", (0, 20))
    lag: Interval = interval(0.05, 0.33, "cycles", "from colour to colour; a third gives rainbows, none grey bands", (0, 0.5))
    multiplied: Interval = interval(0.65, 0.75, "0..1", "share of a pattern that multiplies; the rest acts on spread light", (0, 1))
    noise_gain: Interval = interval(2e-5, 3e-4, "1/display white", "shot noise variance per linear light", (0, 0.01))
    _displays: dict[optics.Camera, tuple[_Display, ...]] = PrivateAttr(default_factory=dict)

    def displays(self, camera: optics.Camera) -> tuple[_Display, ...]:
        """Return the displays at the pitches at which bands appear to a camera, worked out once for all draws."""
        known = self._displays.get(camera)
        if known is None:
            pitches = QUAD if camera.quad else BAYER
            weighed = [(name, weight) for name, weight in self.layouts.items() if weight]
            known = tuple(_Display(name, pitch, camera, weight, optics.reach(name, pitch, camera)) for name, weight in weighed for pitch in pitches[name])
            self._displays[camera] = known
        return known


class MoireParams(NamedTuple):
    """What was drawn for one pair: a display, or patterns."""

    contrast_pct: float
    screen: retake.Screen | None
    gratings: tuple[gratings.Grating, ...]
    textures: tuple[blend.Placement, ...]
    multiplied: float | None
    noise_gain: float
    noise_seed: int


def sample(rng: np.random.Generator, ranges: MoireRanges, facts: Facts, stratum: int) -> MoireParams:
    """Draw a pattern whose contrast lies in the stratum, log-uniform."""
    contrast_pct = log_uniform(rng, *GENERATOR.band(stratum))
    noise_gain, noise_seed = uniform(rng, *ranges.noise_gain), new_seed(rng)
    if chance(rng, ranges.photographed):
        return MoireParams(contrast_pct, _sample_screen(rng, ranges, facts, contrast_pct / 100), (), (), None, noise_gain, noise_seed)
    count = pick(ranges.patterns, rng.random())
    from_bank = min(sum(chance(rng, ranges.bank) for _ in range(count)), facts.textures)
    woven = tuple(_sample_grating(rng, ranges) for _ in range(count - from_bank))
    laid = tuple(_sample_placement(rng, ranges) for _ in range(from_bank))
    return MoireParams(contrast_pct, None, woven, laid, uniform(rng, *ranges.multiplied), noise_gain, noise_seed)


def _at(bounds: Interval, position: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * position


def _signed(bounds: Interval, position: float) -> float:
    """Return a number between two bounds, as likely in every octave, and of either sign."""
    size = bounds[0] * math.pow(bounds[1] / bounds[0], abs(2 * position - 1))
    return math.copysign(size, position - 0.5)


def _sample_screen(rng: np.random.Generator, ranges: MoireRanges, facts: Facts, contrast: float) -> retake.Screen:
    draws = rng.random(16).tolist()
    zoom = pick(ranges.zooms if contrast > MILD else _finer(ranges.zooms, contrast), draws[0])
    displays = _showing(ranges, optics.Camera(zoom, draws[1] < ranges.quad), contrast)
    display = displays[pick({at: display.weight for at, display in enumerate(displays)}, draws[2])]
    layout, resonance, camera = display.layout, display.resonance, display.camera
    sites = camera.zoom * min(facts.width, facts.height)
    off = _signed(ranges.bands, draws[3]) * resonance / sites
    roll = _signed(ranges.slant, draws[4]) * resonance / sites
    field_deg, k1 = _at(ranges.field_deg, draws[7]), _at(ranges.k1, draws[8])
    steepest_deg = geometry.steepest_deg(field_deg, k1, (camera.zoom * facts.width, camera.zoom * facts.height))
    view = View(
        pitch_px=resonance / (1 + min(max(off, -FARTHEST), FARTHEST)),
        roll_deg=math.degrees(math.asin(min(max(roll, -0.5), 0.5))),
        tilt_deg=min(_at(ranges.tilt_deg, draws[5] ** 2), steepest_deg),
        axis_deg=180 * draws[6],
        field_deg=field_deg,
        k1=k1,
        x_phase=draws[9],
        y_phase=draws[10],
    )
    sharpest, softest = ranges.soft_px
    softest = min(softest, max(display.reach.softest_px(contrast), sharpest))
    return retake.Screen(
        layout=layout,
        fill=_at(ranges.fill, draws[11]),
        view=view,
        soft_px=_at((sharpest, softest), draws[12]),
        zoom=camera.zoom,
        site=int(draws[13] * bayer.PHASES),
        quad=camera.quad,
        denoise=_at(ranges.denoise, draws[14]),
        sharpening=_at(ranges.sharpening, draws[15]),
    )


def _finer(zooms: Weights[Zoom], contrast: float) -> Weights[Zoom]:
    """Return the camera's finer resolutions, with their weights: demosaicing takes more detail than a mild pattern does.

    It takes more than a faint one even where the camera has two pixels for one of the photo.
    """
    possible = [zoom for zoom, weight in zooms.items() if weight]
    least = max(possible) if contrast <= FAINT else 2
    finer: Weights[Zoom] = {zoom: zooms[zoom] for zoom in possible if zoom >= least}
    return finer or zooms


def _showing(ranges: MoireRanges, camera: optics.Camera, contrast: float) -> list[_Display]:
    """Return the displays that can show a contrast to a camera.

    A quad-Bayer camera that none of them suits gives way to a Bayer one, and that to the display that comes closest.
    """
    coarsest = (COARSEST if contrast > MILD else COARSEST_MILD) * camera.zoom
    fine = [display for display in ranges.displays(camera) if display.resonance <= coarsest]
    wanted, blur = math.log(contrast), ranges.soft_px[0] ** 2
    shows = [display for display in fine if display.reach.log_peak - display.reach.fall * blur > wanted]
    if shows:
        return shows
    if camera.quad:
        return _showing(ranges, camera._replace(quad=False), contrast)
    return [max(fine, key=lambda display: display.reach.softest_px(contrast))]


def _sample_grating(rng: np.random.Generator, ranges: MoireRanges) -> gratings.Grating:
    draws = rng.random(10).tolist()
    low, high = ranges.grating_bands
    return gratings.Grating(
        bands=low * math.pow(high / low, draws[0]),
        angle_deg=180 * draws[1],
        ratio=_at((0.3, 1.3), draws[2]),
        cross_deg=_at((10, 90), draws[3]),
        bend=_at(ranges.bend, draws[4]),
        swirl=_at(ranges.swirl, draws[5]),
        lag=_at(ranges.lag, draws[6]),
        second=_at((0, 0.8), draws[7]),
        beat=_at((0, 0.8), draws[8]),
        weight=_at((0.4, 1), draws[9]),
        seed=new_seed(rng),
    )


def _sample_placement(rng: np.random.Generator, ranges: MoireRanges) -> blend.Placement:
    draws = rng.random(6).tolist()
    low, high = ranges.span_frac
    span = low * math.pow(high / low, draws[0])
    return blend.Placement(span, draws[1], draws[2], 360 * draws[3], draws[4] < 0.5, _at((0.4, 1), draws[5]))


def render(linear: Linear, params: MoireParams, assets: Assets) -> Srgb:
    """Return the photo with moire.

    Args:
        linear: HxWx3 linear light, at least 64x64; what exceeds display white is clipped.
        params: from `sample`.
        assets: `textures["moire"]` where the params place some.

    Raises:
        ValueError: fewer textures than the params place.
    """
    contrast = params.contrast_pct / 100
    if params.screen is not None:
        return retake.photograph(linear, params.screen, contrast, params.noise_gain, params.noise_seed)
    bank = assets.textures.get("moire", ())
    if len(bank) < len(params.textures):
        raise ValueError(f"moire places {len(params.textures)} textures, assets.textures['moire'] holds {len(bank)}")
    if params.multiplied is None:
        raise ValueError("moire params hold neither a screen nor a blend")
    laid = list(zip(bank, params.textures, strict=False))
    return blend.blended(linear, params.gratings, laid, blend.Light(contrast, params.multiplied, params.noise_gain, params.noise_seed))


def severity(params: MoireParams) -> float:
    """Return the contrast in per cent."""
    return params.contrast_pct


GENERATOR: Generator[MoireRanges, MoireParams] = Generator(
    name="moire",
    version=3,
    about="a display photographed: sub-pixel lattice against colour filter array, in linear light; or patterns blended",
    stage=Stage.SENSOR,
    severity_name="contrast",
    unit="%",
    strata=(1.0, 3.0, 7.0, 14.0, 25.0, 45.0),
    ranges=MoireRanges,
    params=MoireParams,
    sample=sample,
    render=render,
    severity=severity,
)
