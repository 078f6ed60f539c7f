"""The sensor's noise obeys its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from degrade import sensor
from degrade.arrays import fields

QUIET = sensor.Sensor(shot=1e-3, read_noise=0.01, tail=0.14, row_frac=0.0, bits=14, hot_per_mpx=0.0, seed=3)


def expose(light: float, settings: sensor.Sensor, size: int = 256) -> np.ndarray:
    """Take a picture of an even wall and read it."""
    counts = sensor.sense(np.full((4, size, size), light, np.float32), settings, sensor.roll(settings, size, size))
    table = sensor.by_count(sensor.reading(settings.bits), settings.bits)
    return np.stack([table[0][plane.view(np.uint16)] for plane in counts])


@pytest.mark.parametrize("photons", [0.1, 0.5, 1.0, 3.0, 10.0, 29.0, 31.0, 60.0, 500.0])
def test_counts_have_the_mean_variance_and_skewness_of_poisson(photons: float) -> None:
    """Mean, variance and third moment of counted photons all equal the mean count, on both sides of the tables' end."""
    shot, side = 1e-4, 1024
    light = np.full((side, side), photons * shot, np.float32)
    noise = sensor.shot_noise(light, shot, fields.random_words(5, (side, side))).astype(np.float64) / shot
    assert abs(noise.mean()) < 5 * math.sqrt(photons) / side + 1e-3
    assert abs(noise.var() / photons - 1) < 0.015
    assert abs((noise**3).mean() / photons - 1) < 0.1 + 0.004 * math.sqrt(photons)


def test_black_has_no_shot_noise_and_negative_light_is_harmless() -> None:
    """Where no photon falls nothing is counted."""
    words = fields.random_words(1, (32, 32))
    for value in (0.0, -0.2):
        assert not sensor.shot_noise(np.full((32, 32), value, np.float32), 1e-3, words).any()


def test_variance_against_mean_is_the_line_of_the_record() -> None:
    """A straight line through variances of even walls gives K and the read noise back."""
    light = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7])
    variance = [expose(value, QUIET).var() for value in light]
    slope, floor = np.polyfit(light, variance, 1)
    assert abs(slope / QUIET.shot - 1) < 0.03
    assert abs(math.sqrt(floor) / QUIET.read_noise - 1) < 0.1


@pytest.mark.parametrize("light", [0.0, 0.002, 0.02, 0.2, 0.7])
def test_brightness_is_kept(light: float) -> None:
    """The mean of a wall is its light: the black level is taken off, not clipped."""
    assert abs(expose(light, QUIET).mean() - light) < 2e-4


@pytest.mark.parametrize(("tail", "heavy"), [(0.14, False), (0.0, True), (-0.2, True)])
def test_tukey_lambda_sets_the_tails(tail: float, heavy: bool) -> None:
    """0.14 is all but normal; at 0 and below the tails are long; the variance stays one."""
    noise = sensor.read_noise(tail, fields.random_words(2, (512, 512))).astype(np.float64)
    assert abs(noise.var() - 1) < 0.02
    assert ((noise**4).mean() > 3.5) == heavy


def test_row_noise_is_shared_by_rows() -> None:
    """Means of rows scatter by the recorded share of the read noise, far more than pixels would make them."""
    settings = QUIET._replace(row_frac=0.5)
    rows = expose(0.1, settings)[0].mean(axis=1)
    assert abs(rows.std() / (0.5 * settings.read_noise) - 1) < 0.2


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_the_converter_has_its_number_of_steps(bits: int) -> None:
    """All values are whole steps of the converter and none lies beyond its range."""
    seen = expose(0.9, QUIET._replace(bits=bits, read_noise=0.1), 64)
    steps = seen.astype(np.float64) * (2**bits - 1) * (1 - sensor.BLACK)
    assert np.abs(steps - np.rint(steps)).max() < 2e-2
    assert seen.max() <= 1.0
    assert seen.min() >= -sensor.BLACK


def test_hot_pixels_are_as_many_as_recorded() -> None:
    """A thousand hot pixels per million leave that many bright dots in a dark frame."""
    seen = expose(0.0, QUIET._replace(read_noise=1e-4, hot_per_mpx=1000.0))
    assert abs((seen > 0.05).sum() / (1000e-6 * seen.size) - 1) < 0.02


def test_most_hot_pixels_are_lukewarm() -> None:
    """They gain from a tenth of full scale to all of it, and half of them less than a third."""
    seen = expose(0.0, QUIET._replace(read_noise=1e-4, hot_per_mpx=5000.0))
    hot = seen[seen > 0.05]
    assert hot.min() == pytest.approx(0.1, abs=0.01)
    assert np.median(hot) == pytest.approx(0.1 + 0.9 / 4, abs=0.03)
    assert hot.max() > 0.95


def test_part_of_an_exposure_is_the_exposure_of_the_part() -> None:
    """Rows exposed alone have the noise, the lines and the hot pixels that they have in the whole."""
    settings = QUIET._replace(hot_per_mpx=500.0, row_frac=0.3)
    light = np.linspace(0, 1, 4 * 64 * 64, dtype=np.float32).reshape(4, 64, 64)
    chance = sensor.roll(settings, 64, 64)
    whole = np.stack(sensor.sense(light, settings, chance))
    assert np.array_equal(whole[:, 20:50], np.stack(sensor.sense(light[:, 20:50], settings, chance.rows(20, 50))))


def test_read_noise_follows_the_published_line() -> None:
    """Log r = 2.18 log s + 1.20 for variances."""
    assert abs(2 * math.log(sensor.read_noise_for(0.01, 0.0)) - (2.18 * math.log(0.01) + 1.20)) < 1e-9
