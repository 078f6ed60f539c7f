"""What a photo holds: tones and colours, and how many of them are lost, without a model.

- clipped: the share of pixels in which two channels or more are at the top, or all at the bottom: what was there is gone;
- content: bits of tone per pixel, the entropy of luma times the share of pixels that are not exactly as their
  neighbours. Photos have grain everywhere; logos, scanned text, drawings and blank pages are dead flat nearly everywhere;
- border: the share of height or width that a uniform border takes, be it a letterbox, a frame, or the grey with which a
  decoder fills what a damaged JPEG lacks;
- colourfulness: the spread of the opponent channels (Hasler and Suesstrunk, HVEI 2003), in 8-bit levels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Srgb
from filters.detail import Lines

TOP, BOTTOM = 254, 2  # levels at which a channel counts as clipped
SAMPLES = 1 << 17  # pixels that tell of clipping and colour
BORDER_LEVELS = 4  # what a border may vary by, through JPEG
BORDER_STEP = 8  # mean levels by which a picture begins beside it; the night fades in gently


def sample(pixels: Srgb) -> Srgb:
    """Return evenly spread pixels, unmixed, as many as tell of clipping and colour."""
    height, width = pixels.shape[:2]
    step = max(1.0, (height * width / SAMPLES) ** 0.5)
    return cv2.resize(pixels, (math.ceil(width / step), math.ceil(height / step)), interpolation=cv2.INTER_NEAREST)


def clipping(sampled: Srgb) -> tuple[float, float]:
    """Return the shares of pixels that are clipped at the bottom and at the top."""
    red, green, blue = cv2.split(sampled)
    low, high = cv2.min(red, green), cv2.max(red, green)
    middle, high = cv2.max(low, cv2.min(high, blue)), cv2.max(high, blue)
    return np.count_nonzero(high <= BOTTOM) / red.size, np.count_nonzero(middle >= TOP) / red.size


def colourfulness(sampled: Srgb) -> float:
    """Return the spread of colours: 0 for grey, about 15 for a dull photo and 100 for a vivid one."""
    red, green, blue = cv2.split(sampled.astype(np.int16))
    twice_yellow = cv2.subtract(cv2.add(red, green), cv2.add(blue, blue))
    (red_mean, red_spread), (yellow_mean, yellow_spread) = (cv2.meanStdDev(plane) for plane in (cv2.subtract(red, green), twice_yellow))
    spread = math.hypot(red_spread.item(), yellow_spread.item() / 2)
    return spread + 0.3 * math.hypot(red_mean.item(), yellow_mean.item() / 2)


def content(groups: Lines) -> float:
    """Return the bits of tone in the part of a photo that is not dead flat, 0 to 8."""
    counts = np.bincount(groups.first.ravel(), minlength=256)
    shares = counts[counts > 0] / groups.first.size
    entropy = -float((shares * np.log2(shares)).sum())
    along = cv2.absdiff(groups.first[:, 1:], groups.first[:, :-1])
    down = cv2.absdiff(groups.second[:, :-1], groups.first[:, :-1])
    alive = cv2.countNonZero(cv2.max(along, down)) / along.size
    return entropy * alive


def border(groups: Lines) -> float:
    """Return the larger of the shares of height and of width that uniform stripes at the edges take."""
    return max(_stripes(groups.first), _stripes(groups.first.T))


def _stripes(plane: NDArray[np.uint8]) -> float:
    """Return the share of the rows that are uniform, from the first or the last on, and end with a step."""
    ranges = plane.max(1) - plane.min(1)
    living = np.flatnonzero(ranges > BORDER_LEVELS)
    if not living.size:
        return 1.0
    first, last = int(living[0]), int(living[-1])
    above = first if first and _differ(plane[first - 1], plane[min(first + 1, last)]) else 0
    below = len(plane) - 1 - last
    below = below if below and _differ(plane[last + 1], plane[max(last - 1, first)]) else 0
    return (above + below) / len(plane)


def _differ(row: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return float(np.abs(row.astype(np.int16) - other).mean()) > BORDER_STEP
