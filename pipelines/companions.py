"""What a pair needs beside its own photo: a second photo of the same split, images from the recipe's banks.

Choices are made by consistent hashing (Karger et al., STOC 1997): candidates stand on a ring by their hash, and a draw
takes the next one, so that a photo that is added or removed changes the choices next to it and no others.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from degrade.contract import Facts
from degrade.errors import BadSample
from degrade.stream import unit_draws
from pipelines import crops
from pipelines.crops import CropRecipe
from pipelines.usable import Photo

TRIES = 8  # second photos that are looked at before a photo goes without


class Companion(NamedTuple):
    """A second photo: what the plan knows of it, and how a row names it."""

    facts: Facts
    record: dict[str, Any]


class Ring:
    """Things that have a sha256, in the order of their hashes."""

    def __init__(self, hashes: Iterable[str]) -> None:
        self._hashes = sorted(hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def after(self, draw: float) -> str:
        """Return the hash that stands at or after a draw in [0, 1), going round."""
        at = bisect.bisect_left(self._hashes, f"{int(draw * (1 << 52)):013x}")
        return self._hashes[at % len(self._hashes)]


class Companions:
    """Second photos and images of banks, for the rows of one split.

    Args:
        seed: the recipe's.
        recipe: how second photos are cropped.
        photos: the usable photos of the split.
        banks: by degradation, see `banks.read`.
    """

    def __init__(self, seed: int, recipe: CropRecipe, photos: Sequence[Photo], banks: dict[str, list[dict[str, Any]]]) -> None:
        self._seed, self._recipe = seed, recipe
        self._photos = {photo.sha256: photo for photo in photos if photo.kind == "photo"}
        self._ring = Ring(self._photos)
        self._banks = {name: {row["sha256"]: row for row in rows} for name, rows in banks.items()}
        self._rings = {name: Ring(rows) for name, rows in self._banks.items()}

    def size_of(self, name: str) -> int:
        """Return how many images a degradation's bank holds."""
        return len(self._banks.get(name, ()))

    def textures(self, name: str, key: str, count: int) -> list[dict[str, Any]]:
        """Return so many images of a bank, each at most once while there are enough."""
        ring, rows = self._rings[name], self._banks[name]
        picked: list[str] = []
        for place in range(count * 4):
            found = ring.after(unit_draws(self._seed, f"bank {name} {place}", key)[0])
            if found not in picked:
                picked.append(found)
            if len(picked) == count:
                break
        picked += [ring.after(unit_draws(self._seed, f"again {name} {place}", key)[0]) for place in range(count - len(picked))]
        return [{"role": name, **rows[sha256], "crop": None} for sha256 in picked]

    def partner(self, photo: Photo, key: str, width: int, height: int) -> Companion | None:
        """Return another photo that can be cut to this size, never one of the same group; None where there is none."""
        if len(self._ring) < 2:
            return None
        for attempt in range(TRIES):
            draws = unit_draws(self._seed, f"partner {attempt}", key)
            other = self._photos[self._ring.after(draws[0])]
            if other.group == photo.group:
                continue
            try:
                crop = _fitted(self._recipe, other, width, height, draws[1:])
            except BadSample:
                continue
            facts = other.facts(crop)
            place = {"uri": other.uri, "offset": other.offset, "size": other.size, "sha256": other.sha256}
            return Companion(facts, {"role": "partner", **place, "crop": list(crop)})
        return None


def _fitted(recipe: CropRecipe, other: Photo, width: int, height: int, draws: tuple[float, ...]) -> crops.Crop:
    """Return a part of a second photo that has the size of the pair: the largest there is, since a window shows a scene, not a detail."""
    crop = crops.filling(recipe, other.width, other.height, width, height)
    room = other.width - crop.crop_width + 1, other.height - crop.crop_height + 1
    return crop._replace(x=int(draws[0] * room[0]), y=int(draws[1] * room[1]))
