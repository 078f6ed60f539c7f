"""Blur: light that arrives during one exposure from more than one direction.

    B = f(clip(mean over the shutter of L(t)) + noise),    L linear light

From clips, the frames of an exposure are averaged (Nah et al., CVPR 2017; REDS, 2019; RSBlur, Rim et al., ECCV 2022), each
swept along its own motion (`motion.exposure`); the clean side is the frame in the middle of the shutter. From stills, a hand
shakes the camera (`motion.shake`), a thing moves (`motion.objects`) or the focus is elsewhere (`motion.defocus`). Where we
depart: the length of the blur is drawn and the shutter follows; linear light, in which what was clipped holds its power
again (`motion.highlights`); the noise that averaging took away is put back; no isotropic Gaussian, which no lens has.

Severity is the blur length: of the straight, even streak with the same spread (root mean square) as the point spread function, in
px of a picture whose short side is 1024. For a disc that is 1.22 of its diameter; for clips, the path of the 90th percentile of the
optical flow while the shutter is open. RealBlur's read noise (2.9e-5) is a tenth of the first code above black: only its shot noise
is added.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from pydantic import field_validator

from degrade.air import shot
from degrade.arrays import strips
from degrade.contract import Assets, Facts, Generator, Interval, Linear, Map, Motion, Ranges, Stage, choice, interval, share
from degrade.keys import Weights
from degrade.motion import defocus, exposure, highlights, objects, shake, window
from degrade.stream import chance, log_uniform, new_seed, pick, uniform

SHORT_SIDE_PX = 1024  # of the picture in whose px lengths are given
SWAY_DEG = 24.0  # between the headings of things that move along the horizon
LEAST_FEATHER_PX = 0.3  # pixels are no sharper

Kind = Literal["shake", "thing", "defocus"]


class BlurRanges(Ranges):
    """What may vary in blur; its length follows from the stratum. Clips need only the lamps: their motion is their own."""

    stills: Weights[Kind] = choice(
        {"shake": 0.52, "thing": 0.14, "defocus": 0.34}, "what blurs a still, and how often; things move only where a network found segments"
    )
    lamp_gain: Interval = interval(2, 12, "display whites", "how bright a small clipped highlight really is", (1, 200))
    noise_gain: Interval = interval(4.5e-5, 1.35e-4, "1/display white", "shot noise variance per linear light, stills", (0, 0.01))
    exposure_ms: Interval = interval(20, 500, "ms", "of a shaken photo: short ones are straight, long ones loop", (1, 10000))
    tremor_hz: Interval = interval(8, 12, "Hz", "frequency of the hand's tremor", (2, 30))
    tremor: Interval = interval(0.02, 0.2, "of drift at 1 Hz", "amplitude of the tremor", (0, 2))
    roll: Interval = interval(0.2, 1.6, "factor", "rotation about the axis, of pan and tilt", (0, 10))
    forward: Interval = interval(0.0, 0.5, "factor", "zoom by moving forward, of pan and tilt in radians", (0, 10))
    level: float = share(0.75, "how often a thing moves nearly along the horizon")
    bend: Interval = interval(-0.15, 0.15, "factor", "height of a thing's way over its length", (-1, 1))
    feather_px: Interval = interval(0.8, 1.6, "px of 1024", "softness of a thing's outline", (0.3, 16))
    focus: Interval = interval(0.0, 1.0, "0..1", "share of the photo that lies nearer than the plane of focus", (0, 1))
    missed: float = share(0.2, "how often a photo is out of focus evenly")
    exact: float = share(0.4, "how often, otherwise, the plane of focus is quite sharp")
    miss: Interval = interval(0.1, 0.6, "0..1", "share of the defocus that is everywhere", (0, 1))
    blades: tuple[int, ...] = choice((0, 0, 5, 6, 7, 8, 9), "blades of apertures; 0 is a disc")
    roundness: Interval = interval(0.2, 0.9, "0..1", "of the blades", (0, 1))

    @field_validator("blades")
    @classmethod
    def _possible_apertures(cls, blades: tuple[int, ...]) -> tuple[int, ...]:
        if not blades or min(blades) < 0 or not {1, 2}.isdisjoint(blades):
            raise ValueError("give at least one aperture, each of 3 blades or more, or 0 for a disc")
        return blades


class BlurParams(NamedTuple):
    """What was drawn for one pair; units as in `BlurRanges`. One of `clip`, `shaken`, `moved` and `focused` is there."""

    length_px: float  # the severity
    lamp_gain: float
    noise_seed: int
    noise_gain: float | None  # None for clips: theirs is measured
    window: tuple[int, ...]  # first, centre, last frame; empty for a still
    speed_px: float | None  # mean px of 1024 from frame to frame while the shutter is open: with the length, how long it is
    shaken: shake.Shake | None
    moved: objects.Mover | None
    focused: defocus.Lens | None


def sample(rng: np.random.Generator, ranges: BlurRanges, facts: Facts, stratum: int) -> BlurParams:
    """Draw the blur of one pair.

    Raises:
        BadSample: a clip that has too few frames or moves too little.
    """
    low, high = GENERATOR.band(stratum)
    length_px = log_uniform(rng, low, high)
    lamp_gain, seed = log_uniform(rng, *ranges.lamp_gain), new_seed(rng)
    if facts.motion is not None:
        return _sample_clip(rng, facts, facts.motion, low, BlurParams(length_px, lamp_gain, seed, None, (), None, None, None, None))
    still = BlurParams(length_px, lamp_gain, seed, uniform(rng, *ranges.noise_gain), (), None, None, None, None)
    kind = _kind(rng, ranges.stills, things=facts.things)
    if kind == "shake":
        return still._replace(shaken=_sample_shake(rng, ranges))
    if kind == "thing":
        return still._replace(moved=_sample_mover(rng, ranges))
    return still._replace(focused=_sample_lens(rng, ranges))


def _kind(rng: np.random.Generator, weights: Weights[Kind], *, things: bool) -> Kind:
    """Draw what blurs a still; a superpixel is no thing, and moves only where the recipe allows nothing else."""
    possible: Weights[Kind] = weights if things else {kind: weight for kind, weight in weights.items() if kind != "thing"}
    return pick(possible if any(possible.values()) else weights, rng.random())


def _sample_mover(rng: np.random.Generator, ranges: BlurRanges) -> objects.Mover:
    heading_deg = uniform(rng, 0, 360)
    if chance(rng, ranges.level):
        heading_deg = heading_deg % SWAY_DEG - SWAY_DEG / 2 + 180 * (heading_deg > 180)
    return objects.Mover(rng.random(), heading_deg, uniform(rng, *ranges.bend), uniform(rng, *ranges.feather_px))


def _sample_clip(rng: np.random.Generator, facts: Facts, motion: Motion, low: float, drawn: BlurParams) -> BlurParams:
    px = min(facts.width, facts.height) / SHORT_SIDE_PX
    chosen = window.choose(rng, motion, low * px, drawn.length_px * px)
    length_px = max(chosen.length_px / px, low)
    return drawn._replace(length_px=length_px, window=chosen[:3], speed_px=length_px / chosen.shutter_frames)


def _sample_shake(rng: np.random.Generator, ranges: BlurRanges) -> shake.Shake:
    return shake.Shake(
        exposure_ms=log_uniform(rng, *ranges.exposure_ms),
        tremor_hz=uniform(rng, *ranges.tremor_hz),
        tremor=uniform(rng, *ranges.tremor),
        roll=uniform(rng, *ranges.roll),
        forward=uniform(rng, *ranges.forward),
        seed=new_seed(rng),
    )


def _sample_lens(rng: np.random.Generator, ranges: BlurRanges) -> defocus.Lens:
    miss = uniform(rng, *ranges.miss)
    if chance(rng, ranges.missed):
        miss = 1.0
    elif chance(rng, ranges.exact):
        miss = 0.0
    blades = ranges.blades[int(rng.random() * len(ranges.blades))]
    return defocus.Lens(uniform(rng, *ranges.focus), miss, blades, uniform(rng, *ranges.roundness), uniform(rng, 0, 360))


def render(light: Linear, params: BlurParams, assets: Assets) -> Linear:
    """Return the blurred photo.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: needs `depth` and `segments` for a still, `frames` for a clip.

    Raises:
        ValueError: what is needed is missing.
    """
    px = min(light.shape[:2]) / SHORT_SIDE_PX
    if params.window:
        return _of_clip(light, params, assets)
    depth = _priors(assets)
    bright = highlights.recovered(light, params.lamp_gain)
    length_px = params.length_px * px
    if params.shaken is not None:
        made = shake.render(bright, params.shaken, length_px, assets.height_rad)
    elif params.moved is not None and assets.segments is not None:
        way = params.moved._replace(feather_px=LEAST_FEATHER_PX + params.moved.feather_px * px)
        made = objects.render(bright, way, length_px, assets.segments, depth)
    elif params.focused is not None:
        made = defocus.render(bright, params.focused, length_px, depth)
    else:
        raise ValueError("blur params hold neither a clip nor anything that blurs a still")
    made = np.array(made) if made is light or made is bright else np.ascontiguousarray(made)
    words = shot.words(params.noise_seed, *light.shape[:2])
    for rows in strips.rows_of(made.shape):
        shot.add(made[rows], words[rows], params.noise_gain or 0.0)
    return made


def _of_clip(light: Linear, params: BlurParams, assets: Assets) -> Linear:
    first, centre, last = params.window
    if len(assets.frames) != last - first + 1:
        raise ValueError(f"blur needs assets.frames: frames {first} to {last} of the clip, cut like the clean side; there are {len(assets.frames)}")
    shutter = params.length_px / (params.speed_px or params.length_px)
    return exposure.render(light, assets.frames, centre - first, shutter, params.lamp_gain, params.noise_seed)


def _priors(assets: Assets) -> Map:
    if assets.depth is None or assets.segments is None:
        missing = "depth" if assets.depth is None else "segments"
        raise ValueError(f"blur needs assets.{missing}: make it with degrade.scene and cut it to the clean side")
    return assets.depth


def severity(params: BlurParams) -> float:
    """Return the blur length in px of a picture whose short side is 1024."""
    return params.length_px


GENERATOR: Generator[BlurRanges, BlurParams] = Generator(
    name="blur",
    version=3,
    about="clips averaged over a drawn shutter; shaken cameras, moving things and missed focus for stills; in linear light",
    stage=Stage.LENS,
    severity_name="blur length",
    unit="px of 1024",
    strata=(1.5, 3.0, 6.0, 12.0, 24.0, 48.0),
    ranges=BlurRanges,
    params=BlurParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("depth", "segments"),
)
