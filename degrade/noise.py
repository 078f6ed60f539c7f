"""Noise of cameras and film: it depends on the light, it is soft, and it is uneven.

    scene light -> Bayer mosaic -> RAW: var = K x + s_r^2 (`sensor`) -> demosaic -> the camera's denoiser (`denoiser`)
    -> colour matrix, tone, 8 bits (`develop`) -> often the camera's own JPEG

A clean photo is un-developed to the RAW values of one of many cameras (Brooks et al., CVPR 2019), exposed with noise, and
developed again. We depart from that paper in one place: a clean photo has been demosaiced once already, and doing it
again would add zippers and softness that no pair of a noisy and a quiet exposure shows. So the development acts on the
noise alone, which is then added to the scene's light: brightness does not drift.

Severity is an ISO number of a camera whose K is 1e-6 per ISO: 100 to 12,000 span the published 1e-4 to 1.2e-2. A share
of pairs is film instead (`grain`), whose speed is the ISO.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import bayer, denoiser, develop, grain, sensor
from degrade.bands import bands
from degrade.contract import Assets, Facts, Generator, Interval, Linear, Map, Number, Ranges, Srgb, Stage, choice, interval, share
from degrade.regions import Scatter
from degrade.stream import chance, log_uniform, new_seed, uniform

SHOT_PER_ISO = 1e-6
LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)  # ITU-R BT.601, as JPEG has it
LEFT_BY_DEMOSAIC = np.array([0.5625, 0.75, 0.5625])  # variance after interpolation: red and blue from 1/4, green from 1/2


class NoiseRanges(Ranges):
    """What may vary between cameras and films."""

    source: dict[Literal["camera", "film"], Number] = choice({"camera": 0.88, "film": 0.12}, "what took the photo, and how often")
    rgb_gain: Interval = interval(1.0, 1.6, "factor", "brightness gain of the development", (1.0, 4.0))
    red_gain: Interval = interval(1.9, 2.4, "factor", "white balance gain of red", (1.0, 4.0))
    blue_gain: Interval = interval(1.5, 1.9, "factor", "white balance gain of blue", (1.0, 4.0))
    read_deviation: Interval = interval(-0.4, 0.4, "log", "read noise variance off the cameras' common line; N(0, 0.26) is added", (-3.0, 3.0))
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


def _at(bounds: Interval, position: float) -> float:
    """Return the value at a position 0..1 between two bounds: many uniform draws come cheaper from one call."""
    return bounds[0] + (bounds[1] - bounds[0]) * position


def _sample_denoiser(rng: np.random.Generator, ranges: NoiseRanges) -> denoiser.Denoiser:
    draws = rng.random(12).tolist()
    return denoiser.Denoiser(
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
    return _photograph(linear, params.iso, params.camera, assets.segments)


class Optics(NamedTuple):
    """What a camera's numbers come to, worked out once per photo."""

    into_camera: NDArray[np.float32]  # 3x3: scene light to balanced camera light
    gains: tuple[float, ...]  # balanced camera light to RAW, of the four sites
    luma: NDArray[np.float32]  # 1x3: luma of balanced camera light
    tint: NDArray[np.float32]  # 3x3: balanced camera light to scene light without luma
    slope: float  # variance of luma noise: slope * luma + floor
    floor: float


def optics(iso: float, camera: Camera) -> Optics:
    """Work out matrices, gains and the luma noise that the sensor gives a grey."""
    into_camera = develop.to_camera(camera.look)
    back = np.linalg.inv(into_camera)
    luma = LUMA @ back
    gains = np.array(develop.raw_gains(camera.look))
    left = luma[0] ** 2 * LEFT_BY_DEMOSAIC
    return Optics(
        into_camera.astype(np.float32),
        tuple(float(gains[channel]) for channel in bayer.colours(camera.phase)),
        luma.astype(np.float32),
        (back - luma).astype(np.float32),
        float((left * SHOT_PER_ISO * iso / gains).sum()),
        float((left * camera.read_noise**2 / gains**2).sum()) + 1e-12,
    )


