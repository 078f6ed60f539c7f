"""Photos of one scene, in place, to one picture of less noise: a weighted mean in linear light.

    x = sum of w_i y_i / sum of w_i g_i,    w_i = trust_i white_i g_i / (a g_i x + b)

y_i is the light that photo i recorded, g_i its exposure. The weights are those of least variance for a sensor of shot noise a
and read noise b, both fitted to the photos; of equal exposures they are equal. As in radiance maps (Debevec and Malik, SIGGRAPH 1997) a
photo has no say where it is near its white. But weights see the mean of all photos nearby, never the noisy value that they
weigh, or noise would choose its own side and the mean be wrong. What files cut off below black no mean gives back: the deepest
shadows of very noisy bursts stay a little too bright, in linear light by as much as the photo's own.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map
from pipelines.makers.merging.trust import Curve

NEARBY_PX = 5
NEAR_WHITE, WHITE = 0.75, 0.95  # recorded light between which a photo's say fades
LAST_WORD = 1e-3  # what is left of it, for what every photo clips: the darkest comes nearest


class Exposure(NamedTuple):
    """One photo in its place."""

    light: Linear  # HxWx3, as it was recorded
    gain: NDArray[np.float32]  # 3, against the photo that the result belongs to
    trust: Map  # HxW, 0 to 1


class Sensor(NamedTuple):
    """Variance of recorded light: shot x + read."""

    shot: float
    read: float


def merged(photos: list[Exposure], sensor: Sensor) -> Linear:
    """Return the merged light, HxWx3, in the exposure of the photo whose gain is 1.

    Args:
        photos: at least one; one of them is trusted everywhere.
        sensor: their noise.
    """
    guide = _mean([(photo, photo.trust[:, :, None] * _below_white(_most(photo.light), photo, photos)) for photo in photos])
    guide = cv2.blur(np.maximum(guide, 0), (NEARBY_PX, NEARBY_PX))
    bright = _most(guide)
    weighted = []
    for photo in photos:
        variance = np.float32(sensor.shot) * photo.gain * guide + np.float32(sensor.read)
        weight = photo.trust[:, :, None] * _below_white(photo.gain * bright, photo, photos)
        weighted.append((photo, weight * photo.gain / variance))
    return _mean(weighted)


def _mean(weighted: list[tuple[Exposure, NDArray[np.float32]]]) -> Linear:
    total = sum(cv2.multiply(photo.light, weight) for photo, weight in weighted)
    weights = sum(photo.gain * weight for photo, weight in weighted)
    return np.asarray(total / weights, np.float32)


def _below_white(recorded: Linear, photo: Exposure, photos: list[Exposure]) -> NDArray[np.float32]:
    """Return how much of its say a photo has where it recorded some light, HxWx3."""
    least = np.min([other.gain for other in photos], axis=0)
    last = (LAST_WORD * (least / photo.gain) ** 4).astype(np.float32)
    return np.maximum(np.clip((np.float32(WHITE) - recorded) / np.float32(WHITE - NEAR_WHITE), 0, 1), last)


def _most(light: Linear) -> Linear:
    return cv2.dilate(light, np.ones((3, 3), np.uint8))


def fitted(noise: list[tuple[NDArray[np.float32], tuple[Curve, Curve, Curve]]]) -> Sensor:
    """Return the sensor whose noise explains the differences between a photo and others best.

        V = a x + b + a x / g + b / g^2

    Args:
        noise: of every other photo, its gain and the variance of its difference by brightness, in the photo's exposure.
    """
    rows = []
    for gain, curves in noise:
        for factor, curve in zip(gain.tolist(), curves, strict=True):
            known = np.stack([curve.light * (1 + 1 / factor), np.full_like(curve.light, 1 + 1 / factor**2)], 1)
            rows.append(known / curve.variance[:, None])
    table = np.concatenate(rows)
    shot, read = np.linalg.lstsq(table, np.ones(len(table)), rcond=None)[0].tolist()
    if shot <= 0 or read <= 0:
        single = [float(column.sum() / (column @ column)) for column in table.T]
        shot, read = (single[0], 0.0) if read <= 0 else (0.0, single[1])
    return Sensor(max(shot, 0.0), max(read, 1e-9))
