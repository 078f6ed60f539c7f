"""The proof that one photo is a crop of another: their waves agree, once the frame is found.

    likeness = max over frames of  sum w a b / sqrt(sum w a^2  sum w b^2)

a are the waves of the crop that a frame cuts out of one photo, b those of the other, whole; w = u^2 + v^2, for photos have a
spectrum that falls like 1 / f, and so every octave counts alike. What any two skies, seas or walls share does not count:
waves below 1.5 cycles, the gradients, and those that run along one axis only, the profile of a horizon. What remains is the
same to 0.977 and more in a photo and its encoded, resized, cropped copies (gravel and grass are the worst), and to 0.925 at
most in others, parts of one photo included. The price: a picture with nothing in it but a gradient resembles nothing.

The frame is found by descent from the one whose hash came nearest, to neighbours one step (1/128 of a side) away: by the
long waves first, which agree from afar, then by all.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.near import hashes, waves
from filters.near.thumbnails import Thumbnails

LEAST = 0.95  # likeness from which two photos are near copies
FLAT = 8.0  # size of what counts, in 8-bit levels: below it there is rounding and nothing else; photos have 50 to 500
STEPS = 10  # of a descent, at most: every frame is within 3 of one that is hashed, but the nearest hash need not be of the nearest frame
BLOCK = 256

Numbers = NDArray[np.intp]


class Level(NamedTuple):
    """What a descent looks at, and when it ends."""

    waves: int  # per axis
    lowest: float  # half cycles that count
    power: float  # of the frequency, in the weight of an amplitude
    profiles: bool  # whether waves along one axis count
    begin: float  # likeness below which no step is made
    after_one: float  # likeness below which no second step is made
    enough: float  # likeness from which none is needed


COARSE = Level(waves=8, lowest=1.0, power=0.5, profiles=True, begin=0.55, after_one=0.7, enough=0.99)
FINE = Level(waves=waves.WAVES, lowest=3.0, power=1.0, profiles=False, begin=0.0, after_one=0.0, enough=LEAST)


def telling(thumbnails: Thumbnails) -> NDArray[np.bool_]:
    """Return which photos have anything by which a copy could be known."""
    told = [np.empty(0, np.bool_)]
    for at in range(0, len(thumbnails), BLOCK):
        weighed = waves.whole(thumbnails[at : at + BLOCK]) * _weight(FINE)
        told.append(np.sqrt((weighed**2).sum((1, 2))) / waves.unit() >= FLAT)
    return np.concatenate(told)


def likeness(cropped: Thumbnails, whole: Thumbnails, number: Numbers) -> NDArray[np.float64]:
    """Return how like the best crop of each photo is to another photo, -1 to 1; where no copy is to be expected, a lower bound.

    Args:
        cropped: photos of which a part may be the other one, NxSIDExSIDE.
        whole: the other ones, as many.
        number: of the hash at which each pair was found, see `hashes.frame_of`.
    """
    found = np.full(len(cropped), -1.0)
    for at in range(0, len(cropped), BLOCK):
        part = slice(at, at + BLOCK)
        photos, wanted = cropped[part].astype(np.float64), waves.whole(whole[part])
        down, across = hashes.frame_of(number[part])
        going = np.flatnonzero(_descend(photos, wanted, (down, across), COARSE) >= COARSE.after_one)
        found[at + going] = _descend(photos[going], wanted[going], (down[going], across[going]), FINE)
    return found


def _descend(photos: waves.Waves, wanted: waves.Waves, at: tuple[Numbers, Numbers], level: Level) -> NDArray[np.float64]:
    """Return the likeness of pairs at the best frames that a descent finds; `at` is moved there."""
    rows, (down, across) = waves.frames()[:, : level.waves], at
    wanted = wanted[:, : level.waves, : level.waves] * _weight(level)
    wanted /= np.maximum(np.sqrt((wanted**2).sum((1, 2), keepdims=True)), 1e-12)
    best = _cosine(rows[down] @ photos @ rows[across].transpose(0, 2, 1), wanted, level)
    going = np.flatnonzero((best >= level.begin) & (best < level.enough))
    for step in range(STEPS):
        if not len(going):
            break
        some, aim, before = photos[going], wanted[going], best[going]
        down[going], _ = _stepped(rows, down[going], some @ rows[across[going]].transpose(0, 2, 1), aim, level)
        turned = some.transpose(0, 2, 1) @ rows[down[going]].transpose(0, 2, 1)
        across[going], best[going] = _stepped(rows, across[going], turned, aim.transpose(0, 2, 1), level)
        now = best[going]
        going = going[(now > before) & (now < level.enough) & (now >= (level.after_one if step == 0 else -1.0))]
    return best


def _stepped(rows: waves.Waves, at: Numbers, half: waves.Waves, wanted: waves.Waves, level: Level) -> tuple[Numbers, NDArray[np.float64]]:
    """Return the best of the nine frames round one axis' frame, and how like it is."""
    nine = _neighbours()[at]
    like = np.stack([_cosine(rows[nine[:, to]] @ half, wanted, level) for to in range(nine.shape[1])], axis=1)
    chosen = like.argmax(1)
    pairs = np.arange(len(at))
    return nine[pairs, chosen], like[pairs, chosen]


def _cosine(found: waves.Waves, wanted: waves.Waves, level: Level) -> NDArray[np.float64]:
    """Return the cosine of weighed waves with those that are wanted, which have length 1."""
    weighed = found * _weight(level)
    length = np.sqrt((weighed**2).sum((1, 2)))
    cosine: NDArray[np.float64] = (weighed * wanted).sum((1, 2)) / np.maximum(length, 1e-12)
    return cosine


@functools.cache
def _weight(level: Level) -> waves.Waves:
    order = np.arange(level.waves, dtype=np.float64)
    radius = np.hypot(order[:, None], order[None])
    counts = (radius >= level.lowest) & (level.profiles | np.outer(order, order).astype(np.bool_))
    return np.where(counts, radius**level.power, 0.0)


@functools.cache
def _neighbours() -> Numbers:
    """Return the nine frames within one step of each frame of an axis; at the border some stand twice."""
    side, step = range(waves.MOST + 1), (-1, 0, 1)
    near = [[waves.frame(_held(low + one), _held(high + other)) for one in step for other in step] for low in side for high in side]
    return np.array(near, np.intp)


def _held(steps: int) -> int:
    return min(max(steps, 0), waves.MOST)
