"""Flare: strong lights scatter, diffract and reflect in the lens, and add themselves to the picture.

    I = g (S + F),    F >= 0, in linear light

with S the photo and F what the lens adds: veiling glare, a starburst (the power spectrum of a dirty iris), ghosts of that iris on
the line through the optical centre, streaks and rings. Wu et al. (ICCV 2021) and Flare7K++ (Dai et al., 2023) paste photographed or
drawn flares at random places. We depart from them: flare sits on the photo's own lights, in their colour and power, is grown from
physics without a bank (images of one plug in), the camera meters again, and a light outside the frame sends in veil, spikes and ghosts
but never a lamp in mid-air. The clean side keeps its lamps.

Severity is the share of the photo that F drowns, in per cent: the mean of F in units of the photo's mean light, counting up to 1 at
any point, because what falls onto a clipped lamp is not seen.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.air import shot
from degrade.arrays import strips
from degrade.contract import Assets, Facts, Generator, Interval, Light, Linear, Ranges, Stage, Texture, interval, share
from degrade.errors import BadSample, Reason
from degrade.lens import added
from degrade.lens.aperture import Aperture
from degrade.lens.ghosts import Ghost, Mirror
from degrade.lens.pasted import Pasted
from degrade.lens.streak import Streak
from degrade.lens.veil import Halo, Veil
from degrade.scene.lights import flux
from degrade.stream import chance, log_uniform, new_seed, uniform

MOST_LIGHTS = 4
FAINTEST = 0.02  # lights with less than this share of the strongest one's flux are left out
NIGHT = 0.08  # mean luminance below which a light outside the frame is a lamp, and may have a lamp's colour


class FlareRanges(Ranges):
    """What may vary in flare; the added light itself follows from the stratum."""

    outside: float = share(0.5, "how often a photo without lights gets one beyond its edge; the others are refused")
    distance: Interval = interval(0.04, 0.35, "sides", "how far beyond the edge that light stands", (0.01, 1))
    off_centre: Interval = interval(-0.12, 0.12, "sides", "optical centre off the middle of the clean side", (-1, 1))
    blades: Interval = interval(5, 9, "blades", "of the iris", (3, 18))
    roundness: Interval = interval(0, 0.9, "0..1", "of the iris: 0 straight blades, 1 a circle", (0, 1))
    dust: Interval = interval(0.05, 0.7, "0..1", "specks and hairs on the front glass", (0, 1))
    grease: Interval = interval(0.05, 0.8, "radians", "phase of a smeared front glass, one sigma", (0, 3))
    wiped: float = share(0.35, "how often a cloth left strokes on the glass")
    strokes: Interval = interval(0.2, 0.7, "radians", "phase of wiping strokes, one sigma", (0, 3))
    burst: float = share(0.85, "how often a starburst shows")
    burst_weight: Interval = interval(0.3, 4, "relative", "light in the starburst", (0.001, 1000))
    reach_frac: Interval = interval(0.3, 0.9, "short sides", "radius within which the starburst has faded", (0.05, 2))
    veil_weight: Interval = interval(0.25, 0.8, "relative", "light in the veil", (0.01, 10))
    veil_fall: Interval = interval(1.5, 3, "power", "how fast the veil falls with distance", (0.5, 4))
    veil_core_frac: Interval = interval(0.03, 0.15, "short sides", "radius within which the veil is even", (0.015, 1))
    scene: Interval = interval(0.05, 0.3, "0..1", "share of the veil from the scene's own highlights", (0, 1))
    streaked: float = share(0.1, "how often an anamorphic streak shows")
    streak_weight: Interval = interval(0.05, 0.4, "relative", "light in the streak", (0, 100))
    ghosted: float = share(0.7, "how often ghosts show")
    ghosts: Interval = interval(2, 9, "ghosts", "how many", (1, 30))
    ghost_weight: Interval = interval(0.04, 0.6, "relative", "light in all ghosts", (0, 100))
    ghost_radius_frac: Interval = interval(0.012, 0.14, "short sides", "of a ghost", (0.002, 1))
    mirrored: float = share(0.3, "how often the light's own sharp image shows, rotated by half a turn")
    mirror_weight: Interval = interval(0.004, 0.03, "relative", "light in that image", (0, 100))
    ringed: float = share(0.15, "how often a ring shows")
    ring_weight: Interval = interval(0.02, 0.12, "relative", "light in the ring", (0, 100))
    from_bank: float = share(0.5, "how often an image of the bank stands for the starburst, where there is a bank")
    bank_scale: Interval = interval(0.9, 1.2, "short sides", "long side of that image", (0.1, 4))
    metering: Interval = interval(0.0, 0.6, "0..1", "how far the camera's meter undoes the flare's brightness", (0, 1))
    noise_gain: Interval = interval(2e-5, 3e-4, "1/display white", "shot noise variance of the added light", (0, 0.01))


class FlareParams(NamedTuple):
    """What was drawn for one pair; units as in `FlareRanges`."""

    glare: float  # share of the photo that the added light drowns, per cent
    sources: tuple[added.Source, ...]  # strongest first
    lens: added.Lens
    textures: tuple[Pasted, ...]  # one for each image of the bank
    exposure_ev: float
    noise_gain: float
    noise_seed: int


def sample(rng: np.random.Generator, ranges: FlareRanges, facts: Facts, stratum: int) -> FlareParams:
    """Draw the flare of one pair.

    Raises:
        BadSample: the photo shows no light, and none was drawn outside its frame.
    """
    low, high = GENERATOR.band(stratum)
    glare = log_uniform(rng, low, high)
    sources = _of_photo(facts.lights) or _beyond_the_edge(rng, ranges, facts)
    pasted = _pasted(rng, ranges) if facts.textures > 0 and chance(rng, ranges.from_bank) else ()
    return FlareParams(
        glare=glare,
        sources=sources,
        lens=_lens(rng, ranges, diffracts=not pasted, seen=any(source.seen for source in sources)),
        textures=pasted,
        exposure_ev=-uniform(rng, *ranges.metering) * math.log2(1.0 + glare / 100.0),
        noise_gain=uniform(rng, *ranges.noise_gain),
        noise_seed=new_seed(rng),
    )


def render(light: Linear, params: FlareParams, assets: Assets) -> Linear:
    """Return the photo with flare.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: `textures["flare"]` where the params name any.

    Raises:
        ValueError: images of the bank are missing.
    """
    made = _added(light, params, assets)
    exposure = 2.0**params.exposure_ev
    flared = added.whole(made, light.shape)
    grain = shot.words(params.noise_seed, *light.shape[:2])
    for rows in strips.rows_of(light.shape):
        shot.add(flared[rows], grain[rows], params.noise_gain)
        lit = added.lifted(light[rows], exposure)
        cv2.addWeighted(lit, exposure, flared[rows], exposure, 0.0, dst=flared[rows])
    return flared


def layers(light: Linear, params: FlareParams, assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return the added light, HxWx3, before the camera metered again and without its noise."""
    return {"flare": added.whole(_added(light, params, assets), light.shape)}


