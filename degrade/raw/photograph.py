"""A photo taken again by a noisy camera.

    scene light -> Bayer mosaic -> RAW: var = K x + s_r^2 (`sensor`) -> demosaic (`bayer`) -> the camera's denoiser
    (`denoiser`) -> tone, sRGB, 8 bits (`develop`) -> often the camera's own JPEG

A clean photo is un-developed to the RAW values of one of many cameras (Brooks et al., CVPR 2019), exposed with noise, and
developed again. We depart from that paper in one place: a clean photo has been demosaiced once already, and doing it
again would add zippers and softness that no pair of a noisy and a quiet exposure shows. So the development acts on the
noise alone, which is then added to the scene's light: brightness does not drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import develop, sensor
from degrade.arrays.bands import Band, bands
from degrade.coding import codecs
from degrade.contract import Encoded, Linear, Map, Srgb
from degrade.raw import bayer, denoiser

SHOT_PER_ISO = 1e-6
LUMA = bayer.GREY  # ITU-R BT.601, as JPEG has it
CODES = 16.0  # codes per standard deviation of luma noise
Scene = Callable[[slice, develop.Codes], None]  # writes the scene light of some rows, HxWx3 codes
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
    gains: tuple[float, float, float]  # balanced camera light to RAW
    tint: tuple[tuple[float, ...], tuple[float, ...]]  # red and blue of scene light without luma, of balanced camera light
    scales: tuple[float, ...]  # codes per deviation of the noise, of the four sites: their grey is luma
    slope: float  # variance of luma noise: slope * luma + floor
    floor: float


def optics(iso: float, camera: Camera) -> Optics:
    """Work out matrices, gains and the luma noise that the sensor gives a grey."""
    into_camera = develop.to_camera(camera.look)
    back = np.linalg.inv(into_camera)
    luma = np.array(LUMA) @ back
    gains = np.array(develop.raw_gains(camera.look))
    left = luma**2 * LEFT_BY_DEMOSAIC
    tint = (back - luma).tolist()
    return Optics(
        into_camera.astype(np.float32),
        develop.raw_gains(camera.look),
        (tuple(tint[0]), tuple(tint[2])),
        tuple(CODES * float(luma[channel]) / bayer.GREY[channel] for channel in bayer.colours(camera.phase)),
        float((left * SHOT_PER_ISO * iso / gains).sum()),
        float((left * camera.read_noise**2 / gains**2).sum()) + 1e-12,
    )


class Exposed(NamedTuple):
    """Scene light and what the sensor adds to it."""

    light: develop.Codes  # HxWx3
    mosaic: bayer.Mosaic  # HxW: noise in deviations of that of luma
    tint: tuple[Map, Map]  # red and blue of the noise without luma at half the size, in the same deviations
    scene: Map  # luma of the scene at half the size, in the same deviations
    spread: Map  # that deviation, at half the size, in codes of scene light
    luma: Map  # of the scene, at half the size

    def rows(self, part: slice) -> Exposed:
        """Return some rows of the photo, from an even one to an even one."""
        half = slice(part.start // 2, part.stop // 2)
        tint = self.tint[0][half], self.tint[1][half]
        return Exposed(self.light[part], self.mosaic[part], tint, self.scene[half], self.spread[half], self.luma[half])


class Shot(NamedTuple):
    """What some rows of the sensor do with light."""

    settings: sensor.Sensor
    chance: sensor.Chance
    opened: tuple[NDArray[np.float32], ...]  # tables by count of three colours: balanced camera light


def photograph(picture: Linear | Srgb, iso: float, camera: Camera, labels: NDArray[np.int32]) -> Encoded:
    """Return the photo that a camera takes of the scene in a photo: HxWx3 uint8 sRGB, and its file if it writes one.

    Args:
        picture: HxWx3 float32 linear light, clipped to [0, 1], or 8-bit sRGB; any size.
        iso: decides the shot noise.
        camera: everything else.
        labels: segments of the scene, a small proxy.
    """
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REFLECT_101)
    plan = optics(iso, camera)
    exposed = expose(picture, plan, iso, camera)
    photo = np.empty(picture.shape, np.uint8)
    for rows, light in noisy(exposed, plan, camera, labels):
        develop.finish(light, photo[rows])
    return filed(np.ascontiguousarray(photo[:height, :width]), camera.jpeg_quality)


def exposure(iso: float, camera: Camera) -> sensor.Sensor:
    """Return the settings of the sensor."""
    return sensor.Sensor(SHOT_PER_ISO * iso, camera.read_noise, camera.tail, camera.row_frac, camera.bits, camera.hot_per_mpx, camera.seed)


def expose(picture: Linear | Srgb, plan: Optics, iso: float, camera: Camera) -> Exposed:
    """Return the scene in a photo of even sizes, and the noise that the sensor adds to it."""
    return expose_scene(lambda rows, to: develop.untone_to_codes(picture[rows], to), picture.shape, plan, iso, camera)


def expose_scene(scene: Scene, shape: tuple[int, ...], plan: Optics, iso: float, camera: Camera) -> Exposed:
    """Return a scene of even sizes, and the noise that the sensor adds to it.

    The light that a cell of 2x2 sites counts is the mean of the cell: noise follows it, no detail comes from it.

    Args:
        scene: called band by band, from the top down.
        shape: of the photo, (H, W, 3).
        plan: the camera's numbers.
        iso: decides the shot noise.
        camera: everything else.
    """
    height, width = shape[:2]
    settings = exposure(iso, camera)
    chance = sensor.roll(settings, height // 2, width // 2)
    reading = sensor.reading(settings.bits)
    opened = tuple(sensor.by_count(develop.open_shoulder(reading, gain), settings.bits) for gain in plan.gains)
    red, blue, half, spread, luma = (np.empty((height // 2, width // 2), np.float32) for _ in range(5))
    exposed = Exposed(np.empty(shape, np.int16), np.empty((height, width), np.uint16), (red, blue), half, spread, luma)
    for band in bands(height, 0):
        shot = Shot(settings, chance.rows(band.top // 2, band.bottom // 2), opened)
        part = exposed.rows(band.made)
        scene(band.made, part.light)
        _expose_rows(plan, camera.phase, shot, part)
    return exposed


def _expose_rows(plan: Optics, phase: int, shot: Shot, to: Exposed) -> None:
    """Fill some rows of what is exposed, whose light is there."""
    cells = cv2.resize(to.light, to.luma.shape[::-1], interpolation=cv2.INTER_AREA)
    light = cv2.addWeighted(cells, 1.0 / develop.WHITE, cells, 0.0, 0.0, dtype=cv2.CV_32F)
    cv2.cvtColor(light, cv2.COLOR_RGB2GRAY, to.luma)
    _spread(to.luma, 1.0, plan, to.spread)
    _in_deviations(to.luma, to.spread, 1.0, plan, to.scene)
    noise = _added(cv2.split(cv2.transform(light, plan.into_camera)), plan.gains, phase, shot)
    for plane in noise:
        cv2.divide(plane, to.spread, plane)
    bayer.interleave(noise, plan.scales, to.mosaic)
    first, second = (noise[site] for site in range(4) if site not in (phase, 3 - phase))
    green = cv2.addWeighted(first, 0.5, second, 0.5, 0.0)
    for tint, (by_red, by_green, by_blue) in zip(to.tint, plan.tint, strict=True):
        cv2.addWeighted(noise[phase], by_red, noise[3 - phase], by_blue, 0.0, tint)
        cv2.scaleAdd(green, by_green, tint, tint)
    np.multiply(to.spread, np.float32(develop.WHITE), out=to.spread)


def _spread(luma: NDArray[Any], white: float, plan: Optics, to: Map | None = None) -> Map:
    """Return the deviation of luma noise at a luma of 0 or more, in numbers that call display white `white`."""
    variance = cv2.addWeighted(luma, plan.slope / white, luma, 0.0, plan.floor, dtype=cv2.CV_32F)
    return cv2.sqrt(variance, to)


def _in_deviations(luma: NDArray[Any], spread: Map, white: float, plan: Optics, to: Map | None = None) -> Map:
    """Return how many deviations of its noise a luma lies above black.

    A step dx is dx / s of them, with s^2 = slope x + floor: 2 (s - sqrt floor) / slope in all (the generalised Anscombe transform), which
    is 2 x / (s + sqrt floor).
    """
    return cv2.divide(luma, spread + np.float32(plan.floor**0.5), to, 2.0 / white, cv2.CV_32F)


def _added(quiet: Sequence[Map], gains: Sequence[float], phase: int, shot: Shot) -> list[Map]:
    """Return what the sensor adds to the white-balanced values of the four sites; `quiet` are those of three colours, clipped here."""
    for plane in quiet:
        cv2.threshold(plane, 1.0, 0.0, cv2.THRESH_TRUNC, plane)
    raw = [develop.close_shoulder(plane, gain) for plane, gain in zip(quiet, gains, strict=True)]
    sites = bayer.colours(phase)
    noise = []
    for counts, channel in zip(sensor.sense(raw, shot.settings, shot.chance, sites), sites, strict=True):
        balanced: Map = cv2.LUT(counts.view(np.uint16), shot.opened[channel])
        noise.append(cv2.subtract(balanced, quiet[channel], balanced))
    return noise


def noisy(exposed: Exposed, plan: Optics, camera: Camera, labels: NDArray[np.int32]) -> Iterator[tuple[slice, develop.Codes]]:
    """Yield the rows of a photo with what the camera's development leaves of the noise, scene light in codes.

    Args:
        exposed: by the sensor.
        plan: the camera's numbers.
        camera: its mosaic and denoiser.
        labels: segments of the scene.
    """
    maps = denoiser.maps(exposed.luma, labels, camera.denoiser)
    grip = denoiser.grips(exposed.scene, maps)
    tint = denoiser.denoise_colour(exposed.tint, maps, camera.denoiser)
    grey = bayer.grey(exposed.mosaic, camera.phase)
    tints = [cv2.multiply(plane, exposed.spread, dtype=cv2.CV_16S) for plane in tint]
    for band in bands(exposed.light.shape[0], denoiser.reach_px(camera.denoiser)):
        half = slice(band.first // 2, band.last // 2)
        noise = bayer.values(grey[band.seen], CODES)
        luma = _luma_noise(noise, exposed.light[band.seen], plan, camera.denoiser, (grip[0][half], grip[1][half]))[band.kept]
        red, blue = (_enlarged(plane, band) for plane in tints)
        green = cv2.addWeighted(red, -LUMA[0] / LUMA[1], blue, -LUMA[2] / LUMA[1], 0.0)
        added = cv2.merge([cv2.add(plane, luma) for plane in (red, green, blue)])
        yield band.made, cv2.add(exposed.light[band.made], added, added)


def _enlarged(plane: NDArray[np.int16], band: Band) -> NDArray[np.int16]:
    """Return the rows of a band of a half-size plane at full size."""
    first = max(band.top // 2 - 1, 0)  # one row of a neighbour decides the last of ours
    part = plane[first : band.bottom // 2 + 1]
    return cv2.resize(part, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_LINEAR)[band.top - 2 * first :][: band.bottom - band.top]


def _luma_noise(noise: Map, light: develop.Codes, plan: Optics, processor: denoiser.Denoiser, grip: tuple[Map, Map]) -> NDArray[np.int16]:
    """Return the luma noise that is left of `noise` on some rows, in codes of scene light."""
    luma = cv2.cvtColor(light.view(np.uint16), cv2.COLOR_RGB2GRAY)
    spread = _spread(luma, develop.WHITE, plan)
    scene = _in_deviations(luma, spread, develop.WHITE, plan)
    left = denoiser.denoise_luma(noise, scene, grip, processor)
    return cv2.multiply(left, spread, scale=develop.WHITE, dtype=cv2.CV_16S)


def filed(photo: Srgb, jpeg_quality: int | None) -> Encoded:
    """Return a photo as its camera files it: through its own JPEG (4:2:0), if it writes one."""
    return Encoded(photo) if jpeg_quality is None else codecs.jpeg(photo, jpeg_quality, "4:2:0", "baseline")
