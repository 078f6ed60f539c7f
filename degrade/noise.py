"""Noise of cameras and film: it depends on the light, it is soft, and it is uneven.

Most pairs are photographs (`photograph`): RAW noise of variance K x + s_r^2 on a Bayer mosaic, demosaiced, smoothed by a
simulated in-camera denoiser that treats every segment differently, toned, often written as the camera's own JPEG. The
rest is film grain (`grain`). Some of either was then posted again (`upload.reshare`), which makes grain softer and milder and
leaves the scene's detail alone. Measured on real cameras, it is the mild end and the development after the sensor that
decide whether a model trained on such pairs helps.

Severity is the ISO number of a camera whose K is 1e-6 per ISO: 100 to 12,000 span the published 1e-4 to 1.2e-2. For film it is
the film's speed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from degrade import camera
from degrade.coding.resampling import SHRINK
from degrade.contract import Assets, Encoded, Facts, Generator, Interval, Linear, Srgb, Stage, choice, interval, share
from degrade.keys import Weights
from degrade.raw import grain
from degrade.raw.cameras import CameraRanges, sample_camera
from degrade.raw.photograph import Camera, photograph
from degrade.stream import chance, log_uniform, new_seed, uniform
from degrade.upload.reshare import Reshare, reshared

RESAMPLING = tuple(SHRINK)[:3]  # nobody posts with the fourth


class NoiseRanges(CameraRanges):
    """What may vary between cameras and films."""

    source: Weights[Literal["camera", "film"]] = choice({"camera": 0.88, "film": 0.12}, "what took the photo, and how often")
    grain_px: Interval = interval(1.2, 3.5, "px", "diameter of film grain", (0.8, 16.0))
    grain_colour: Interval = interval(0.03, 0.3, "0..1", "share of the grain that each dye layer has for itself", (0.0, 1.0))
    web: float = share(0.25, "how often the noisy photo was posted again")
    web_resized: float = share(0.6, "how often it was shrunk and grown back then")
    web_scale: Interval = interval(0.5, 0.9, "of the photo", "its smaller size", (0.1, 1.0))
    web_quality: Interval = interval(60.0, 95.0, "quality", "of the JPEG of such a post", (10.0, 100.0))


class NoiseParams(NamedTuple):
    """One exposure: either a camera or a film, and what the web did to it."""

    iso: float
    camera: Camera | None
    film: grain.Grain | None
    web: Reshare | None


def _sample_reshare(rng: np.random.Generator, ranges: NoiseRanges) -> Reshare | None:
    if not chance(rng, ranges.web):
        return None
    scale = uniform(rng, *ranges.web_scale) if chance(rng, ranges.web_resized) else 1.0
    resampling = RESAMPLING[int(rng.random() * len(RESAMPLING))] if scale != 1.0 else RESAMPLING[0]
    return Reshare(scale, resampling, round(uniform(rng, *ranges.web_quality)))


def sample(rng: np.random.Generator, ranges: NoiseRanges, _facts: Facts, stratum: int) -> NoiseParams:
    """Draw an exposure whose ISO lies in the stratum, log-uniform."""
    iso = log_uniform(rng, *GENERATOR.band(stratum))
    film = ranges.source.get("film", 0.0)
    if chance(rng, film / (film + ranges.source.get("camera", 0.0))):
        silver = grain.Grain(uniform(rng, *ranges.grain_px), uniform(rng, *ranges.grain_colour), new_seed(rng))
        return NoiseParams(iso, None, silver, _sample_reshare(rng, ranges))
    return NoiseParams(iso, sample_camera(rng, ranges, iso), None, _sample_reshare(rng, ranges))


def render(picture: Linear | Srgb, params: NoiseParams, assets: Assets) -> Encoded:
    """Return the noisy photo, and the file of the camera or the web, whichever came last.

    Args:
        picture: HxWx3 float32 linear light, or 8-bit sRGB, at least 64x64; what exceeds display white is clipped by the sensor.
        params: the exposure.
        assets: `segments` are needed.

    Raises:
        ValueError: no segments.
    """
    if assets.segments is None:
        raise ValueError("noise needs `segments`: fill Assets.segments, e.g. by degrade.scene.segments.superpixels")
    if params.film is not None:
        photo = Encoded(grain.render(camera.light_of(picture), params.iso, params.film))
    elif params.camera is not None:
        photo = photograph(picture, params.iso, params.camera, assets.segments)
    else:
        raise ValueError("noise params hold neither a camera nor a film")
    return photo if params.web is None else reshared(photo.pixels, camera.shown_of(picture), params.web)


def severity(params: NoiseParams) -> float:
    """Return the ISO number."""
    return params.iso


GENERATOR: Generator[NoiseRanges, NoiseParams] = Generator(
    name="noise",
    version=3,
    about="sensor noise by photons, developed by a camera that smooths it unevenly; or film grain; some of it posted again",
    stage=Stage.SENSOR,
    severity_name="ISO",
    unit="ISO",
    strata=(100.0, 250.0, 640.0, 1600.0, 4000.0, 12000.0),
    ranges=NoiseRanges,
    params=NoiseParams,
    sample=sample,
    render=render,
    severity=severity,
    takes_srgb=True,
    needs=("segments",),
)
