"""Noise of cameras and film: it depends on the light, it is soft, and it is uneven.

    scene light -> Bayer mosaic -> RAW: var = K x + s_r^2 (`sensor`) -> demosaic -> the camera's denoiser (`denoiser`)
    -> colour matrix, tone, 8 bits (`develop`) -> often the camera's own JPEG

A clean photo is un-developed to the RAW values of one of many cameras (Brooks et al., CVPR 2019), exposed with noise, and
developed again. We depart from that paper in one place: a clean photo has been demosaiced once already, and doing it
again would add zippers and softness that no pair of a noisy and a quiet exposure shows. So the mosaic is demosaiced
with and without noise, and the difference is the noise. Light is noisy around its mean, so brightness does not drift.

Severity is an ISO number of a camera whose K is 1e-6 per ISO: 100 to 12,000 span the published 1e-4 to 1.2e-2. A share
of pairs is film instead (`grain`), whose speed is the ISO.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import bayer, denoiser, develop, grain, sensor
from degrade.contract import Assets, Facts, Generator, Interval, Linear, Map, Number, Ranges, Srgb, Stage, choice, interval, share
from degrade.regions import Scatter
from degrade.stream import chance, log_uniform, new_seed, uniform

SHOT_PER_ISO = 1e-6
LUMA = np.array([[0.299, 0.587, 0.114], [0.5, -0.4187, -0.0813], [-0.1687, -0.3313, 0.5]])  # ITU-R BT.601: Y, Cr, Cb
LEFT_BY_DEMOSAIC = np.array([0.5625, 0.75, 0.5625])  # variance after interpolation: red and blue from 1/4, green from 1/2


class NoiseRanges(Ranges):
    """What may vary between cameras and films."""

    source: dict[Literal["camera", "film"], Number] = choice({"camera": 0.88, "film": 0.12}, "what took the photo, and how often")
    rgb_gain: Interval = interval(1.0, 1.6, "factor", "brightness gain of the development", (1.0, 4.0))
    red_gain: Interval = interval(1.9, 2.4, "factor", "white balance gain of red", (1.0, 4.0))
    blue_gain: Interval = interval(1.5, 1.9, "factor", "white balance gain of blue", (1.0, 4.0))
    read_deviation: Interval = interval(-0.5, 0.5, "log variance", "read noise off the cameras' common line, before N(0, 0.26)", (-3.0, 3.0))
    tail: Interval = interval(-0.2, 0.14, "Tukey lambda", "tails of the read noise: 0.14 normal, below long", (-0.4, 0.5))
    row_frac: Interval = interval(0.0, 0.3, "of read noise", "noise shared by a row", (0.0, 2.0))
    bits: tuple[int, ...] = choice((10, 12, 14), "depths of the converter")
    hot: float = share(0.15, "how often a sensor has hot pixels")
    hot_per_mpx: Interval = interval(1.0, 30.0, "per Mpx", "hot pixels of such a sensor", (0.01, 1000.0))
    strength: Interval = interval(0.3, 0.8, "0..1", "the denoiser's grip on flat areas", (0.0, 0.95))
    strength_spread: Interval = interval(0.1, 0.4, "log", "how much the grip differs between segments", (0.0, 1.0))
    coarse: Interval = interval(0.1, 0.5, "0..1", "share of smoothed noise with the long correlation length", (0.0, 0.95))
    coarse_spread: Interval = interval(0.2, 0.6, "log", "how much it differs between segments", (0.0, 1.0))
    colour: Interval = interval(0.3, 0.9, "0..1", "share of the colour noise that is left", (0.0, 2.0))
    colour_spread: Interval = interval(0.1, 0.4, "log", "how much it differs between segments", (0.0, 1.0))
    length_px: Interval = interval(0.6, 1.3, "px", "short correlation length of the luminance", (0.3, 4.0))
    colour_length_px: Interval = interval(2.0, 6.0, "px", "correlation length of the colour", (0.6, 16.0))
    shadows: Interval = interval(0.0, 0.5, "0..1", "by how much lights are smoothed less than shadows", (0.0, 1.0))
    texture_loss: Interval = interval(0.0, 0.4, "0..1", "share of faint texture that goes with the noise", (0.0, 1.0))
    blotch: Interval = interval(0.03, 0.2, "of noise", "deviation of the colour blotches", (0.0, 1.0))
    blotch_px: Interval = interval(8.0, 64.0, "px", "size of the colour blotches", (4.0, 256.0))
    sharpening: Interval = interval(0.0, 0.8, "factor", "sharpening after the denoiser", (0.0, 3.0))
    feather_px: Interval = interval(4.0, 16.0, "px", "passage from segment to segment", (2.0, 64.0))
    jpeg: float = share(0.6, "how often the camera wrote a JPEG")
    jpeg_quality: Interval = interval(88.0, 98.0, "quality", "of the camera's own JPEG", (50.0, 100.0))
    grain_px: Interval = interval(1.2, 3.5, "px", "diameter of film grain", (0.8, 16.0))
    grain_colour: Interval = interval(0.05, 0.5, "0..1", "share of the grain that each dye layer has for itself", (0.0, 1.0))


class Camera(NamedTuple):
    """A camera and what it did to its exposure."""

    look: develop.Look
    phase: int  # site of red in the Bayer mosaic, 0-3
    read_noise: float  # standard deviation, share of full scale
    tail: float  # Tukey lambda
    row_frac: float
    bits: int
    hot_per_mpx: float
    seed: int
    denoiser: denoiser.Denoiser
    jpeg_quality: int | None


class NoiseParams(NamedTuple):
    """One exposure: either a camera or a film."""

    iso: float
    camera: Camera | None
    film: grain.Grain | None


def _sample_denoiser(rng: np.random.Generator, ranges: NoiseRanges) -> denoiser.Denoiser:
    return denoiser.Denoiser(
        strength=Scatter(uniform(rng, *ranges.strength), uniform(rng, *ranges.strength_spread)),
        coarse=Scatter(uniform(rng, *ranges.coarse), uniform(rng, *ranges.coarse_spread)),
        colour=Scatter(uniform(rng, *ranges.colour), uniform(rng, *ranges.colour_spread)),
        length_px=uniform(rng, *ranges.length_px),
        colour_length_px=uniform(rng, *ranges.colour_length_px),
        shadows=uniform(rng, *ranges.shadows),
        texture_loss=uniform(rng, *ranges.texture_loss),
        blotch=uniform(rng, *ranges.blotch),
        blotch_px=log_uniform(rng, *ranges.blotch_px),
        sharpening=uniform(rng, *ranges.sharpening),
        feather_px=uniform(rng, *ranges.feather_px),
        seed=new_seed(rng),
    )


def _sample_look(rng: np.random.Generator, ranges: NoiseRanges) -> develop.Look:
    low, high = ranges.rgb_gain
    return develop.Look(
        matrix_mix=(rng.random(), rng.random(), rng.random(), rng.random()),
        rgb_gain=min(max(1.0 / max(0.8 + 0.1 * rng.standard_normal(), 0.2), low), high),
        red_gain=uniform(rng, *ranges.red_gain),
        blue_gain=uniform(rng, *ranges.blue_gain),
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


def sample(rng: np.random.Generator, ranges: NoiseRanges, facts: Facts, stratum: int) -> NoiseParams:
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
    return _photograph(linear, params.iso, params.camera, assets.segments)


def _photograph(linear: Linear, iso: float, camera: Camera, labels: NDArray[np.int32]) -> Srgb:
    light = develop.untone(linear)
    to_camera = develop.to_camera(camera.look)
    noise = expose(cv2.transform(light, to_camera.astype(np.float32)), iso, camera)  # type: ignore[arg-type]
    into_luma = LUMA @ np.linalg.inv(to_camera)
    planes = cv2.split(cv2.transform(noise, (into_luma / bayer.SCALE).astype(np.float32)))
    luma: Map = cv2.transform(light, LUMA[:1].astype(np.float32))  # type: ignore[assignment]
    spread = luma_noise(luma, into_luma[0], iso, camera)
    per_sigma: Map = cv2.divide(1.0, spread)  # type: ignore[assignment]
    whitened = tuple(cv2.multiply(plane, per_sigma, dst=plane) for plane in planes)
    left = denoiser.denoise(whitened, luma, per_sigma, labels, camera.denoiser)  # type: ignore[arg-type]
    soft = cv2.merge([cv2.multiply(plane, spread) for plane in left])
    cv2.add(light, cv2.transform(soft, np.linalg.inv(LUMA).astype(np.float32)), light)
    photo = develop.finish(light)
    return photo if camera.jpeg_quality is None else _through_jpeg(photo, camera.jpeg_quality)


def expose(balanced: Linear, iso: float, camera: Camera) -> NDArray[np.float32]:
    """Return what noise adds to balanced camera light, demosaiced, in 1/`bayer.SCALE`: HxWx3 float32.

    Args:
        balanced: HxWx3 white-balanced camera light, 1 where the sensor clips; cut at 1 here.
        iso: decides the shot noise.
        camera: the rest.
    """
    height, width = balanced.shape[:2]
    gains = [develop.raw_gains(camera.look)[channel] for channel in bayer.colours(camera.phase)]
    quiet = bayer.mosaic(balanced, camera.phase)
    np.minimum(quiet, 1.0, out=quiet)
    raw = np.stack([develop.close_shoulder(plane, gain) for plane, gain in zip(quiet, gains, strict=True)])
    settings = (SHOT_PER_ISO * iso, camera.read_noise, camera.tail, camera.row_frac, camera.bits, camera.hot_per_mpx, camera.seed)
    noisy = sensor.sense(raw, sensor.Sensor(*settings))
    for site, gain in enumerate(gains):
        noisy[site] = develop.open_shoulder(noisy[site], gain)
    with_noise = bayer.demosaic(noisy, camera.phase, height, width)
    return cv2.subtract(with_noise, bayer.demosaic(quiet, camera.phase, height, width), dtype=cv2.CV_32F)  # type: ignore[return-value]


def luma_noise(luma: Map, weights: NDArray[np.float64], iso: float, camera: Camera) -> Map:
    """Return the standard deviation of luma noise that the sensor gives a grey of each luma, HxW float32.

    Args:
        luma: HxW linear luma.
        weights: of balanced red, green and blue in luma.
        iso: decides the shot noise.
        camera: gains and read noise.
    """
    gains = np.array(develop.raw_gains(camera.look))
    share_of = weights**2 * LEFT_BY_DEMOSAIC
    slope = float((share_of * SHOT_PER_ISO * iso / gains).sum())
    floor = float((share_of * camera.read_noise**2 / gains**2).sum()) + 1e-12
    variance = np.multiply(luma, np.float32(slope))
    np.maximum(variance, 0.0, out=variance)
    variance += np.float32(floor)
    return cv2.sqrt(variance, variance)  # type: ignore[return-value]


def _through_jpeg(photo: Srgb, quality: int) -> Srgb:
    """Return the photo after the camera's own JPEG (4:2:0)."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]


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