def severity(params: FlareParams) -> float:
    """Return the share of the photo that the added light drowns, in per cent."""
    return params.glare


def _added(light: Linear, params: FlareParams, assets: Assets) -> added.Added:
    images = assets.textures.get("flare", ())
    if len(images) < len(params.textures):
        raise ValueError(f"flare needs {len(params.textures)} images in assets.textures['flare'], {len(images)} are there: pick them from its bank")
    pairs: tuple[tuple[Texture, Pasted], ...] = tuple(zip(images, params.textures, strict=False))
    return added.added(light, params.sources, params.lens, params.glare / 100.0, pairs)


def _of_photo(lights: tuple[Light, ...]) -> tuple[added.Source, ...]:
    """Return the strongest lights of a photo."""
    if not lights:
        return ()
    strongest = max(*map(flux, lights), 1e-12)
    shares = [(light, flux(light) / strongest) for light in lights]
    return tuple(added.Source(*light[:4], share_) for light, share_ in shares if share_ >= FAINTEST)[:MOST_LIGHTS]


def _beyond_the_edge(rng: np.random.Generator, ranges: FlareRanges, facts: Facts) -> tuple[added.Source, ...]:
    """Return a light above or beside the frame."""
    if not chance(rng, ranges.outside):
        raise BadSample(Reason.NO_LIGHT_SOURCE, "no lamp or sun was found in this photo, and none outside its frame was drawn")
    distance, along = log_uniform(rng, *ranges.distance), uniform(rng, -0.1, 1.1)
    side = rng.random()
    x, y = (along, -distance) if side < 0.6 else ((-distance if side < 0.8 else 1 + distance), 0.4 * along)
    warmth = rng.random() if facts.luminance < NIGHT else 0.4 * rng.random()
    colour = (1.0, 1.0 - 0.4 * warmth, 1.0 - 0.8 * warmth)
    return (added.Source(x, y, uniform(rng, 0.01, 0.03), colour, 1.0),)


def _at(bounds: Interval, position: float) -> float:
    """Return the value at a position 0..1 between two bounds: many uniform draws come cheaper from one call."""
    return bounds[0] + (bounds[1] - bounds[0]) * position


def _aperture(rng: np.random.Generator, ranges: FlareRanges) -> Aperture:
    blades, roundness, turn, dust, grease, wiped, strokes, direction = rng.random(8).tolist()
    return Aperture(
        blades=round(_at(ranges.blades, blades)),
        roundness=_at(ranges.roundness, roundness),
        rotation_deg=360.0 * turn,
        dust=_at(ranges.dust, dust),
        grease=_at(ranges.grease, grease),
        strokes=_at(ranges.strokes, strokes) if wiped < ranges.wiped else 0.0,
        stroke_deg=180.0 * direction,
        seed=new_seed(rng),
    )


