"""Good pairs to put faults into: real photos, our own nine degradations, severity 2 to 4.

Photos whose crop the index would refuse as a clean side are left out, for nobody would ask a filter about them. Photos of
even and odd number make two halves: limits are set on the first, and every figure is of the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import degrade
from degrade.contract import Srgb
from degrade.errors import BadSample
from degrade.stream import stream
from filters import cleanness
from pipelines.crops import Crop
from pipelines.single import Beside, Opened, open_photo, try_one

TASKS = tuple(name for name in degrade.NAMES if name != "web")
STRATA = (2, 3, 4)
SIDE_PX, MARGIN_PX = 448, 32  # the margin is what a shifted or turned clean side shows at its rim; whole blocks of JPEG
ROUNDS = 3  # crops of each photo that are tried


class Good(NamedTuple):
    """A pair without a fault."""

    name: str
    task: str
    stratum: int
    wide_clean: Srgb  # with `MARGIN_PX` around
    degraded: Srgb  # without
    other: Srgb  # another photo, as large as the pair

    @property
    def clean(self) -> Srgb:
        """The clean side, as large as the degraded one."""
        return inner(self.wide_clean)


def inner(wide: Srgb) -> Srgb:
    """Return a picture without its margin."""
    return np.ascontiguousarray(wide[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX])


def opened(folder: Path, half: int, side_px: int = SIDE_PX) -> list[Opened]:
    """Return the photos of a half, 0 or 1, that can be read and are large enough for pairs of a side."""
    photos = []
    for path in sorted(folder.iterdir())[half::2]:
        try:
            photo = open_photo(path)
        except BadSample as unusable:
            print(f"{path.name}: {unusable}")
            continue
        if min(photo.pixels.shape[:2]) >= side_px + 2 * MARGIN_PX:
            photos.append(photo)
    return photos


def made(photos: Sequence[Opened], tasks: Sequence[str], count: int, strata: Sequence[int] = STRATA, side_px: int = SIDE_PX) -> Iterator[Good]:
    """Yield up to so many pairs of each task; severities take turns."""
    for task in tasks:
        places = ((turn, number) for turn in range(ROUNDS) for number in range(len(photos)))
        done = 0
        while done < count and (place := next(places, None)) is not None:
            pair = _made(photos, task, strata[done % len(strata)], *place, side_px)
            if pair is not None:
                done += 1
                yield pair


def _made(photos: Sequence[Opened], task: str, stratum: int, turn: int, number: int, side_px: int) -> Good | None:
    photo, partner = photos[number], photos[(number + 1 + turn) % len(photos)]
    rng = stream(number, "faulty pairs", f"{task} {turn}")
    beside = Beside(partner=partner if task == "reflection" else None)
    try:
        tried = try_one(photo, task, stratum, number + 100 * turn, _crop(rng, photo, side_px), beside)
    except BadSample:  # no sky, no lamp, no distance: not this degradation's photo
        return None
    pair = Good(f"{Path(photo.photo.uri).stem}.{turn}", task, stratum, tried.clean, inner(tried.degraded.pixels), _other(rng, partner, side_px))
    fit = cleanness.decide(cleanness.measure(pair.clean), cleanness.Limits(min_short_side=side_px))
    return pair if fit.keep else None


def _crop(rng: np.random.Generator, photo: Opened, side_px: int) -> Crop:
    size = side_px + 2 * MARGIN_PX
    height, width = photo.pixels.shape[:2]
    side = min(height, width, int(size * rng.uniform(1, 2)))
    return Crop(int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1)), side, side, size, size)


def _other(rng: np.random.Generator, photo: Opened, side_px: int) -> Srgb:
    height, width = photo.pixels.shape[:2]
    top, left = int(rng.integers(0, height - side_px + 1)), int(rng.integers(0, width - side_px + 1))
    return np.ascontiguousarray(photo.pixels[top : top + side_px, left : left + side_px])
