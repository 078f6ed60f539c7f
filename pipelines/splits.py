"""Which split a photo is in: decided by its group (or the family of its copies), so that no split sees what another one holds."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence

from degrade.stream import unit_draws
from pipelines.recipe import Recipe
from pipelines.usable import Photo


def split(recipe: Recipe, usable: Sequence[Photo]) -> Iterator[tuple[str, list[Photo]]]:
    """Yield every split with its photos, in an order of hashes in which neither the order of inputs nor that of workers can be seen."""
    splits = sorted(name for name, share in recipe.split.items() if share > 0)
    edges = list(itertools.accumulate(recipe.split[name] for name in splits))
    placed = []
    for photo in usable:
        draw = unit_draws(recipe.seed, "split", photo.group)[0]
        order = unit_draws(recipe.seed, "order", photo.sha256)[0]
        placed.append((bisect.bisect_right(edges, draw * edges[-1]), order, photo.sha256, photo))
    placed.sort(key=lambda place: place[:3])
    for index, members in itertools.groupby(placed, key=lambda place: place[0]):
        yield splits[index], [photo for _, _, _, photo in members]
