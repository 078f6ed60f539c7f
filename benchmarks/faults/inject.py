"""Faults of the clean side, as editors and restorers make them, each at a mild, a medium and a strong dose.

A fault changes the clean side alone; the degraded side stays what the untouched clean side gave. Where a fault has several
ways to come about (a patch from another photo, one that was filled in, one of invented texture), pairs take them in turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.faults.pairs import MARGIN_PX, Good
from degrade import camera
from degrade.contract import Srgb
from filters.registration.similarity import Similarity

STRENGTHS = ("mild", "medium", "strong")
PLACES = 16  # tried for a patch
SEEN = 10.0  # levels, root mean square, from which a repainted patch shows
FEATHER_FRAC = 0.12  # of the side of a patch: the width of its seam
SHADING_PX = 6.0  # one sigma: an inventor of texture keeps what is wider
TEXT = "PHOTO SAMPLE"

Way = Callable[[Good, float, np.random.Generator], Srgb]


class Fault(NamedTuple):
    """A kind of fault."""

    about: str
    doses: tuple[float, float, float]
    unit: str
    ways: Sequence[Way]

    def put(self, pair: Good, dose: float, turn: int, rng: np.random.Generator) -> Srgb:
        """Return the clean side with the fault in it."""
        return self.ways[turn % len(self.ways)](pair, dose, rng)


def shifted(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side moved in any direction."""
    angle = rng.uniform(0, 2 * math.pi)
    return _placed(pair, Similarity(dose * math.cos(angle), dose * math.sin(angle)))


