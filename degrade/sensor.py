"""What a sensor adds to light: photon counting, electronics, quantisation.

    raw = round(min(K N + n_read + n_row + bias, 1)),  N ~ Poisson(x / K),  so  var = K x + s_r^2

K is the light of one photo-electron (1 = the sensor clips). Read noise has the long tails of Wei et al.'s fits ("ELD",
TPAMI 2021): a Tukey-lambda distribution, plus noise shared by each row and a bias per colour. Below 30 electrons the
counts are drawn from tables of the Poisson distribution; above, from a normal one with its skewness corrected
(Cornish and Fisher, 1938). Values stay a little below zero: the black level is taken off, not clipped, as cameras do.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import fields
from degrade.bayer import Planes

BLACK = 1.0 / 16.0  # black level as a share of full scale: how far noise can be seen below zero
DARK = 30.0  # photo-electrons up to which counts come from the tables
STEPS = 8  # table rows per photo-electron
CELLS = 2048  # quantiles per row
WORDS_TO_CELLS = 5  # 16-bit words to 2048 cells, in bits


class Sensor(NamedTuple):
    """One exposure of one sensor."""

    shot: float  # K: light of one photo-electron, as a share of full scale
    read_noise: float  # standard deviation, as a share of full scale
    tail: float  # Tukey lambda of the read noise: 0.14 is all but normal, negative has long tails
    row_frac: float  # standard deviation of the row noise, relative to the read noise
    bits: int  # of the converter
    hot_per_mpx: float  # pixels with a leaking well per million; a fraction is a pixel that leaks less
    seed: int
    bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # of the four sites, relative to the read noise


def read_noise_for(shot: float, deviation: float) -> float:
    """Return the read noise (standard deviation) that goes with a shot noise: log r = 2.18 log s + 1.20 + deviation.

    The line through four cameras of Brooks et al. (CVPR 2019), where s and r are variances; the deviation is N(0, 0.26).
    """
    return math.exp(0.5 * (2.18 * math.log(shot) + 1.20 + deviation))


@functools.cache
def _count_table() -> NDArray[np.float32]:
    """Return N - mean for mean counts 0, 1/8 ... 30 (rows) and evenly spaced probabilities (columns)."""
    probabilities = (np.arange(CELLS) + 0.5) / CELLS
    table = np.zeros((int(DARK) * STEPS + 1, CELLS))
    counts = np.arange(90)
    log_factorial = np.array([math.lgamma(count + 1.0) for count in counts])
    for row in range(1, len(table)):
        mean = row / STEPS
        cumulative = np.cumsum(np.exp(counts * math.log(mean) - mean - log_factorial))
        table[row] = np.searchsorted(cumulative, probabilities)
        table[row] -= table[row].mean()
        table[row] *= math.sqrt(mean) / table[row].std()  # what lies beyond the last quantile is not lost
    return table.astype(np.float32)


def shot_noise(light: NDArray[np.float32], shot: float, seed: int) -> NDArray[np.float32]:
    """Return the deviation of counted light from its mean: zero on average, variance `shot` times the light.

    Args:
        light: HxW float32, share of full scale; below zero counts as zero.
        shot: light of one photo-electron.
        seed: of the field.
    """
    words = fields.random_words(seed, light.shape)
    mean = np.multiply(light, np.float32(1.0 / shot))
    np.maximum(mean, 0.0, out=mean)
    noise = mean - np.float32(1.0 / 18.0)  # the skewness term below holds 1/18 of variance
    cv2.sqrt(np.maximum(noise, 0.0, out=noise), noise)
    normal = fields.as_normal(words)
    noise *= normal
    normal *= normal
    normal -= 1.0
    cv2.scaleAdd(normal, 1.0 / 6.0, noise, noise)
    dark = cv2.compare(mean, DARK, cv2.CMP_LT)
    if cv2.hasNonZero(dark):
        mean *= STEPS
        np.copyto(normal, np.right_shift(words, WORDS_TO_CELLS, out=words))
        counted = cv2.remap(_count_table(), normal, mean, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        cv2.copyTo(counted, dark, noise)
    noise *= np.float32(shot)
    return noise


@functools.lru_cache(maxsize=8)
def _tukey_quantiles(tail: float) -> NDArray[np.float32]:
    """Return 65,536 quantiles of Tukey's lambda distribution, scaled to unit variance."""
    probabilities = (np.arange(fields.LEVELS) + 0.5) / fields.LEVELS
    if abs(tail) < 1e-6:
        quantiles = np.log(probabilities / probabilities[::-1])
    else:
        powers = probabilities**tail
        quantiles = (powers - powers[::-1]) / tail
    return (quantiles / quantiles.std()).astype(np.float32).reshape(1, -1)


def read_noise(rows: int, columns: int, tail: float, seed: int) -> NDArray[np.float32]:
    """Return an HxW field of read noise: mean 0, variance 1, tails by Tukey's lambda."""
    return cv2.LUT(fields.random_words(seed, (rows, columns)), _tukey_quantiles(tail))  # type: ignore[return-value]


def _add_rows(planes: Planes, sigma: float, seed: int) -> None:
    rows = fields.gaussian(seed, planes.shape[1], 2) * np.float32(sigma)
    for site in range(4):
        planes[site] += rows[:, site // 2, None]


def _add_hot_pixels(planes: Planes, per_mpx: float, seed: int) -> None:
    """Let some wells leak: light is added to them, between a tenth of full scale and all of it."""
    flat = planes.reshape(-1)
    count = per_mpx * flat.size * 1e-6
    words = fields.random_words(seed, (math.ceil(count), 4)).astype(np.int64)
    where = (words[:, 0] * fields.LEVELS + words[:, 1]) % flat.size
    leak = 0.1 + 0.9 * (words[:, 2] / fields.LEVELS) ** 2
    leak[-1:] *= 1.0 - (math.ceil(count) - count)
    flat[where] += leak.astype(np.float32)


def sense(light: Planes, sensor: Sensor) -> Planes:
    """Return what the converter reports for the light on a mosaic, black level taken off.

    Args:
        light: 4xHxW float32 planes of a mosaic, share of full scale.
        sensor: the exposure.

    Returns:
        4xHxW float32 in [-1/16, 1], in steps of the converter.
    """
    sites, rows, columns = light.shape
    sheet = light.reshape(-1, columns)
    raw = cv2.add(sheet, shot_noise(sheet, sensor.shot, sensor.seed))
    cv2.scaleAdd(read_noise(*sheet.shape, sensor.tail, sensor.seed + 1), sensor.read_noise, raw, raw)
    planes: Planes = raw.reshape(sites, rows, columns)  # type: ignore[assignment]
    _add_rows(planes, sensor.row_frac * sensor.read_noise, sensor.seed + 2)
    if sensor.hot_per_mpx > 0.0:
        _add_hot_pixels(planes, sensor.hot_per_mpx, sensor.seed + 3)
    if any(sensor.bias):
        planes += np.array(sensor.bias, np.float32).reshape(4, 1, 1) * np.float32(sensor.read_noise)
    return quantise(planes, sensor.bits)


def quantise(planes: Planes, bits: int) -> Planes:
    """Clip to [-1/16, 1] and round to the steps of a converter, in place; returns the same array."""
    steps = (2**bits - 1) * (1.0 - BLACK)
    sheet = planes.reshape(-1, planes.shape[-1])
    np.clip(sheet, -BLACK, 1.0, out=sheet)
    sheet *= np.float32(steps)
    np.rint(sheet, sheet)
    sheet *= np.float32(1.0 / steps)
    return planes
