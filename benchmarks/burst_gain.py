"""`python -m benchmarks.burst_gain [--photos N] [--side PX] [--json FILE]`: how near to the truth is a merged reference?

Bursts are made of real photos: the scene is the photo, each frame is a small shift and turn of it, reduced by half as a lens
and sensor would, with noise of its own in linear light, in 8 bits; the truth is the first frame without its noise. Tables:

    sensor    photon and read noise (`degrade.sensor`): 10 log10 N dB over a single frame are what averaging allows
    camera    the same through a mosaic and a camera's own denoiser (`degrade.raw`), whose loss of texture no merge gives back
    moving    a thing crosses the scene: the largest error where it is or was, of a 5 px mean, in levels of 255
    bracket   exposures of -3, -2, -1, 0 EV: the merge in the exposure of the last, against the best single frame

Peak signal-to-noise ratios are of sRGB levels over what all frames show.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from degrade import camera, noise, sensor
from degrade.arrays import fields
from degrade.contract import Facts, Linear, Srgb
from degrade.raw.photograph import photograph
from degrade.scene import segments
from degrade.stream import stream
from filters.registration.similarity import Similarity
from pipelines.makers.merging import scene
from pipelines.makers.merging.placing import Box

SIDE_PX = 512
ISO = (400.0, 1600.0, 6400.0)
COUNTS = (2, 4, 8, 16)
SHIFT_PX, TURN_DEG = 12.0, 0.6
LENS_PX = 0.6  # sigma of the lens: with the pixel's own area, 0.11 of the contrast is left at the finest pitch
EDGE_PX = 24  # that is left off: not every frame shows it
EVS = (-3.0, -2.0, -1.0, 0.0)
THING_PX, STEP_PX = 48, 30


class Burst(NamedTuple):
    """Frames of one scene and what the first would be without noise."""

    truth: Srgb
    frames: list[Srgb]
    thing: tuple[Box, ...] = ()  # where the moving thing is, by frame


def square(path: Path, side_px: int) -> Srgb:
    """Return the middle of a photo at twice the size of a frame, with room to move."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    want, side = 2 * (side_px + 64), min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    kernel = cv2.INTER_AREA if side >= want else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture[top : top + side, left : left + side], (want, want), interpolation=kernel), np.uint8)


def views(photo: Srgb, count: int, side_px: int, key: str, lens_px: float = LENS_PX) -> list[Linear]:
    """Return what a hand that is not quite still sees, noiseless; the first view is the photo's own."""
    rng = stream(0, "burst", key)
    light = camera.to_linear(photo)
    if lens_px:
        light = cv2.GaussianBlur(light, (0, 0), 2 * lens_px)
    size = photo.shape[0]
    rim = (size // 2 - side_px) // 2
    seen = []
    for index in range(count):
        x, y, turn = rng.uniform(-1, 1, 3).tolist() if index else (0.0, 0.0, 0.0)
        moved = Similarity(2 * SHIFT_PX * x, 2 * SHIFT_PX * y, 1.0, TURN_DEG * turn)
        there = cv2.warpAffine(light, moved.matrix(size, size), (size, size), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
        small = cv2.resize(np.clip(there, 0, 1), (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        seen.append(np.ascontiguousarray(small[rim : rim + side_px, rim : rim + side_px]))
    return seen


def by_sensor(light: Linear, iso: float, ev: float, seed: int) -> Srgb:
    """Return what a sensor without a mosaic records of some light."""
    shot = 1e-6 * iso
    read = sensor.read_noise_for(shot, 0.0)
    exposed = light * np.float32(2.0**ev)
    for channel in range(3):
        words = [fields.random_words(seed + 10 * channel + part, exposed.shape[:2]) for part in (0, 1)]
        plane = np.ascontiguousarray(exposed[:, :, channel])
        exposed[:, :, channel] += sensor.shot_noise(plane, shot, words[0]) + np.float32(read) * sensor.read_noise(0.1, words[1])
    return camera.to_srgb(exposed)


def by_camera(light: Linear, iso: float, seed: int) -> Srgb:
    """Return what a camera with a mosaic and a denoiser makes of some light."""
    ranges = noise.NoiseRanges(source={"camera": 1.0}, jpeg=0.0, web=0.0)
    params = noise.sample(stream(0, "burst camera", ""), ranges, Facts(light.shape[1], light.shape[0]), 3)
    assert params.camera is not None
    return photograph(light, iso, params.camera._replace(seed=seed), segments.superpixels(camera.to_srgb(light)))


def psnr(truth: Srgb, picture: Srgb, edge_px: int = EDGE_PX) -> float:
    """Return the peak signal-to-noise ratio of the middle, dB."""
    inner = slice(edge_px, -edge_px)
    error = truth[inner, inner].astype(np.float64) - picture[inner, inner]
    return -10 * math.log10((error**2).mean() / 255**2 + 1e-12)


def merge(frames: Sequence[Srgb], wanted: int = 0) -> tuple[Srgb, float]:
    """Return the merge of frames in the geometry of the first and the exposure of another; and how many joined, of the others."""
    own = scene.frame(frames[0])
    others = [scene.compared(own, scene.frame(other)) for other in frames[1:]]
    usable = [one for one in others if not isinstance(one, str)]
    if len(usable) < len(others):
        print("   lost:", [one for one in others if isinstance(one, str)])
    light, joined = scene.merged(frames[0], usable, Box(0, 0, *frames[0].shape[1::-1]))
    gain = usable[wanted - 1].gain if wanted else np.ones(3, np.float32)
    return camera.to_srgb(light * gain), float(joined[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX].mean()) / max(len(others), 1)
