"""What a camera makes of an even wall: the noise of its rows, and what its denoiser does to the rest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_noise import ONE, UNTOUCHED, altered, draw, rendered, wall

from degrade import develop, noise, sensor
from degrade.contract import Linear, Map
from degrade.raw import bayer, photograph
from degrade.raw.regions import Scatter

STRONG = {"strength": Scatter(0.8, 0.0), "coarse": Scatter(0.0, 0.0), "blotch": 0.0, "texture_loss": 0.0}


def luma_deviation(params: noise.NoiseParams, value: float) -> float:
    """Return the deviation of the luma that a photo of an even wall shows."""
    return float(cv2.transform(rendered(wall(value), params, ONE).astype(np.float32), np.array([photograph.LUMA])).std())


def added(light: Linear, iso: float, taken: photograph.Camera) -> tuple[photograph.Exposed, Map]:
    """Return an exposure, and the luma that its development adds to the scene, in display whites."""
    plan = photograph.optics(iso, taken)
    made = photograph.expose(light, plan, iso, taken)
    photo = np.concatenate([rows for _, rows in photograph.noisy(made, plan, taken, np.zeros((8, 8), np.int32))])
    return made, cv2.transform((photo - made.light).astype(np.float32) / np.float32(develop.WHITE), np.array([photograph.LUMA]))


def test_every_number_of_a_sensor_comes_from_its_record() -> None:
    """Nothing that a sensor can do is left out by the camera that has it."""
    taken = draw(3).camera
    assert taken is not None
    assert sensor.Sensor._field_defaults == {}
    assert photograph.exposure(400.0, taken)[1:] == (taken.read_noise, taken.tail, taken.row_frac, taken.bits, taken.hot_per_mpx, taken.seed)


def test_rows_share_the_noise_that_the_record_says() -> None:
    """Means of rows of one green site scatter by the recorded share of the read noise."""
    params = draw(3)
    assert params.camera is not None
    taken = params.camera._replace(read_noise=0.01, row_frac=1.0, tail=0.14, bits=14)
    plan = photograph.optics(params.iso, taken)
    made = photograph.expose(wall(0.05, 512, 512), plan, params.iso, taken)
    site = bayer.colours(taken.phase).index(1)
    codes = bayer.values(np.ascontiguousarray(made.mosaic[site // 2 :: 2, site % 2 :: 2]), plan.scales[site])
    raw = codes * made.spread / develop.WHITE * plan.gains[1]  # share of full scale
    assert raw.mean(axis=1).std() == pytest.approx(taken.row_frac * taken.read_noise, rel=0.12)


def test_read_noise_alone_gives_the_luma_noise_of_the_record() -> None:
    """With hardly any shot noise and no denoiser, luma has the variance that white balance and colour matrix make of read noise."""
    taken = altered(draw(1), **UNTOUCHED).camera
    assert taken is not None
    electronic = taken._replace(read_noise=0.01, row_frac=0.0, tail=0.14, bits=14)
    assert added(wall(0.02), 1e-3, electronic)[1].var() == pytest.approx(photograph.optics(1e-3, electronic).floor, rel=0.05)


@pytest.mark.parametrize(("loss", "strength"), [(0.4, 0.8), (0.2, 0.5), (0.0, 0.8)])
@pytest.mark.parametrize(("iso", "read_noise"), [(1e-3, 0.003), (100.0, 1e-5), (100.0, 0.003)], ids=["read noise", "shot noise", "both"])
def test_faint_texture_is_lost_by_its_share_of_what_the_denoiser_takes(loss: float, strength: float, iso: float, read_noise: float) -> None:
    """A chequered wall loses texture_loss x strength of its contrast, whatever its noise comes from."""
    taken = altered(draw(2), **STRONG | {"strength": Scatter(strength, 0.0), "texture_loss": loss}, sharpening=0.0, shadows=0.0, length_px=1.3).camera
    assert taken is not None
    chequered = wall(0.2)
    for corner in range(2):
        chequered[corner::2, corner::2] *= 1.02
    made, luma = added(chequered, iso, taken._replace(read_noise=read_noise, row_frac=0.0))
    texture = made.light[..., 1] / develop.WHITE
    texture -= texture.mean()
    assert (luma * texture).mean() / (texture**2).mean() == pytest.approx(-loss * strength, abs=0.02)


def test_lights_are_smoothed_less_than_shadows() -> None:
    """A camera that spares the lights leaves more noise on a bright wall, and hardly more on a dark one."""
    spared, alike = (altered(draw(4), **STRONG, sharpening=0.0, shadows=shadows) for shadows in (0.9, 0.0))
    assert luma_deviation(spared, 0.6) > 1.2 * luma_deviation(alike, 0.6)
    assert luma_deviation(spared, 0.02) < 1.2 * luma_deviation(alike, 0.02)


def test_sharpening_makes_noise_stronger() -> None:
    """An unsharp mask of 0.8 adds a quarter or more to the noise that the denoiser left."""
    plain, sharpened = (luma_deviation(altered(draw(4), **STRONG, sharpening=amount), 0.2) for amount in (0.0, 0.8))
    assert sharpened > 1.15 * plain


@pytest.mark.parametrize(("blotch", "colour"), [(0.5, 0.5), (0.5, 1.0), (1.0, 0.5)])
def test_blotches_are_as_strong_as_recorded(blotch: float, colour: float) -> None:
    """Coarse colour scatters by `blotch`, of which the share `colour` is left, in deviations of the luma noise."""
    params = altered(draw(3), blotch=blotch, colour=Scatter(colour, 0.0), strength=Scatter(0.95, 0.0), blotch_px=32.0)
    assert params.camera is not None
    plan = photograph.optics(params.iso, params.camera)
    made = photograph.expose(wall(0.2, 512, 512), plan, params.iso, params.camera)
    photo = np.concatenate([rows for _, rows in photograph.noisy(made, plan, params.camera, np.zeros((8, 8), np.int32))])
    noise_left = (photo - made.light).astype(np.float32)
    red = cv2.blur(noise_left[..., 0] - cv2.transform(noise_left, np.array([photograph.LUMA])), (9, 9))  # fine colour noise is gone
    assert 0.8 < red.std() / float(made.spread.mean()) / (blotch * colour) < 1.5