def _lens(rng: np.random.Generator, ranges: FlareRanges, *, diffracts: bool, seen: bool) -> added.Lens:
    """Return a lens; `seen` says that a light stands in the frame, which its mirror image needs."""
    x, y, weight, fall, scene, reach, shows, streaked, ghosted, mirrored, ringed = rng.random(11).tolist()
    diffracts &= shows < ranges.burst
    return added.Lens(
        centre=(0.5 + _at(ranges.off_centre, x), 0.5 + _at(ranges.off_centre, y)),
        aperture=_aperture(rng, ranges),
        veil=Veil(_at(ranges.veil_weight, weight), _at(ranges.veil_fall, fall), log_uniform(rng, *ranges.veil_core_frac), _at(ranges.scene, scene)),
        burst=added.Burst(log_uniform(rng, *ranges.burst_weight), _at(ranges.reach_frac, reach)) if diffracts else None,
        streak=_streak(rng, ranges) if streaked < ranges.streaked else None,
        ghosts=_ghosts(rng, ranges) if ghosted < ranges.ghosted else (),
        mirror=_mirror(rng, ranges) if seen and mirrored < ranges.mirrored else None,
        halo=_halo(rng, ranges) if ringed < ranges.ringed else None,
    )


def _mirror(rng: np.random.Generator, ranges: FlareRanges) -> Mirror:
    return Mirror(uniform(rng, *ranges.mirror_weight), _coating(rng.random(), 0.3), uniform(rng, 0.001, 0.008))


def _halo(rng: np.random.Generator, ranges: FlareRanges) -> Halo:
    weight, radius, width, dispersion = rng.random(4).tolist()
    return Halo(_at(ranges.ring_weight, weight), 0.15 + 0.35 * radius, 0.01 + 0.03 * width, 0.01 + 0.05 * dispersion, new_seed(rng))


def _streak(rng: np.random.Generator, ranges: FlareRanges) -> Streak:
    blue = rng.random()
    return Streak(
        weight=uniform(rng, *ranges.streak_weight),
        angle_deg=uniform(rng, -3.0, 3.0),
        length_frac=log_uniform(rng, 0.15, 0.6),
        width_frac=log_uniform(rng, 0.002, 0.006),
        colour=(1.0 - 0.8 * blue, 1.0 - 0.5 * blue, 1.0),
        seed=new_seed(rng),
    )


def _ghosts(rng: np.random.Generator, ranges: FlareRanges) -> tuple[Ghost, ...]:
    """Return a chain of ghosts; the smaller ones are the sharper ones."""
    count = round(uniform(rng, *ranges.ghosts))
    total = log_uniform(rng, *ranges.ghost_weight) if ranges.ghost_weight[0] > 0 else uniform(rng, *ranges.ghost_weight)
    low, high = ranges.ghost_radius_frac
    hue = rng.random()  # the coatings of one lens resemble each other
    made = []
    for place, drawn_size, weight, turn, strength, soft, rim, slope, bite in rng.random((count, 9)).tolist():
        size = drawn_size**1.5
        made.append(
            Ghost(
                1.4 * place - 0.6 if place > 0.6 else 0.2 - 1.7 * place / 0.6,
                low * (high / low) ** size,
                total / count * (0.3 + 1.4 * weight),
                _coating(hue + 0.35 * (turn - 0.5), 0.25 + 0.5 * strength),
                softness=0.03 + 0.25 * size * soft,
                rim=1.2 * rim,
                slope=0.6 * slope,
                bite=0.7 * bite * bite,
                dispersion=0.01 + 0.06 * bite,
            )
        )
    return tuple(made)


def _coating(hue: float, strength: float) -> tuple[float, float, float]:
    """Return the colour of what a coated surface still reflects: green, blue, magenta, amber, never pure."""
    angle, half = math.tau * hue, 0.5 * strength
    red = 1.0 - half - half * math.cos(angle)
    green = 1.0 - half - half * math.cos(angle + math.tau / 3)
    blue = 1.0 - half - half * math.cos(angle - math.tau / 3)
    top = max(red, green, blue)
    return red / top, green / top, blue / top


def _pasted(rng: np.random.Generator, ranges: FlareRanges) -> tuple[Pasted, ...]:
    return (
        Pasted(
            weight=log_uniform(rng, *ranges.burst_weight),
            rotation_deg=uniform(rng, 0.0, 360.0),
            scale=uniform(rng, *ranges.bank_scale),
            flip=chance(rng, 0.5),
            offset=uniform(rng, 0.0, 0.02),
            blur_frac=uniform(rng, 0.0, 0.004),
        ),
    )


GENERATOR = Generator(
    name="flare",
    version=3,
    about="veil, starbursts, ghosts and streaks that the lens adds to the photo's own lights",
    stage=Stage.LENS,
    severity_name="drowned share",
    unit="%",
    strata=(0.7, 2.5, 6, 13, 26, 50),
    ranges=FlareRanges,
    params=FlareParams,
    sample=sample,
    render=render,
    severity=severity,
    layers=layers,
)
