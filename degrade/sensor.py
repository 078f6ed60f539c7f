"""What a sensor adds to light: photon counting, electronics, quantisation.

    raw = round(min(K N + n_read + n_row, 1)),  N ~ Poisson(x / K),  so  var = K x + s_r^2

K is the light of one photo-electron (1 = the sensor clips). Read noise has the long tails of Wei et al.'s fits ("ELD",
TPAMI 2021): a Tukey-lambda distribution, plus noise shared by each row. Counts are
drawn from a table of quantiles: Poisson's below 30 electrons, above that those of a normal distribution with its skewness
corrected (Cornish and Fisher, 1938). Values stay a little below zero: the black level is taken off, not clipped, as cameras do.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import fields

BLACK = 1.0 / 16.0  # black level as a share of full scale: how far noise can be seen below zero
DARK = 30.0  # photo-electrons from which a corrected normal distribution will do
MEANS = 64  # rows of the table, by root / (root + BEND) of the mean count: dense where counts are few
CELLS = 1024  # quantiles per row
BEND = 3.0
LOGISTIC = 1e-3  # |lambda| below which Tukey's distribution is taken to be its limit at 0


class Sensor(NamedTuple):
    """One exposure of one sensor."""

    shot: float  # K: light of one photo-electron, as a share of full scale
    read_noise: float  # standard deviation, as a share of full scale
    tail: float  # Tukey lambda of the read noise: 0.14 is all but normal, negative has long tails
    row_frac: float  # standard deviation of the row noise, relative to the read noise
    bits: int  # of the converter
    hot_per_mpx: float  # pixels with a leaking well per million; a fraction is a pixel that leaks less
    seed: int


def read_noise_for(shot: float, deviation: float) -> float:
    """Return the read noise (standard deviation) that goes with a shot noise: log r = 2.18 log s + 1.20 + deviation.

    The line through four cameras of Brooks et al. (CVPR 2019), where s and r are variances; the deviation is N(0, 0.26).
    """
    return math.exp(0.5 * (2.18 * math.log(shot) + 1.20 + deviation))


@functools.cache
def _count_table() -> NDArray[np.float32]:
    """Return (N - mean) / sqrt(mean) by mean count (upper 6 bits of the index) and probability (lower 10)."""
    table = np.zeros((MEANS, CELLS))
    for row in range(1, MEANS):
        share = min(row / (MEANS - 1), 0.99)
        mean = (BEND * share / (1.0 - share)) ** 2
        quantiles = _poisson_quantiles(mean) if mean < DARK else _skewed_normal_quantiles(mean)
        quantiles -= quantiles.mean()
        table[row] = quantiles / max(float(quantiles.std()), 1e-9)  # exact: what lies beyond the last quantile is not lost
    return table.astype(np.float32).reshape(1, -1)


def _poisson_quantiles(mean: float) -> NDArray[np.float64]:
    counts = np.arange(90)
    log_factorial = np.array([math.lgamma(count + 1.0) for count in counts])
    cumulative = np.cumsum(np.exp(counts * math.log(mean) - mean - log_factorial))
    return np.searchsorted(cumulative, (np.arange(CELLS) + 0.5) / CELLS).astype(np.float64)


def _skewed_normal_quantiles(mean: float) -> NDArray[np.float64]:
    normal = np.array([NormalDist().inv_cdf((cell + 0.5) / CELLS) for cell in range(CELLS)])
    return np.asarray(math.sqrt(mean) * normal + (normal**2 - 1.0) / 6.0)


def shot_noise(light: NDArray[np.float32], shot: float, words: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the deviation of counted light from its mean: zero on average, variance `shot` times the light.

    Args:
        light: HxW float32, share of full scale; below zero counts as zero.
        shot: light of one photo-electron.
        words: HxW uniform random words.
    """
    return _counted(_well(light, shot), words)


class _Well(NamedTuple):
    """What the counts at a light are drawn from."""

    spread: NDArray[np.float32]  # standard deviation, share of full scale
    row: NDArray[np.uint16]  # of the table, in the upper 6 bits


def _well(light: NDArray[np.float32], shot: float) -> _Well:
    root: NDArray[np.float32] = cv2.threshold(light, 0.0, 0.0, cv2.THRESH_TOZERO)[1]
    root *= np.float32(1.0 / shot)
    cv2.sqrt(root, root)
    row: NDArray[np.uint16] = cv2.divide(root, root + np.float32(BEND), scale=MEANS - 1.0, dtype=cv2.CV_16U)
    row <<= 10
    root *= np.float32(shot)
    return _Well(root, row)


def _counted(well: _Well, words: NDArray[np.uint16]) -> NDArray[np.float32]:
    index = words >> 6
    index |= well.row
    deviation: NDArray[np.float32] = cv2.LUT(index, _count_table())
    deviation *= well.spread
    return deviation


@functools.cache
def _log_probabilities() -> NDArray[np.float32]:
    return np.log((np.arange(fields.LEVELS) + 0.5) / fields.LEVELS).astype(np.float32).reshape(1, -1)


