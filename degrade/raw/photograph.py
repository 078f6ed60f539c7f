"""A photo taken again by a noisy camera.

    scene light -> Bayer mosaic -> RAW: var = K x + s_r^2 (`sensor`) -> demosaic (`bayer`) -> the camera's denoiser
    (`denoiser`) -> tone, sRGB, 8 bits (`develop`) -> often the camera's own JPEG

A clean photo is un-developed to the RAW values of one of many cameras (Brooks et al., CVPR 2019), exposed with noise, and
developed again. We depart from that paper in one place: a clean photo has been demosaiced once already, and doing it
again would add zippers and softness that no pair of a noisy and a quiet exposure shows. So the development acts on the
noise alone, which is then added to the scene's light: brightness does not drift.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import develop, sensor
from degrade.arrays.bands import bands
from degrade.contract import Linear, Map, Srgb
from degrade.raw import bayer, denoiser

SHOT_PER_ISO = 1e-6
LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)  # ITU-R BT.601, as JPEG has it
LEFT_BY_DEMOSAIC = np.array([0.5625, 0.75, 0.5625])  # variance after interpolation: red and blue from 1/4, green from 1/2


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


def photograph(linear: Linear, iso: float, camera: Camera, labels: NDArray[np.int32]) -> Srgb:
    """Return the photo that a camera takes of the scene in a photo: HxWx3 uint8 sRGB.

    Args:
        linear: HxWx3 float32 linear light, any size; clipped to [0, 1].
        iso: decides the shot noise.
        camera: everything else.
        labels: segments of the scene, a small proxy.
    """
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
    return sensor.Sensor(SHOT_PER_ISO * iso, camera.read_noise, camera.tail, camera.row_frac, camera.bits, camera.hot_per_mpx, camera.seed)


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
    np.clip(spread, 0.0, np.inf, out=spread)
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
