"""A scene as one of its photos sees it: which others can be merged with it, and the merge, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.contract import Linear, Map, Srgb
from filters.registration.similarity import Similarity
from pipelines.makers.merging import exposures, merge, placing
from pipelines.makers.merging.exposures import Blocks
from pipelines.makers.merging.held import held
from pipelines.makers.merging.placing import Box, Place
from pipelines.makers.merging.trust import trust

MOST_BEND = 0.06  # of the logarithm of their ratio, above which photos do not differ by one factor; of linear ones it is 0.03 at most
AROUND_PX = 24  # that is merged around a tile and cut off again
TILE_PX = 1024  # side of what is merged at once, at most


class Frame(NamedTuple):
    """A photo of the scene."""

    pixels: Srgb
    blocks: Blocks


class Other(NamedTuple):
    """Another photo of the scene, as the first one sees it."""

    frame: Frame
    similarity: Similarity
    gain: NDArray[np.float32]  # 3: by how much it is brighter

    @property
    def ev(self) -> float:
        """By how many stops it is brighter."""
        return float(np.log2(self.gain).mean())


def frame(pixels: Srgb) -> Frame:
    """Return a photo, ready to be compared."""
    return Frame(pixels, exposures.blocks(pixels))


def compared(own: Frame, other: Frame) -> Other | str:
    """Return another photo as a photo of the same scene sees it, or why it cannot be merged with it."""
    if other.pixels.shape != own.pixels.shape:
        return "another size"
    if np.array_equal(other.pixels, own.pixels):
        return "a copy"
    brighter = float(other.blocks.light.mean()) > float(own.blocks.light.mean())
    similarity = placing.found(own.pixels, other.pixels, other_is_quieter=brighter)
    if similarity is None:
        return "not of one scene"
    gain = exposures.compared(own.blocks, other.blocks, similarity)
    if gain is None:
        return "too little is well exposed in both"
    if gain.bend > MOST_BEND:
        return "not one factor brighter or darker in linear light: develop them without a tone curve"
    return Other(other, similarity, gain.channels)


def merged(photo: Srgb, others: Sequence[Other], box: Box, *, hold: bool = True) -> tuple[Linear, Map]:
    """Return the light of a scene in the exposure and geometry of one of its photos.

    Args:
        photo: that photo, whole, HxWx3 uint8 sRGB.
        others: at least one.
        box: what of the photo is wanted.
        hold: whether the photo is right where the mean differs from it by more than noise (see `held`).

    Returns:
        hxwx3 float32 linear light of the box, and for each pixel how many others show the same there, and are in it.
    """
    width, height = photo.shape[1::-1]
    seen = _around(box, width, height)
    places = [placing.placed(photo, one.frame.pixels, one.similarity, seen, other_is_quieter=one.ev > 0) for one in others]
    light = np.empty((box.bottom - box.top, box.right - box.left, 3), np.float32)
    joined = np.empty(light.shape[:2], np.float32)
    for tile in _tiles(box):
        wide = _around(tile, width, height)
        inner = slice(tile.top - wide.top, tile.bottom - wide.top), slice(tile.left - wide.left, tile.right - wide.left)
        to = slice(tile.top - box.top, tile.bottom - box.top), slice(tile.left - box.left, tile.right - box.left)
        part, by = _tile(photo, others, places, wide)
        light[to], joined[to] = part[inner], by[inner]
    if hold:
        light = held(camera.to_linear(np.ascontiguousarray(box.of(photo))), light)
    return light, joined


def _around(box: Box, width: int, height: int) -> Box:
    return Box(max(box.left - AROUND_PX, 0), max(box.top - AROUND_PX, 0), min(box.right + AROUND_PX, width), min(box.bottom + AROUND_PX, height))


def _tiles(box: Box) -> Iterator[Box]:
    """Yield parts of a box, of about one size, none larger than `TILE_PX`."""
    rows, columns = (
        np.linspace(first, last, -(-(last - first) // TILE_PX) + 1).astype(int).tolist() for first, last in ((box.top, box.bottom), (box.left, box.right))
    )
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield Box(left, top, right, bottom)


def _tile(photo: Srgb, others: Sequence[Other], places: Sequence[Place], box: Box) -> tuple[Linear, Map]:
    own = camera.to_linear(np.ascontiguousarray(box.of(photo)))
    whole = np.ones(own.shape[:2], np.float32)
    taken, noise, joined = [merge.Exposure(own, np.ones(3, np.float32), whole)], [], np.zeros_like(whole)
    for other, place in zip(others, places, strict=True):
        light, seen = placing.brought(other.frame.pixels, place, box)
        told = trust(own, light, other.gain)
        share = told.share * seen
        joined += share > 0
        taken.append(merge.Exposure(light, other.gain, share))
        noise.append((other.gain, told.noise))
    return merge.merged(taken, merge.fitted(noise)), joined
