"""What differs from camera to camera, and how one is drawn: shared by every degradation that takes the photo again."""

from __future__ import annotations

import numpy as np
from pydantic import field_validator

from degrade import develop, sensor
from degrade.contract import Interval, Ranges, choice, interval, share
from degrade.raw import bayer
from degrade.raw.denoiser import Denoiser
from degrade.raw.photograph import SHOT_PER_ISO, Camera
from degrade.raw.regions import Scatter
from degrade.stream import chance, log_uniform, new_seed, uniform

BITS = (8, 15)  # of converters whose counts fit 16 bits with a sign


class CameraRanges(Ranges):
    """What may vary between cameras."""

    rgb_gain: Interval = interval(1.0, 1.6, "factor", "brightness gain of the development", (1.0, 4.0))
    red_gain: Interval = interval(1.9, 2.4, "factor", "white balance gain of red", (1.0, 4.0))
    blue_gain: Interval = interval(1.5, 1.9, "factor", "white balance gain of blue", (1.0, 4.0))
    read_deviation: Interval = interval(-0.4, 0.4, "log", "read noise variance off the cameras' common line; N(0, 0.26) is added", (-3.0, 3.0))
    tail: Interval = interval(-0.2, 0.14, "Tukey lambda", "tails of the read noise: 0.14 normal, below long", (-0.4, 0.5))
    row_frac: Interval = interval(0.0, 0.3, "of read noise", "noise shared by a row", (0.0, 2.0))
    bits: tuple[int, ...] = choice((10, 12, 14), "depths of the converter, 8 to 15")
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
    blotch: Interval = interval(0.03, 0.2, "of noise", "deviation of the colour blotches before `colour` takes its share", (0.0, 1.0))
    blotch_px: Interval = interval(8.0, 64.0, "px", "size of the colour blotches", (4.0, 256.0))
    sharpening: Interval = interval(0.0, 0.8, "factor", "sharpening after the denoiser", (0.0, 3.0))
    feather_px: Interval = interval(4.0, 16.0, "px", "passage from segment to segment", (2.0, 64.0))
    jpeg: float = share(0.4, "how often the camera wrote a JPEG")
    jpeg_quality: Interval = interval(88.0, 98.0, "quality", "of the camera's own JPEG", (50.0, 100.0))

    @field_validator("bits")
    @classmethod
    def _possible_depths(cls, bits: tuple[int, ...]) -> tuple[int, ...]:
        if not bits or min(bits) < BITS[0] or max(bits) > BITS[1]:
            raise ValueError(f"give at least one depth, each from {BITS[0]} to {BITS[1]} bits")
        return bits


def at(bounds: Interval, position: float) -> float:
    """Return the value at a position 0..1 between two bounds: many uniform draws come cheaper from one call."""
    return bounds[0] + (bounds[1] - bounds[0]) * position


def _sample_denoiser(rng: np.random.Generator, ranges: CameraRanges) -> Denoiser:
    draws = rng.random(12).tolist()
    return Denoiser(
        strength=Scatter(at(ranges.strength, draws[0]), at(ranges.strength_spread, draws[1])),
        coarse=Scatter(at(ranges.coarse, draws[2]), at(ranges.coarse_spread, draws[3])),
        colour=Scatter(at(ranges.colour, draws[4]), at(ranges.colour_spread, draws[5])),
        length_px=at(ranges.length_px, draws[6]),
        colour_length_px=at(ranges.colour_length_px, draws[7]),
        shadows=at(ranges.shadows, draws[8]),
        texture_loss=at(ranges.texture_loss, draws[9]),
        blotch=at(ranges.blotch, draws[10]),
        blotch_px=log_uniform(rng, *ranges.blotch_px),
        sharpening=at(ranges.sharpening, draws[11]),
        feather_px=uniform(rng, *ranges.feather_px),
        seed=new_seed(rng),
    )


def _sample_look(rng: np.random.Generator, ranges: CameraRanges) -> develop.Look:
    first, second, third, fourth, red, blue = rng.random(6).tolist()
    return develop.Look(
        matrix_mix=(first, second, third, fourth),
        rgb_gain=_sample_gain(rng, ranges.rgb_gain),
        red_gain=at(ranges.red_gain, red),
        blue_gain=at(ranges.blue_gain, blue),
    )


def _sample_gain(rng: np.random.Generator, bounds: Interval) -> float:
    """Draw the brightness gain: 1 / N(0.8, 0.1) between bounds about its middle, evenly between others, as its tail would pile up at one end."""
    low, high = bounds
    if not low <= 1.0 / 0.8 <= high:
        return uniform(rng, low, high)
    return min(max(1.0 / max(0.8 + 0.1 * rng.standard_normal(), 0.2), low), high)


def sample_camera(rng: np.random.Generator, ranges: CameraRanges, iso: float) -> Camera:
    """Draw the camera of an exposure at some ISO; the mean of its read noise follows from that."""
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
