"""Reflection: a pane between camera and scene shows a second scene, from the camera's side.

    m = k (T i + c R j)

in linear light before white balance: i passes the glass, j is mirrored by it, R and T by Fresnel for every pixel's own
angle, c the exposure ratio of both sides, k the camera's new exposure. After Kee et al. ("Removing Reflections from RAW
Photos", CVPR 2025), where summing after the tone curve was the worst single error. Where we depart: no light probe is
simulated, the second scene is a photo whose white balance is undone by the light it stood in; severity is the energy of
what is mirrored over that of what passes, and it is exact; a mixture that shows nothing or destroys everything is tried
again with another view, not thrown away; a pane may end in the frame, stand before a dark room, be doubled and be dirty.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.arrays import strips
from degrade.contract import STRATA, Assets, Facts, Generator, Interval, Linear, Noted, Ranges, Srgb, Stage, Texture, interval, share
from degrade.errors import BadSample, Reason
from degrade.glass import mixture, usable, view
from degrade.glass.border import Curtain, Edge
from degrade.glass.dirt import Dirt, Placement
from degrade.glass.focus import Focus
from degrade.glass.fresnel import Glazing, Pane
from degrade.glass.mixture import Glass, Layers
from degrade.glass.view import Mirrored, View
from degrade.stream import chance, log_uniform, new_seed, uniform

TRIES = 8  # views of the mirrored scene
JUDGED_PX = 256  # long side of the copy on which a view is judged
BLUEST_MIRED = 40.0  # the sky's bluest part
HOPELESS = 4.0  # a partner so many times too dark needs no try


class ReflectionRanges(Ranges):
    """What may vary; the energy of the reflection follows from the stratum."""

    turn_deg: Interval = interval(0, 70, "deg", "of the pane against the line of sight, sideways, at the strongest stratum; less below", (0, 85))
    tilt_deg: Interval = interval(-8, 8, "deg", "of the pane, up and down", (-60, 60))
    thickness_mm: Interval = interval(3, 10, "mm", "of the glass", (0.5, 50))
    clarity: Interval = interval(0.88, 1.0, "0..1", "share of the light that the glass does not swallow", (0.05, 1))
    double: float = share(0.4, "how often a second pane stands behind the first")
    gap_mm: Interval = interval(8, 20, "mm", "between two panes", (1, 200))
    wedge_mrad: Interval = interval(0.2, 3.0, "mrad", "by which two panes are not parallel", (0.0, 50))
    aperture_mm: Interval = interval(1.0, 14.0, "mm", "diameter of the lens's aperture", (0.2, 100))
    pane_m: Interval = interval(0.2, 2.0, "m", "from the camera to the glass", (0.02, 100))
    behind_m: Interval = interval(0.5, 30, "m", "from the glass to the scene that passes", (0.05, 10000))
    before_m: Interval = interval(0.5, 30, "m", "from the glass to the scene that is mirrored", (0.05, 10000))
    zoom: Interval = interval(1.0, 1.7, "factor", "how much less than its photo is seen of the mirrored scene", (1, 8))
    light_k: Interval = interval(3600, 6600, "K", "colour temperature of the light behind the glass", (1500, 20000))
    apart_mired: Interval = interval(-45, 45, "mired", "colour temperature of the light before the glass against it", (-400, 400))
    same_light: float = share(0.4, "how often both sides stand in one light")
    colour: Interval = interval(0.4, 0.85, "0..1", "share of its photo's colourfulness that the mirrored scene has", (0, 1))
    lamp_gain: Interval = interval(3, 20, "display whites", "how bright a clipped lamp really is at night", (1, 200))
    vignette: Interval = interval(0, 0.5, "0..1", "fall of the mirrored light towards the corners", (0, 1))
    edge: float = share(0.06, "how often the glass ends within the frame")
    curtain: float = share(0.3, "how often a part of the mirrored scene is dark")
    soft_frac: Interval = interval(0.08, 0.4, "short sides", "passage from light to dark in it", (0.001, 1))
    left: Interval = interval(0.0, 0.4, "0..1", "light that is left in the dark part", (0, 1))
    dirty: float = share(0.35, "how often the glass is dirty")
    coverage: Interval = interval(0.002, 0.02, "0..1", "share of the glass that dirt covers", (1e-4, 0.5))
    specks: Interval = interval(150, 3000, "per frame", "specks of dust", (1, 20000))
    bank: float = share(0.5, "how often dirty glass shows an image of the bank, where there is one")
    strength: Interval = interval(0.1, 0.5, "0..1", "of the alpha of such an image", (0, 1))
    metering: Interval = interval(0.5, 1.0, "0..1", "how far the camera's meter undoes the added light", (0, 1))
    exposure_ev: Interval = interval(-0.3, 0.3, "EV", "exposure error at the strongest stratum; less below", (-3, 3))


class ReflectionParams(NamedTuple):
    """What was drawn for one pair."""

    reflected_pct: float  # energy of all the light that the glass adds, in percent of the light that passes it
    view_seed: int  # which part of the partner is mirrored: try n takes view n of this seed
    glass: Glass
    textures: tuple[Placement, ...]
    metering: float
    exposure_ev: float


class _Exposed(NamedTuple):
    layers: Layers
    passed: float  # what to multiply each light by
    mirrored: float
    lift: float  # how much brighter the partner comes out than its own photo shows it


def _pane(rng: np.random.Generator, ranges: ReflectionRanges, stratum: int) -> Pane:
    glazing = None
    if chance(rng, ranges.double):
        glazing = Glazing(uniform(rng, *ranges.gap_mm), uniform(rng, *ranges.wedge_mrad), uniform(rng, 0.0, 360.0))
    turn = uniform(rng, *ranges.turn_deg) * (0.4 + 0.6 * stratum / STRATA)  # what mirrors little is not looked at from the side
    return Pane(turn, uniform(rng, *ranges.tilt_deg), uniform(rng, *ranges.thickness_mm), uniform(rng, *ranges.clarity), glazing)


def _mirrored(rng: np.random.Generator, ranges: ReflectionRanges) -> Mirrored:
    curtain = None
    if chance(rng, ranges.curtain):
        curtain = Curtain(_upright(rng), uniform(rng, -0.35, 0.1), log_uniform(rng, *ranges.soft_frac), uniform(rng, *ranges.left))
    photo_k = log_uniform(rng, *ranges.light_k)
    partner_k = photo_k if chance(rng, ranges.same_light) else 1e6 / max(1e6 / photo_k + uniform(rng, *ranges.apart_mired), BLUEST_MIRED)
    zoom, colour, lamp_gain = log_uniform(rng, *ranges.zoom), uniform(rng, *ranges.colour), log_uniform(rng, *ranges.lamp_gain)
    return Mirrored(zoom, photo_k, partner_k, colour, lamp_gain, uniform(rng, *ranges.vignette), curtain)


def _upright(rng: np.random.Generator) -> float:
    """Draw the direction of a border: rooms and windows are upright, within a few degrees."""
    return 90.0 * int(4 * rng.random()) + uniform(rng, -8.0, 8.0)


def _dirt(rng: np.random.Generator, ranges: ReflectionRanges, bank: int) -> tuple[Dirt | None, tuple[Placement, ...]]:
    if not chance(rng, ranges.dirty):
        return None, ()
    if bank and chance(rng, ranges.bank):
        turn, size, across, down, strength = rng.random(5).tolist()
        low, high = ranges.strength
        return None, (Placement(360.0 * turn, 1.2 + 0.8 * size, 0.3 + 0.4 * across, 0.3 + 0.4 * down, low + (high - low) * strength),)
    specks = round(log_uniform(rng, *ranges.specks))
    return Dirt(log_uniform(rng, *ranges.coverage), 0.6 * rng.random(), specks, uniform(rng, 0.0, 180.0), new_seed(rng)), ()


def sample(rng: np.random.Generator, ranges: ReflectionRanges, facts: Facts, stratum: int) -> ReflectionParams:
    """Draw the pane and the energy that it mirrors, log-uniform within the stratum.

    Raises:
        BadSample: no partner, or one far too dark to be seen in this photo.
    """
    if facts.partner is None:
        raise BadSample(Reason.NO_SECOND_PHOTO, "a reflection shows a second photo: the plan found none")
    reflected_pct = log_uniform(rng, *GENERATOR.band(stratum))
    if reflected_pct / 100 * facts.luminance > HOPELESS * usable.LIFT * facts.partner.luminance:
        raise BadSample(Reason.NO_USABLE_MIXTURE, f"the partner is too dark: mean light {facts.partner.luminance:.4f} against {facts.luminance:.4f}")
    pane, mirrored = _pane(rng, ranges, stratum), _mirrored(rng, ranges)
    lens = Focus(*(log_uniform(rng, *bounds) for bounds in (ranges.aperture_mm, ranges.pane_m, ranges.behind_m, ranges.before_m)))
    edge = Edge(_upright(rng), uniform(rng, -0.45, -0.2)) if chance(rng, ranges.edge) else None
    dirt, textures = _dirt(rng, ranges, facts.textures)
    return ReflectionParams(
        reflected_pct=reflected_pct,
        view_seed=new_seed(rng),
        glass=Glass(pane, lens, mirrored, edge, dirt),
        textures=textures,
        metering=uniform(rng, *ranges.metering),
        exposure_ev=uniform(rng, *ranges.exposure_ev) * stratum / STRATA,
    )


def render(light: Linear, params: ReflectionParams, assets: Assets) -> Noted:
    """Return the photo through the pane, with the number of views that were tried in vain and the similarity found.

    Args:
        light: HxWx3 linear light; left untouched.
        params: from `sample`.
        assets: needs `partner`, and an image for each of `params.textures`.

    Raises:
        ValueError: no partner, or images of the bank are missing.
        BadSample: in no view is the mixture worth training on.
    """
    partner = _partner(assets)
    chosen, notes = _choose(light, partner, params, assets)
    mixed = _seen(light, partner, chosen, params, assets)
    passed, mirrored = mixed.layers.passed, mixed.layers.mirrored
    return Noted(cv2.addWeighted(passed, mixed.passed, mirrored, mixed.mirrored, 0.0, dst=passed), notes)


def layers(light: Linear, params: ReflectionParams, assets: Assets) -> dict[str, NDArray[np.float32]]:
    """Return what `render` adds to the light that passes the glass, HxWx3 linear light as exposed."""
    partner = _partner(assets)
    chosen, _ = _choose(light, partner, params, assets)
    mixed = _seen(light, partner, chosen, params, assets)
    return {"reflection": mixed.layers.mirrored * np.float32(mixed.mirrored)}


def severity(params: ReflectionParams) -> float:
    """Return the energy of the reflection in percent of the light that passes the glass."""
    return params.reflected_pct


def _partner(assets: Assets) -> Srgb:
    if assets.partner is None:
        raise ValueError("a reflection needs assets.partner: a second photo, HxWx3 uint8 sRGB")
    return assets.partner


def _bank(params: ReflectionParams, assets: Assets) -> tuple[Texture, ...]:
    images = assets.textures.get(GENERATOR.name, ())
    if len(images) < len(params.textures):
        raise ValueError(f"reflection needs {len(params.textures)} images in assets.textures['reflection'], {len(images)} are there: pick them from its bank")
    return images[: len(params.textures)]


def _seen(light: Linear, partner: Srgb, chosen: View, params: ReflectionParams, assets: Assets) -> _Exposed:
    """Return a view of the partner at full size."""
    scene = params.glass.mirrored
    shown = view.cut(partner, chosen, scene.zoom, (light.shape[0], light.shape[1]))
    return _expose(light, shown, view.highlights(partner, scene.lamp_gain), chosen, params, assets)


def _expose(light: Linear, shown: Srgb, lamps: float, chosen: View, params: ReflectionParams, assets: Assets) -> _Exposed:
    """Return both lights of a view, and their factors: the energies' ratio is the record's, the meter sees their sum."""
    focal_px = light.shape[0] / 2 / math.tan(assets.height_rad / 2)
    both, pane_share = mixture.through(light, shown, lamps, params.glass, chosen, params.textures, _bank(params, assets), focal_px)
    if min(both.passed_mean, both.mirrored_mean) < 1e-6:
        return _Exposed(both, 1.0, 0.0, 0.0)  # black: nothing to compare with
    ratio = params.reflected_pct / 100
    exposure = mixture.luminance(light) / both.passed_mean * (1 + ratio) ** -params.metering * 2.0**params.exposure_ev
    added = exposure * ratio * both.passed_mean / both.mirrored_mean
    return _Exposed(both, exposure, added, added * pane_share)


def _choose(light: Linear, partner: Srgb, params: ReflectionParams, assets: Assets) -> tuple[View, dict[str, float]]:
    """Return the first view of the mirrored scene that is neither invisible nor destructive, judged on a small copy."""
    small = strips.reduced(light, math.ceil(max(light.shape) / JUDGED_PX))
    size = (small.shape[1], small.shape[0])
    glimpse = cv2.resize(partner, size, interpolation=cv2.INTER_AREA) if partner.size > small.size else partner
    clean = usable.luma(camera.to_srgb(small))
    unsoiled = params._replace(glass=params.glass._replace(dirt=None))  # what dirt adds is faint, and takes its time
    lamps = view.highlights(glimpse, params.glass.mirrored.lamp_gain)
    told, spare = [], None
    for tried in range(TRIES):
        chosen = view.draw(params.view_seed, tried)
        shown = view.cut(glimpse, chosen, params.glass.mirrored.zoom, clean.shape)
        contrast = usable.contrast(shown)
        if contrast < usable.BLANK:
            told.append(f"blank: contrast {contrast:.2f}")
            continue
        mixed = _expose(small, shown, lamps, chosen, unsoiled, assets)
        if not 0.0 < mixed.lift <= usable.LIFT:
            told.append(f"too dark: the partner would be lifted {mixed.lift:.1f} times")
            continue
        verdict = usable.judge(clean, mixed.layers.passed, mixed.layers.mirrored, mixed.passed, mixed.mirrored)
        if verdict.objection is None:
            found = chosen, {"redraws": float(tried), "ssim": round(verdict.similarity, 4)}
            if usable.flatness(shown, mixed.layers.mirrored) <= usable.FLAT:
                return found
            spare = spare or found  # a sky or a wall is a reflection all the same, if there is nothing else
        told.append(verdict.objection or "flat")
    if spare is not None:
        return spare
    raise BadSample(Reason.NO_USABLE_MIXTURE, "; ".join(told))


GENERATOR = Generator(
    name="reflection",
    version=2,
    about="another photo mirrored by a pane of glass: Fresnel, ghosts, defocus, two illuminants, dirt, window edges",
    stage=Stage.SCENE,
    severity_name="reflected energy",
    unit="%",
    strata=(1.5, 4.0, 10.0, 24.0, 52.0, 100.0),
    ranges=ReflectionRanges,
    params=ReflectionParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("partner",),
    layers=layers,
)
