"""Everything that strong lights add to a picture on their way through a lens, on one canvas at a reduced size.

Flare is soft beside the photo, so it is composed at a fraction of its size and enlarged. Every part is put there with a known
energy, its weight times the light's own; what reaches the frame is then scaled as a whole, so that the record says how much light
was added.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade import camera
from degrade.arrays import strips
from degrade.contract import Linear, Map, Texture
from degrade.lens import ghosts, pasted, starburst, streak, veil
from degrade.lens.aperture import Aperture

WORK_PX = 640  # short side up to which flare is composed at full size
COARSEST = 4  # photo px per px of the canvas, at most
GHOSTED = 2  # lights that are strong enough for visible ghosts and streaks
GHOST_CEILING = 8.0  # medians of the rest of the flare: more hides the scene like a paper disc, and no ghost does
SHOULDER = 1.2  # display whites that added light comes near to: cameras do not cut their highlights off
SPARSE, HALVINGS, CORRECTIONS = 4, 14, 5  # of the search for the scale
COLOURED = 0.02  # mean difference of the channels, relative to green, below which a photo is black and white
DARKEST = 0.01  # mean light that a scene is taken to have at least, so that flare on black is not nothing


class Source(NamedTuple):
    """A light, in shares of the clean side; outside 0..1 it stands beyond the edge."""

    x_frac: float
    y_frac: float
    radius_frac: float
    colour: tuple[float, float, float]
    flux: float  # relative to the strongest

    @property
    def seen(self) -> bool:
        """Whether it stands in the frame."""
        return 0 <= self.x_frac <= 1 and 0 <= self.y_frac <= 1


class Burst(NamedTuple):
    """How much of the light is diffracted, and how far it is seen."""

    weight: float
    reach_frac: float


class Lens(NamedTuple):
    """All that a lens does to lights; parts that it does not show are None or empty."""

    centre: tuple[float, float]  # of the optics, in shares of the clean side
    aperture: Aperture
    veil: veil.Veil
    burst: Burst | None
    streak: streak.Streak | None
    ghosts: tuple[ghosts.Ghost, ...]
    mirror: ghosts.Mirror | None
    halo: veil.Halo | None


class Added(NamedTuple):
    """The added light at a reduced size."""

    light: Linear
    step: int  # photo px per px of it


def added(photo: Linear, sources: tuple[Source, ...], lens: Lens, glare: float, images: tuple[tuple[Texture, pasted.Pasted], ...]) -> Added:
    """Return the light that a lens adds to a photo.

    Args:
        photo: HxWx3 linear light.
        sources: at least one.
        lens: what it shows.
        glare: share of the photo that the added light drowns, see `drowned`, below 1.
        images: of the bank, with what is done to each.
    """
    short = min(photo.shape[:2])
    step = min(max(math.ceil(short / WORK_PX), 1), COARSEST)
    canvas = np.zeros((math.ceil(photo.shape[0] / step), math.ceil(photo.shape[1] / step), 3), np.float32)
    coarse = max(round(short / step / veil.GRID_PX), 1) * step
    scene = strips.reduced(photo, coarse)
    lamps = tuple(_shine(source, canvas.shape) for source in sources)
    _soft(canvas, scene, sources, lens)
    _sharp(canvas, lamps, sources, lens, images)
    if lens.mirror is not None:
        _mirror(canvas, photo, step, sources, lens)
    mean = max(float(cv2.cvtColor(np.minimum(scene, 1), cv2.COLOR_RGB2GRAY).mean()), DARKEST)
    canvas = _as_coloured_as(scene, canvas)
    return Added(_shown(canvas, _scale_for(canvas, glare, mean)), step)


def _shown(canvas: Linear, scale: float) -> Linear:
    """Return the light that a camera shows of a canvas made `scale` times as bright."""
    light: Linear = canvas * np.float32(-scale / SHOULDER)
    cv2.exp(light, light)
    light *= np.float32(-SHOULDER)
    light += np.float32(SHOULDER)
    return light


def _as_coloured_as(scene: Linear, canvas: Linear) -> Linear:
    """Return the added light, without colour where the whole photo has none: black and white film sees no tints."""
    red, green, blue = cv2.split(scene)
    spread = float((np.abs(red - green).mean() + np.abs(blue - green).mean()) / max(float(green.mean()), 1e-6))
    if spread >= COLOURED:
        return canvas
    grey = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(canvas, spread / COLOURED, grey, 1 - spread / COLOURED, 0.0)


def drowned(light: Linear, mean: float) -> float:
    """Return the share of a photo that added light drowns: its mean, in units of the photo's mean, counting up to 1 at any point.

    Uncapped it would count what falls onto a clipped lamp, which nobody sees, and say next to nothing of the shadows.

    Args:
        light: HxWx3, added.
        mean: luminance of the photo.
    """
    return _covered(cv2.cvtColor(light, cv2.COLOR_RGB2GRAY), 1 / mean)


def _covered(grey: Map, gain: float) -> float:
    return float(cv2.min(grey * np.float32(gain), 1.0).mean())


def _scale_for(canvas: Linear, glare: float, mean: float) -> float:
    """Return what to multiply the canvas by so that what is shown of it drowns as much as is wanted, found on every fourth pixel.

    By halving as if light had no shoulder; what that takes is then put back, in few steps: the next one would change less than 1 %.
    """
    sparse = np.ascontiguousarray(canvas[::SPARSE, ::SPARSE])
    grey = cv2.cvtColor(sparse, cv2.COLOR_RGB2GRAY)
    low, high = -20.0, 20.0  # log scale
    start = math.log(1 / max(float(np.median(grey)), 1e-12))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _covered(grey, math.exp(middle + start)) < glare:
            low = middle
        else:
            high = middle
    scale = mean * math.exp(low + start)
    for _ in range(CORRECTIONS):
        scale *= glare / max(drowned(_shown(sparse, scale), mean), 1e-12)
    return scale


def _unit(canvas: Linear) -> float:
    """Return the energy of weight 1: a mean of 1 over a square of the short side."""
    return float(min(canvas.shape[:2]) ** 2)


def _point(place: tuple[float, float], shape: tuple[int, ...]) -> tuple[float, float]:
    return place[0] * shape[1] - 0.5, place[1] * shape[0] - 0.5


def _shine(source: Source, shape: tuple[int, ...]) -> veil.Shine:
    x, y = _point((source.x_frac, source.y_frac), shape)
    return veil.Shine(x, y, np.array(source.colour) * source.flux)


def _soft(canvas: Linear, scene: Linear, sources: tuple[Source, ...], lens: Lens) -> None:
    """Add what has no edges, drawn on a coarse grid."""
    shines = tuple(_shine(source, scene.shape) for source in sources)
    soft = veil.veil(scene, shines, lens.veil) * np.float32(lens.veil.weight)
    if lens.halo is not None:
        soft += veil.halo(scene.shape, shines[0], lens.halo) * np.float32(lens.halo.weight)
    canvas += cv2.resize(soft, canvas.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    np.maximum(canvas, 0, out=canvas)


def _sharp(canvas: Linear, lamps: tuple[veil.Shine, ...], sources: tuple[Source, ...], lens: Lens, images: tuple[tuple[Texture, pasted.Pasted], ...]) -> None:
    """Add bursts, streaks, images of the bank and ghosts."""
    unit, short = _unit(canvas), min(canvas.shape[:2])
    centre = _point(lens.centre, canvas.shape)
    if lens.burst is not None:
        reach = lens.burst.reach_frac * short
        radius = sum(source.radius_frac * source.flux for source in sources) / sum(source.flux for source in sources)
        pattern = starburst.pattern(lens.aperture, radius / lens.burst.reach_frac)  # one for all: they differ little
        for lamp in lamps:
            starburst.place(canvas, pattern, (lamp.x, lamp.y), lamp.energy * lens.burst.weight * unit, reach)
    flares = [(pasted.prepared(texture, how), how) for texture, how in images]
    iris = ghosts.iris_of(lens.aperture)
    ceiling = GHOST_CEILING * max(float(np.median(canvas[::SPARSE, ::SPARSE])), 1e-9)
    for rank, lamp in enumerate(lamps):
        energy, at = tuple((lamp.energy * unit).tolist()), (lamp.x, lamp.y)
        for flare, how in flares:
            pasted.draw(canvas, flare, how, at, energy)
        if lens.streak is not None and rank < GHOSTED:
            streak.draw(canvas, lens.streak, at, energy)
        for ghost in lens.ghosts if rank < GHOSTED else ():
            ghosts.draw(canvas, ghost, iris, at, centre, energy, ceiling)


def _mirror(canvas: Linear, photo: Linear, step: int, sources: tuple[Source, ...], lens: Lens) -> None:
    """Add the mirror images of the lights that stand in the frame: what shines near each, and nothing of the rest."""
    short, centre = min(canvas.shape[:2]), _point(lens.centre, canvas.shape)
    for source in sources:
        if lens.mirror is None or not source.seen:
            continue
        lamp = _shine(source, canvas.shape)
        reach = math.ceil(3 * short * (source.radius_frac + 0.01))
        left, top = max(round(lamp.x) - reach, 0), max(round(lamp.y) - reach, 0)
        part = photo[top * step : (round(lamp.y) + reach + 1) * step, left * step : (round(lamp.x) + reach + 1) * step]
        small = strips.reduced(np.ascontiguousarray(part), step)
        bright = small * small  # what is dull beside the light hardly shows
        here = veil.Shine(lamp.x - left, lamp.y - top, lamp.energy)
        across, down = (cv2.exp(-0.5 * (far * np.float32(min(bright.shape[:2]) / (0.4 * reach))) ** 2) for far in veil.distances(here, bright.shape))
        bright *= (across * down)[..., None]
        ghosts.mirrored(canvas, bright, (left, top), lens.mirror, centre, source.flux * _unit(canvas))


def whole(made: Added, shape: tuple[int, ...]) -> Linear:
    """Return the added light at the photo's size."""
    return np.ascontiguousarray(strips.enlarged(made.light, made.step, slice(0, shape[0]), shape[1]))


def lifted(part: Linear, exposure: float) -> Linear:
    """Return the light, with what was clipped so bright that it is still clipped after a darker exposure."""
    return camera.recover_highlights(part, 1.02 / exposure) if exposure < 1.0 else part
