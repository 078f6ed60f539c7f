"""Haze: light is lost on its way, and the air adds its own.

    D = g (t C + (1 - t) A)        (Koschmieder, 1924), linear light, g the camera's new exposure

Written D = a C + A (g - a) with a = g t, it is linear in a for a known airlight A, and linear in A and A g for a known map a; the two
take turns. The map follows the edges of the clean side (guided filter, He, Sun and Tang, TPAMI 2013, weighted by how much
clean light and airlight differ, for where they are alike nothing shows how much passed). Single-image methods guess A and t from priors
(dark channel: He, Sun and Tang, CVPR 2009); with both sides at hand none is needed, and the prior serves as the sign of haze in a photo.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map, Srgb
from filters.explain import passage
from filters.explain.sides import Both, Finding, Sides, light_of, luminance, reduced

WORK_PX = 128  # short side at which the air is fitted
TURNS = 4  # few: for nearly even haze, airlight and depth are one number, and more turns drift along it
RADIUS_PX = 4
EDGE_VARIANCE = 1e-3  # of the guide, below which a window counts as flat
MOST_AIR = 1.5  # display whites
LEAST_AIR = 0.05  # of the sign: a photo that is darker is no haze
MOST_PASSAGE = 1.6  # of the exposure: where the sun is in the air, fits stray
STEP = 0.05  # of the exposure, per turn
LIKELY_EXPOSURE = 2e-4  # pulls towards an unchanged one: for even haze, exposure and airlight are one number
UNTOLD = 1e-4  # squared contrast of clean light and airlight below which a pixel does not show how much passed
LEAST_TRANSMISSION = 0.01
DARK_PX = 15  # of the dark channel, at a short side of 256
LEAST_EXPECTED = 0.2  # of the best passage: beyond it haze hides so much that its detail proves nothing


def explain(sides: Sides) -> Finding:
    """Return the mean optical depth -ln t, and whether detail arrives as the fitted air lets it pass."""
    light, _, exposure = fit(Both(reduced(sides.coarse.clean, WORK_PX), reduced(sides.coarse.degraded, WORK_PX)))
    depth = -np.log(np.clip(light / exposure, LEAST_TRANSMISSION, 1))
    found = passage.passage(sides.coarse)
    expected = cv2.resize(light, found.share.shape[::-1], interpolation=cv2.INTER_AREA)
    return Finding(float(depth.mean()), passage.explained(found, expected, LEAST_EXPECTED))


def sign(photo: Srgb) -> float:
    """Return the median of the dark channel over its brightest hundredth, the airlight's: 0..1, 0 where most places have something black.

    Args:
        photo: HxWx3 uint8 sRGB.
    """
    dark = cv2.erode(light_of(photo, 256).min(axis=2), np.ones((DARK_PX, DARK_PX), np.uint8))
    return float(np.median(dark) / max(float(np.quantile(dark, 0.99)), LEAST_AIR))


def fit(both: Both) -> tuple[Map, NDArray[np.float32], float]:
    """Return what passes as exposed (g t, HxW), the airlight (3,) and the exposure g that explain a hazy picture best."""
    clean, hazy = both
    guide = cv2.sqrt(luminance(clean))
    air, exposure = _first_air(clean, hazy), 1.0
    for _ in range(TURNS):
        passed = _passed(clean, hazy, guide, air, exposure)
        rest = hazy - passed[..., None] * clean
        candidates = [_air(rest, passed, exposure * (1 + step)) for step in (-STEP, 0.0, STEP)]
        _, exposure, air = min(candidates, key=lambda candidate: candidate[0])
    return passed, air, exposure


def _first_air(clean: Linear, hazy: Linear) -> NDArray[np.float32]:
    """Return the airlight that the added light points to, from windows in which what passes is found without it."""
    mean_clean, mean_hazy = _mean(clean), _mean(hazy)
    variance = (_mean(clean * clean) - mean_clean**2).sum(axis=2)
    covariance = (_mean(clean * hazy) - mean_clean * mean_hazy).sum(axis=2)
    passed = np.clip((covariance + np.float32(UNTOLD)) / (variance + np.float32(UNTOLD)), 0, 1)
    say = (1 - passed) * variance
    added = mean_hazy - passed[..., None] * mean_clean
    air = np.einsum("ij,ijk->k", say, added) / max(float((say * (1 - passed)).sum()), 1e-9)
    return np.clip(air, 0, MOST_AIR).astype(np.float32)


def _passed(clean: Linear, hazy: Linear, guide: Map, air: NDArray[np.float32], exposure: float) -> Map:
    """Return g t by least squares in each window, along the clean side's edges; where nothing tells, the photo's own mean."""
    contrast = clean - air
    told = np.einsum("ijk,ijk->ij", contrast, contrast)
    seen = np.einsum("ijk,ijk->ij", hazy - np.float32(exposure) * air, contrast)
    most = MOST_PASSAGE * exposure
    usual = min(max(float(seen.sum() / max(float(told.sum()), 1e-9)), 0.0), most)
    raw = (seen + np.float32(UNTOLD * usual)) / (told + np.float32(UNTOLD))
    return np.clip(_guided(guide, np.clip(raw, 0, most), told + np.float32(UNTOLD)), 0, most)


def _guided(guide: Map, target: Map, weight: Map) -> Map:
    total = _mean(weight)
    mean_guide, mean_target = _mean(guide * weight) / total, _mean(target * weight) / total
    variance = _mean(guide * guide * weight) / total - mean_guide * mean_guide
    covariance = _mean(guide * target * weight) / total - mean_guide * mean_target
    slope = covariance / (np.maximum(variance, 0) + np.float32(EDGE_VARIANCE))
    return _mean(slope) * guide + _mean(mean_target - slope * mean_guide)


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.blur(values, (2 * RADIUS_PX + 1,) * 2, borderType=cv2.BORDER_REFLECT)


def _air(rest: Linear, passed: Map, exposure: float) -> tuple[float, float, NDArray[np.float32]]:
    """Return the misfit, the exposure and the airlight that explain best what the scene's light leaves to explain."""
    missing = np.float32(exposure) - passed
    air = np.einsum("ij,ijk->k", missing, rest) / (np.einsum("ij,ij->", missing, missing) + np.float32(1e-3 * missing.size))
    air = np.clip(air, 0, MOST_AIR).astype(np.float32)
    left = rest - missing[..., None] * air
    return float((left * left).mean()) + LIKELY_EXPOSURE * float(np.log(exposure)) ** 2, exposure, air
