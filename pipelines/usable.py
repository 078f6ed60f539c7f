"""A usable photo or clip as the plan knows it: its index row, and what follows from it for a crop."""

from __future__ import annotations

import json
from typing import NamedTuple

import orjson

from degrade.contract import Facts, Light, Motion
from degrade.scene import lights
from pipelines.crops import Crop, share_of

LEAST_FAR = 0.12 * 255  # of a crop, in units of the grid: less of it is ground and near things with a far corner


class Photo(NamedTuple):
    """The columns of an index row that matter to the plan."""

    uri: str
    offset: int | None
    size: int | None
    sha256: str
    width: int
    height: int
    kind: str
    sky_frac: float
    luminance: float
    far: bool
    detail_grid: bytes | None
    distance_grid: bytes | None
    lights: str | None
    motion: str | None
    extra: list[tuple[str, str]]
    cluster: str | None = None  # the family of copies it belongs to

    @property
    def group(self) -> str:
        """What a split keeps together, and what is never its own second photo."""
        return self.cluster or dict(self.extra).get("group") or self.sha256

    def facts(self, crop: Crop) -> Facts:
        """Return what is known of a crop of this photo without opening it."""
        seen: tuple[Light, ...] = ()
        if self.lights and self.lights != "[]":
            found = tuple(Light(values[0], values[1], values[2], tuple(values[3]), values[4]) for values in orjson.loads(self.lights))
            seen = lights.seen_in(found, crop.x, crop.y, crop.crop_width, crop.crop_height, self.width, self.height)
        motion = scaled(self.motion, crop.width / crop.crop_width) if self.motion else None
        return Facts(crop.width, crop.height, self.sky_frac, self.luminance, self.shows_distance(crop), seen, motion)

    def shows_distance(self, crop: Crop) -> bool:
        """Tell whether a crop still holds some of the photo's distance."""
        if not self.far or self.distance_grid is None:
            return self.far
        return share_of(self.distance_grid, crop, self.width, self.height) >= LEAST_FAR


def scaled(motion: str, factor: float) -> Motion:
    """Return what the index measured in a clip, its speeds in px of a crop that is shrunk by a factor."""
    told = json.loads(motion)
    shots = tuple((int(first), int(last)) for first, last in told["shots"])
    return Motion(float(told["fps"]), tuple(speed * factor for speed in told["speeds_px"]), shots)