@functools.lru_cache(maxsize=8)
def _tukey_quantiles(tail: float) -> NDArray[np.float32]:
    """Return 65,536 quantiles of Tukey's lambda distribution, scaled to unit variance."""
    logs = _log_probabilities()
    powers = logs if abs(tail) < LOGISTIC else cv2.exp(logs * np.float32(tail))
    quantiles = cv2.subtract(powers, powers[:, ::-1])
    deviation = math.sqrt(cv2.norm(quantiles, cv2.NORM_L2SQR) / fields.LEVELS)
    return quantiles * np.float32(math.copysign(1.0 / deviation, tail) if powers is not logs else 1.0 / deviation)


def read_noise(tail: float, words: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return read noise, HxW: mean 0, variance 1, tails by Tukey's lambda.

    Args:
        tail: lambda.
        words: HxW uniform random words.
    """
    return cv2.LUT(words, _tukey_quantiles(tail))


class Chance(NamedTuple):
    """The random part of an exposure, regrown from its seed; rows of it belong to rows of the planes."""

    photons: NDArray[np.uint16]  # 4xHxW words
    electronics: NDArray[np.uint16]  # 4xHxW words
    lines: NDArray[np.float32]  # Hx2, standard normal
    leaks: tuple[tuple[int, int, int, float], ...]  # site, row, column, light of every hot pixel

    def rows(self, first: int, last: int) -> Chance:
        """Return the part that belongs to some rows."""
        leaks = tuple((site, row - first, column, leak) for site, row, column, leak in self.leaks if first <= row < last)
        return Chance(self.photons[:, first:last], self.electronics[:, first:last], self.lines[first:last], leaks)


def roll(sensor: Sensor, rows: int, columns: int) -> Chance:
    """Regrow the random part of an exposure for planes of 4 x rows x columns."""
    shape = (4, rows, columns)
    photons, electronics = fields.random_words(sensor.seed, shape), fields.random_words(sensor.seed + 1, shape)
    return Chance(photons, electronics, fields.gaussian(sensor.seed + 2, rows, 2), _leaks(sensor, rows, columns))


def _leaks(sensor: Sensor, rows: int, columns: int) -> tuple[tuple[int, int, int, float], ...]:
    """Place the hot pixels; they gain between a tenth of full scale and all of it, mostly little."""
    expected = sensor.hot_per_mpx * 4e-6 * rows * columns
    count = math.ceil(expected)
    found = []
    for index, (site, row, column, heat) in enumerate(fields.random_words(sensor.seed + 3, (count, 4)) / fields.LEVELS):
        leak = (0.1 + 0.9 * heat**2) * min(expected - index, 1.0)
        found.append((int(4 * site), int(rows * row), int(columns * column), float(leak)))
    return tuple(found)


def steps(bits: int) -> float:
    """Return the steps of a converter between black and the clip."""
    return float(2**bits - 1) * (1.0 - BLACK)


def sense(light: Sequence[NDArray[np.float32]], sensor: Sensor, chance: Chance, behind: tuple[int, ...] = (0, 1, 2, 3)) -> list[NDArray[np.int16]]:
    """Return what the converter counts for the light on a mosaic: steps above the black level, clipped only when read (`by_count`).

    Args:
        light: HxW float32 planes of light, share of full scale.
        sensor: the exposure.
        chance: its random part, for the same rows.
        behind: which plane falls on each of the four sites.
    """
    wells = [_well(plane, sensor.shot) for plane in light]
    raw = []
    for site, plane in enumerate(behind):
        signal = _counted(wells[plane], chance.photons[site])
        signal += light[plane]
        signal += chance.lines[:, site // 2, None] * np.float32(sensor.row_frac * sensor.read_noise)
        for leaking, row, column, leak in chance.leaks:
            if leaking == site:
                signal[row, column] += leak
        unit = steps(sensor.bits)
        noise = read_noise(sensor.tail, chance.electronics[site])
        raw.append(cv2.addWeighted(signal, unit, noise, unit * sensor.read_noise, 0.0, dtype=cv2.CV_16S))
    return raw


def reading(bits: int) -> NDArray[np.float32]:
    """Return the RAW value of every count that a converter can give, from -1/16 to 1."""
    top = steps(bits)
    return np.arange(-int(BLACK * top), int(top) + 1, dtype=np.float32) * np.float32(1.0 / top)


def by_count(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Return a table for `cv2.LUT` of what stands for each count; beyond the converter's ends stands the value of the end.

    Args:
        values: one for every entry of `reading`.
        bits: of the converter.
    """
    zero = int(BLACK * steps(bits))
    above = len(values) - zero
    table = np.empty(fields.LEVELS, np.float32)  # negative counts last, as their bits read without a sign
    table[:above] = values[zero:]
    table[above : fields.LEVELS // 2] = values[-1]
    table[fields.LEVELS // 2 :] = values[0]
    table[fields.LEVELS - zero :] = values[:zero]
    return table.reshape(1, -1)
