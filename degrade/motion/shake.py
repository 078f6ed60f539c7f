"""Camera shake: what a hand does to a camera during one exposure.

The camera turns (pan, tilt, roll) and moves forward along a path of time, and every instant leaves its own view,

    B = sum_i w_i L(H_i x),    H = K R K^-1,    sum w = 1

so the blur differs over the picture: corners turn, the middle glides (Whyte et al., "Non-uniform Deblurring for Shaken
Images", IJCV 2012). The path is drift, whose amplitude falls with frequency, and physiological tremor at 8 to 12 Hz: short
exposures leave straight streaks, long ones loops. Sideways steps of the camera are left out: beyond a metre or two they are
no match for rotation. Views are taken at equal steps along the path, weighted by the time that was spent there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays import strips
from degrade.contract import Linear
from degrade.motion import sweep
from degrade.stream import field_rng

MOMENTS = 768  # instants at which the path is computed
DRIFT_HZ = np.geomspace(0.3, 6.0, 7)  # of the drift; amplitudes fall with frequency ** 1.1
MOST_VIEWS = 24  # of one exposure; beyond a step of a pixel the light is smoothed to bridge the step
STEP_PX = 1.2
BRIDGE = 0.42  # width of that smoothing, in steps


class Shake(NamedTuple):
    """One exposure by hand."""

    exposure_ms: float  # decides the shape of the path, not its size
    tremor_hz: float
    tremor: float  # amplitude of the tremor, of the drift's at 1 Hz
    roll: float  # rotation about the axis, of pan and tilt
    forward: float  # movement along the axis, as a share of the distance, of pan and tilt in radians
    seed: int


class Views(NamedTuple):
    """The views that make up an exposure."""

    poses: NDArray[np.float64]  # nx4: pan, tilt, roll in radians, forward as a share of the distance; their weighted mean is zero
    weights: NDArray[np.float64]  # n, sum 1: time spent there
    step_px: float  # between neighbours, on average over the picture


def path(shake: Shake) -> NDArray[np.float64]:
    """Return pan, tilt, roll and forward at `MOMENTS` instants, MOMENTSx4, mean zero, of arbitrary size."""
    seconds = np.linspace(0.0, shake.exposure_ms / 1e3, MOMENTS)
    rng = field_rng(shake.seed)
    quiver = shake.tremor_hz * (1.0 + 0.1 * rng.standard_normal(2))
    hertz = np.concatenate([DRIFT_HZ, quiver])
    size = np.concatenate([DRIFT_HZ**-1.1, np.full(2, shake.tremor * 0.7)])
    phase = 2 * math.pi * hertz * seconds[:, None]
    waves = np.concatenate([np.sin(phase), np.cos(phase)], 1)
    amplitudes = rng.standard_normal((2 * len(hertz), 4)) * np.concatenate([size, size])[:, None]
    poses = waves @ (amplitudes * np.array([1.0, 1.0, shake.roll, shake.forward]))
    return np.asarray(poses - poses.mean(0))


def views(shake: Shake, length_px: float, width: int, height: int, focal_px: float) -> Views:
    """Return the views of an exposure whose blur has a length, averaged over the picture.

    Args:
        shake: the exposure.
        length_px: of the straight even streak with the same spread, px of this picture.
        width: px.
        height: px.
        focal_px: focal length.
    """
    poses = path(shake)
    # px that a point moves, squared and averaged over the picture, per squared unit of each part of the pose
    reach = np.array([focal_px**2, focal_px**2, (width**2 + height**2) / 12, (width**2 + height**2) / 12])
    spread_px = math.sqrt(float((poses**2 @ reach).mean()))
    poses *= length_px / math.sqrt(12.0) / max(spread_px, 1e-12)
    steps_px = np.sqrt(np.diff(poses, axis=0) ** 2 @ reach)
    travelled = np.concatenate([[0.0], np.cumsum(steps_px)])
    count = int(min(max(math.ceil(travelled[-1] / STEP_PX), 2), MOST_VIEWS))
    stop = np.minimum((travelled / max(travelled[-1], 1e-12) * count).astype(int), count - 1)
    spent = np.bincount(stop, minlength=count)
    means = np.stack([np.bincount(stop, part, count) for part in poses.T], 1) / np.maximum(spent, 1)[:, None]
    return Views(means[spent > 0], spent[spent > 0] / MOMENTS, float(travelled[-1]) / count)


def render(light: Linear, shake: Shake, length_px: float, height_rad: float) -> Linear:
    """Return the shaken exposure.

    Args:
        light: HxWx3 linear light with its highlights; left untouched.
        shake: the exposure.
        length_px: blur length, px of this picture.
        height_rad: vertical field of view.
    """
    height, width = light.shape[:2]
    focal_px = 0.5 * height / math.tan(0.5 * height_rad)
    taken = views(shake, length_px, width, height, focal_px)
    turns = [homography(pose, width, height, focal_px) for pose in taken.poses]
    wide = sweep.widened(light)  # four channels are warped in two thirds of the time that three take
    made = np.empty_like(light)
    for rows in strips.rows_of(light.shape):
        total = np.zeros((rows.stop - rows.start, width, 4), np.float32)
        seen, down = np.empty_like(total), np.array([[1, 0, 0], [0, 1, rows.start], [0, 0, 1]])
        for turn, weight in zip(turns, taken.weights.tolist(), strict=True):
            cv2.warpPerspective(wide, turn @ down, (width, len(total)), seen, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT_101)
            cv2.scaleAdd(seen, weight, total, total)
        cv2.cvtColor(total, cv2.COLOR_RGBA2RGB, made[rows])
    return cv2.GaussianBlur(made, (0, 0), BRIDGE * taken.step_px) if taken.step_px > 1.3 * STEP_PX else made


def homography(pose: NDArray[np.float64], width: int, height: int, focal_px: float) -> NDArray[np.float64]:
    """Return the 3x3 map from pixels of the turned view to pixels of the photo."""
    pan, tilt, roll, forward = pose
    camera = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
    turn, _ = cv2.Rodrigues(np.array([tilt, -pan, roll]))
    turn[:, :2] *= 1.0 + forward
    return np.asarray(camera @ turn @ np.linalg.inv(camera))