def scaled(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side grown or shrunk about its middle."""
    return _placed(pair, Similarity(scale=1 + float(rng.choice((-1, 1))) * dose / 100))


def turned(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side turned about its middle."""
    return _placed(pair, Similarity(rotation_deg=float(rng.choice((-1, 1))) * dose))


def _placed(pair: Good, true: Similarity) -> Srgb:
    """Lanczos, for OpenCV's cubic kernel is off by 0.05 px itself."""
    height, width = pair.degraded.shape[:2]
    matrix = true.inverse().matrix(width, height) + np.array([[0, 0, MARGIN_PX], [0, 0, MARGIN_PX]])
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pair.wide_clean, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def repainted(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with a patch that shows another photo."""
    return _patched(pair.clean, pair.other, dose, rng)


def filled(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with a patch that was filled in from around it, as a remover of objects does."""
    clean = pair.clean
    wide = math.sqrt(dose / 100) * clean.shape[0] / 2
    return _patched(clean, cv2.GaussianBlur(clean, (0, 0), wide), dose, rng)


def invented(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with a patch of its own shading under another photo's texture."""
    clean = pair.clean.astype(np.float32)
    other = pair.other.astype(np.float32)
    shading, theirs = (cv2.GaussianBlur(side, (0, 0), SHADING_PX) for side in (clean, other))
    strength = float((clean - shading).std()) / max(float((other - theirs).std()), 1.0)
    return _patched(pair.clean, _srgb(shading + min(strength, 3.0) * (other - theirs)), dose, rng)


def _patched(clean: Srgb, instead: Srgb, dose: float, rng: np.random.Generator) -> Srgb:
    """Return a photo with another one in a rectangle of a given share, with soft seams, where the change shows most of some places."""
    height, width = clean.shape[:2]
    changes = ((clean.astype(np.float32) - instead) ** 2).mean(axis=2)
    best, found = -1.0, (0, 0, 0, 0)
    for _ in range(PLACES):
        aspect = rng.uniform(0.7, 1.4)
        tall = min(round(math.sqrt(dose / 100 * height * width * aspect)), height)
        wide = min(round(dose / 100 * height * width / tall), width)
        top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
        change = math.sqrt(float(changes[top : top + tall, left : left + wide].mean()))
        if change > best:
            best, found = change, (top, left, tall, wide)
        if best >= SEEN:
            break
    top, left, tall, wide = found
    share = np.zeros((height, width), np.float32)
    share[top : top + tall, left : left + wide] = 1
    share = cv2.GaussianBlur(share, (0, 0), FEATHER_FRAC * min(tall, wide) / 2)[..., None]
    return _srgb(clean * (1 - share) + instead * share)


def unremoved(pair: Good, dose: float, _rng: np.random.Generator) -> Srgb:
    """Return the clean side with a part of the degradation left in it, mixed in linear light: thinner haze, weaker noise."""
    clean, degraded = (camera.srgb_to_linear(side / np.float32(255)) for side in (pair.clean, pair.degraded))
    return _srgb(255 * camera.linear_to_srgb(clean + np.float32(dose / 100) * (degraded - clean)))


def balanced(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side under another white balance: gains of linear light that leave the mean luminance about where it was."""
    linear = camera.srgb_to_linear(pair.clean / np.float32(255))
    angle = rng.uniform(0, 2 * math.pi)
    slant = np.array([math.cos(angle), -0.35 * math.cos(angle) - 0.15 * math.sin(angle), math.sin(angle)], np.float32)
    return _dosed(pair.clean, lambda amount: _srgb(255 * camera.linear_to_srgb(np.clip(linear * np.exp(np.float32(amount) * slant), 0, 1))), dose)


def hued(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with all hues turned, in CIELAB; a grey photo gets another white balance, for it has no hue."""
    lab = cv2.cvtColor(pair.clean.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    if float(np.hypot(lab[..., 1], lab[..., 2]).mean()) < dose:
        return balanced(pair, dose, rng)
    sign = float(rng.choice((-1, 1)))

    def at(amount: float) -> Srgb:
        turn = np.array([[1, 0, 0], [0, math.cos(amount), -math.sin(amount)], [0, math.sin(amount), math.cos(amount)]], np.float32)
        return _srgb(255 * cv2.cvtColor(cv2.transform(lab, turn), cv2.COLOR_LAB2RGB))

    return _dosed(pair.clean, lambda amount: at(sign * amount), dose)


def _dosed(clean: Srgb, at: Callable[[float], Srgb], dose: float) -> Srgb:
    """Return the change whose mean difference is the dose, dE of CIELAB (1976), by halving."""
    reference = cv2.cvtColor(clean[::4, ::4].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    low, high = 0.0, 2.0
    for _ in range(7):
        middle = (low + high) / 2
        changed = cv2.cvtColor(at(middle)[::4, ::4].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        distance = float(np.linalg.norm(changed - reference, axis=2).mean())
        low, high = (middle, high) if distance < dose else (low, middle)
    return at((low + high) / 2)


def softened(pair: Good, dose: float, _rng: np.random.Generator) -> Srgb:
    """Return the clean side under a Gaussian."""
    return cv2.GaussianBlur(pair.clean, (0, 0), 0.7 * dose)


def bilateral(pair: Good, dose: float, _rng: np.random.Generator) -> Srgb:
    """Return the clean side as beauty filters leave it: edges without texture."""
    return np.asarray(cv2.bilateralFilter(pair.clean, 9, 25.0 * dose, 1.5 + dose), np.uint8)


def median(pair: Good, dose: float, _rng: np.random.Generator) -> Srgb:
    """Return the clean side under a median."""
    return np.asarray(cv2.medianBlur(pair.clean, {1: 3, 2: 5, 4: 9}[int(dose)]), np.uint8)


def sharpened(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with an unsharp mask over it."""
    clean = pair.clean.astype(np.float32)
    return _srgb(clean + np.float32(dose) * (clean - cv2.GaussianBlur(clean, (0, 0), rng.uniform(1.0, 2.0))))


def lettered(pair: Good, dose: float, rng: np.random.Generator) -> Srgb:
    """Return the clean side with a name over it: small in a corner, across the middle, or all over."""
    clean = pair.clean
    height, width = clean.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    rows = {1: (0.93,), 2: (rng.uniform(0.3, 0.7),), 3: (0.2, 0.4, 0.6, 0.8)}[int(dose)]
    across = 0.35 if dose == 1 else 0.8
    size = across * width / cv2.getTextSize(TEXT, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)[0][0]
    for row in rows:
        left = round((0.62 if dose == 1 else rng.uniform(0.02, 0.18)) * width)
        cv2.putText(mask, TEXT, (left, round(row * height)), cv2.FONT_HERSHEY_DUPLEX, size, 255, 1 if dose == 1 else 3, cv2.LINE_AA)
    ink = 0.5 * mask[..., None].astype(np.float32) / 255
    return _srgb(clean * (1 - ink) + 255 * ink)


def recoded(pair: Good, dose: float, _rng: np.random.Generator) -> Srgb:
    """Return the clean side as a JPEG of some quality gives it back."""
    code = cv2.imencode(".jpg", cv2.cvtColor(pair.clean, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, int(dose)])[1]
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR_RGB), np.uint8)


def _srgb(values: NDArray[np.float32]) -> Srgb:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


FAULTS: dict[str, Fault] = {
    "shift": Fault("moved", (1.0, 2.5, 6.0), "px", (shifted,)),
    "scale": Fault("grown or shrunk", (0.5, 1.5, 4.0), "%", (scaled,)),
    "rotation": Fault("turned", (0.3, 1.0, 3.0), "deg", (turned,)),
    "repainted": Fault("a patch of another photo, filled in, or of invented texture", (5.0, 10.0, 20.0), "% of the side", (repainted, filled, invented)),
    "unremoved": Fault("a part of the degradation left in", (30.0, 60.0, 90.0), "%", (unremoved,)),
    "colour": Fault("another white balance, or hues turned", (3.0, 6.0, 12.0), "dE", (balanced, hued)),
    "smoothed": Fault("Gaussian, bilateral or median", (1.0, 2.0, 4.0), "x", (softened, bilateral, median)),
    "sharpened": Fault("unsharp mask", (0.5, 1.0, 2.0), "x", (sharpened,)),
    "lettered": Fault("a name in a corner, across the middle, all over", (1.0, 2.0, 3.0), "", (lettered,)),
    "recoded": Fault("saved as a JPEG", (75.0, 50.0, 25.0), "quality", (recoded,)),
}
