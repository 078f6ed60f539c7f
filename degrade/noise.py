"""Noise of cameras and film: it depends on the light, it is soft, and it is uneven.

Most pairs are photographs (`photograph`): RAW noise of variance K x + s_r^2 on a Bayer mosaic, demosaiced, smoothed by a
simulated in-camera denoiser that treats every segment differently, toned, often written as the camera's own JPEG. The
rest is film grain (`grain`). Measured on real cameras, it is the mild end and the development after the sensor that
decide whether a model trained on such pairs helps.

Severity is the ISO number of a camera whose K is 1e-6 per ISO: 100 to 12,000 span the published 1e-4 to 1.2e-2. For film it is
the film's speed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from degrade import develop, sensor
from degrade.contract import Assets, Facts, Generator, Interval, Linear, Number, Ranges, Srgb, Stage, choice, interval, share
from degrade.raw import bayer, grain
from degrade.raw.denoiser import Denoiser
from degrade.raw.photograph import SHOT_PER_ISO, Camera, photograph
from degrade.raw.regions import Scatter
from degrade.stream import chance, log_uniform, new_seed, uniform


class NoiseRanges(Ranges):
    """What may vary between cameras and films."""

    source: dict[Literal["camera", "film"], Number] = choice({"camera": 0.88, "film": 0.12}, "what took the photo, and how often")
    rgb_gain: Interval = interval(1.0, 1.6, "factor", "brightness gain of the development", (1.0, 4.0))
    red_gain: Interval = interval(1.9, 2.4, "factor", "white balance gain of red", (1.0, 4.0))
    blue_gain: Interval = interval(1.5, 1.9, "factor", "white balance gain of blue", (1.0, 4.0))
    read_deviation: Interval = interval(
        -0.4, 0.4, "log", "read noise variance off the cameras' common line; N(0, 0.26) is added", (-3.0, 3.0)
    )
    tail: Interval = interval(-0.2, 0.14, "Tukey lambda", "tails of the read noise: 0.14 normal, below long", (-0.4, 0.5))
    row_frac: Interval = interval(0.0, 0.3, "of read noise", "noise shared by a row", (0.0, 2.0))
    bits: tuple[int, ...] = choice((10, 12, 14), "depths of the converter")
    hot: float = share(0.15, "how often a sensor has hot pixels")
    hot_per_mpx: Interval = interval(1.0, 30.0, "per Mpx", "hot pixels of such a sensor", (0.01, 1000.0))
    strength: Interval = interval(0.3, 0.8, "0..1", "the denoiser's grip on flat areas", (0.0, 0.95))
    strength_spread: Interval = interval(0.1, 0.4, "log", "how much the grip differs between segments", (0.0, 1.0))
    coarse: Interval = interval(0.1, 0.5, "0..1", "share of smoothed noise with the long correlation length", (0.0, 0.95))
    coarse_spread: Interval = interval(0.2, 0.6, "log", "how much it differs between segments", (0.0, 1.0))
    colour: Interval = interval(0.2, 0.75, "0..1", "share of the colour noise that is left", (0.0, 2.0))
    colour_spread: Interval = interval(0.1, 0.4, "log", "how much it differs between segments", (0.0, 1.0))
    length_px: Interval = interval(0.6, 1.3, "px", "short correlation length of the luminance", (0.3, 4.0))
    colour_length_px: Interval = interval(2.0, 6.0, "px", "correlation length of the colour", (0.6, 16.0))
    shadows: Interval = interval(0.0, 0.5, "0..1", "by how much lights are smoothed less than shadows", (0.0, 1.0))
    texture_loss: Interval = interval(0.0, 0.4, "0..1", "share of faint texture that goes with the noise", (0.0, 1.0))
    blotch: Interval = interval(0.03, 0.2, "of noise", "deviation of the colour blotches", (0.0, 1.0))
    blotch_px: Interval = interval(8.0, 64.0, "px", "size of the colour blotches", (4.0, 256.0))
    sharpening: Interval = interval(0.0, 0.8, "factor", "sharpening after the denoiser", (0.0, 3.0))
    feather_px: Interval = interval(4.0, 16.0, "px", "passage from segment to segment", (2.0, 64.0))
    jpeg: float = share(0.4, "how often the camera wrote a JPEG")
    jpeg_quality: Interval = interval(88.0, 98.0, "quality", "of the camera's own JPEG", (50.0, 100.0))
    grain_px: Interval = interval(1.2, 3.5, "px", "diameter of film grain", (0.8, 16.0))
    grain_colour: Interval = interval(0.03, 0.3, "0..1", "share of the grain that each dye layer has for itself", (0.0, 1.0))


class NoiseParams(NamedTuple):
    """One exposure: either a camera or a film."""

    iso: float
    camera: Camera | None
    film: grain.Grain | None


def _at(bounds: Interval, position: float) -> float:
    """Return the value at a position 0..1 between two bounds: many uniform draws come cheaper from one call."""
    return bounds[0] + (bounds[1] - bounds[0]) * position


def _sample_denoiser(rng: np.random.Generator, ranges: NoiseRanges) -> Denoiser:
    draws = rng.random(12).tolist()
    return Denoiser(
        strength=Scatter(_at(ranges.strength, draws[0]), _at(ranges.strength_spread, draws[1])),
        coarse=Scatter(_at(ranges.coarse, draws[2]), _at(ranges.coarse_spread, draws[3])),
        colour=Scatter(_at(ranges.colour, draws[4]), _at(ranges.colour_spread, draws[5])),
        length_px=_at(ranges.length_px, draws[6]),
        colour_length_px=_at(ranges.colour_length_px, draws[7]),
        shadows=_at(ranges.shadows, draws[8]),
        texture_loss=_at(ranges.texture_loss, draws[9]),
        blotch=_at(ranges.blotch, draws[10]),
        blotch_px=log_uniform(rng, *ranges.blotch_px),
        sharpening=_at(ranges.sharpening, draws[11]),
        feather_px=uniform(rng, *ranges.feather_px),
        seed=new_seed(rng),
    )


def _sample_look(rng: np.random.Generator, ranges: NoiseRanges) -> develop.Look:
    first, second, third, fourth, red, blue = rng.random(6).tolist()
    low, high = ranges.rgb_gain
    return develop.Look(
        matrix_mix=(first, second, third, fourth),
        rgb_gain=min(max(1.0 / max(0.8 + 0.1 * rng.standard_normal(), 0.2), low), high),
        red_gain=_at(ranges.red_gain, red),
        blue_gain=_at(ranges.blue_gain, blue),
    )


def _sample_camera(rng: np.random.Generator, ranges: NoiseRanges, iso: float) -> Camera:
    deviation = uniform(rng, *ranges.read_deviation) + 0.26 * rng.standard_normal()
    return Camera(
        look=_sample_look(rng, ranges),
        phase=int(rng.random() * bayer.PHASES),
        read_noise=sensor.read_noise_for(SHOT_PER_ISO * iso, deviation),
        tail=uniform(rng, *ranges.tail),
        row_frac=uniform(rng, *ranges.row_frac),
        bits=ranges.bits[int(rng.random() * len(ranges.bits))],
        hot_per_mpx=log_uniform(rng, *ranges.hot_per_mpx) if chance(rng, ranges.hot) else 0.0,
        seed=new_seed(rng),
        denoiser=_sample_denoiser(rng, ranges),
        jpeg_quality=round(uniform(rng, *ranges.jpeg_quality)) if chance(rng, ranges.jpeg) else None,
    )


def sample(rng: np.random.Generator, ranges: NoiseRanges, _facts: Facts, stratum: int) -> NoiseParams:
    """Draw an exposure whose ISO lies in the stratum, log-uniform."""
    iso = log_uniform(rng, *GENERATOR.band(stratum))
    film = ranges.source.get("film", 0.0)
    if chance(rng, film / (film + ranges.source.get("camera", 0.0))):
        return NoiseParams(iso, None, grain.Grain(uniform(rng, *ranges.grain_px), uniform(rng, *ranges.grain_colour), new_seed(rng)))
    return NoiseParams(iso, _sample_camera(rng, ranges, iso), None)


def render(linear: Linear, params: NoiseParams, assets: Assets) -> Srgb:
    """Return the noisy photo.

    Args:
        linear: HxWx3 float32 linear light, at least 64x64; what exceeds display white is clipped by the sensor.
        params: the exposure.
        assets: `segments` are needed.

    Raises:
        ValueError: no segments.
    """
    if assets.segments is None:
        raise ValueError("noise needs `segments`: fill Assets.segments, e.g. by degrade.scene.segments.superpixels")
    if params.film is not None:
        return grain.render(linear, params.iso, params.film)
    if params.camera is None:
        raise ValueError("noise params hold neither a camera nor a film")
    return photograph(linear, params.iso, params.camera, assets.segments)


def severity(params: NoiseParams) -> float:
    """Return the ISO number."""
    return params.iso


GENERATOR: Generator[NoiseRanges, NoiseParams] = Generator(
    name="noise",
    version=1,
    about="sensor noise by photons, developed by a camera that smooths it unevenly; or film grain",
    stage=Stage.SENSOR,
    severity_name="ISO",
    unit="ISO",
    strata=(100.0, 250.0, 640.0, 1600.0, 4000.0, 12000.0),
    ranges=NoiseRanges,
    params=NoiseParams,
    sample=sample,
    render=render,
    severity=severity,
    needs=("segments",),
)