def _photograph(linear: Linear, iso: float, camera: Camera, labels: NDArray[np.int32]) -> Srgb:
    height, width = linear.shape[:2]
    if height % 2 or width % 2:
        linear = cv2.copyMakeBorder(linear, 0, height % 2, 0, width % 2, cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
    maps = denoiser.maps(linear, labels, camera.denoiser)
    chance = sensor.roll(exposure(iso, camera), linear.shape[0] // 2, linear.shape[1] // 2)
    plan = optics(iso, camera)
    photo = np.empty(linear.shape, np.uint8)
    for band in bands(linear.shape[0], denoiser.reach_px(camera.denoiser)):
        light = develop.untone(linear[band.seen])
        planes = expose(light, plan, exposure(iso, camera), camera.phase, chance.rows(band.first // 2, band.last // 2))
        add_noise(light, planes, plan, camera, maps.rows(band.first, band.last))
        photo[band.made] = develop.finish(light[band.kept])
    photo = np.ascontiguousarray(photo[:height, :width])
    return photo if camera.jpeg_quality is None else _through_jpeg(photo, camera.jpeg_quality)


def exposure(iso: float, camera: Camera) -> sensor.Sensor:
    """Return the settings of the sensor."""
    return sensor.Sensor(
        SHOT_PER_ISO * iso, camera.read_noise, camera.tail, camera.row_frac, camera.bits, camera.hot_per_mpx, camera.seed
    )


def expose(light: Linear, plan: Optics, settings: sensor.Sensor, phase: int, chance: sensor.Chance) -> bayer.Planes:
    """Return what the sensor adds to the white-balanced values of its mosaic: 4xHxW float32.

    Args:
        light: 2Hx2Wx3 scene light.
        plan: the camera's numbers.
        settings: of the sensor.
        phase: the site of red.
        chance: the random part of the exposure, for these rows.
    """
    quiet = bayer.mosaic(cv2.transform(light, plan.into_camera), phase)  # type: ignore[arg-type]
    np.clip(quiet, -1.0, 1.0, out=quiet)
    raw = np.empty_like(quiet)
    for site, gain in enumerate(plan.gains):
        raw[site] = develop.close_shoulder(quiet[site], gain)
    noisy = sensor.sense(raw, settings, chance)
    for site, gain in enumerate(plan.gains):
        np.subtract(develop.open_shoulder(noisy[site], gain), quiet[site], out=noisy[site])
    return noisy


def add_noise(light: Linear, planes: bayer.Planes, plan: Optics, camera: Camera, maps: denoiser.Maps) -> None:
    """Add to scene light what the camera's development leaves of the noise, in place.

    Args:
        light: HxWx3 scene light, even sizes.
        planes: noise of the mosaic, 4 x H/2 x W/2.
        plan: the camera's numbers.
        camera: its mosaic and denoiser.
        maps: what differs over the photo, for these rows.
    """
    height, width = light.shape[:2]
    luma: Map = cv2.transform(light, LUMA)  # type: ignore[assignment]
    spread = np.multiply(luma, np.float32(plan.slope))
    cv2.max(spread, 0.0, spread)
    spread += np.float32(plan.floor)
    cv2.sqrt(spread, spread)
    bright = cv2.transform(bayer.demosaic(planes, camera.phase), plan.luma).astype(np.float32)
    bright -= bayer.MIDDLE
    cv2.divide(bright, spread, bright, 1.0 / bayer.SCALE)
    scene: Map = cv2.divide(luma, spread, luma)  # type: ignore[assignment]
    bright = denoiser.denoise_luma(bright, scene, maps, camera.denoiser)
    coarse = cv2.merge([cv2.resize(spread, (width // 2, height // 2), interpolation=cv2.INTER_AREA)] * 3)
    tint = cv2.divide(cv2.transform(bayer.binned(planes, camera.phase), plan.tint), coarse)
    tint = cv2.multiply(denoiser.denoise_colour(tint, maps, camera.denoiser), coarse)  # type: ignore[arg-type]
    noise = cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.add(light, noise, light)
    cv2.multiply(bright, spread, bright)
    cv2.add(light, cv2.cvtColor(bright, cv2.COLOR_GRAY2RGB, noise), light)


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
