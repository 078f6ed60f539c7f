"""References made of several photos of one scene: aligned, brought to one exposure, merged to a picture of less noise.

    real: {makers: {merged: {kind: burst, tasks: [noise, low_light]}}}       all photos in the photo's folder are one scene

The reference has the geometry of the photo. For `low_light` it has the exposure and colours of the best exposed photo of the scene,
and the photo must be darker than that one; for every other task those of the photo itself. Where another photo shows something
else (things move) it is left out, and too little left in refuses the reference. See `merging` for how. Photos of a scene that
change, come or go while a run is under way stop it.

Give the inputs `group_by: folder` (or a column `group`), so that a scene does not fall into two splits.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from degrade import camera
from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters.contract import Settings, Wants
from manifests import commit
from pipelines import crops
from pipelines.crops import Crop
from pipelines.makers.beside import Beside, absolute, alike, each, name_of, rule, same
from pipelines.makers.contract import Kind, Maker, Order
from pipelines.makers.made_of import File, Made, Unmade
from pipelines.makers.merging import exposures, scene
from pipelines.makers.merging.placing import Box
from pipelines.makers.merging.scene import Frame, Other
from pipelines.photos import sources
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Source

VERSION = 2
DARK_TASK = "low_light"
IN_A_FOLDER = r"[^/]*$"  # what is not equal in the names of a folder's photos


class BurstSettings(Settings):
    """Which photos are of one scene, and how much of them must agree."""

    by: Literal["folder", "column", "name"] = Field(default="folder", description="what photos of one scene share")
    column: str = Field(default="group", description="`by: column`: that of the lists which names the scene")
    find: str = Field(default="", description="`by: name`: regular expression; names that are equal without what it matches are one scene")
    photos: tuple[Source, ...] = Field(default=(), description="where the scene's other photos are; default the photo's own folder")
    root: str = Field(default="", description="photos lie below this folder; by default links may not leave theirs")
    most: int = Field(default=16, ge=2, le=64, description="photos that are merged, those whose names are nearest; the merge holds them all in memory")
    least: int = Field(default=2, ge=2, le=64, description="photos that must be usable, the photo itself included")
    least_merged: float = Field(default=0.8, ge=0, le=1, description="share of the picture in which at least half of the other photos show the same")
    darker_ev: float = Field(default=0.7, ge=0, description="`low_light`: by how much a photo must be darker than the best exposed one")
    hold: bool = Field(default=True, description="whether the photo is right where the mean differs by more than noise; false for cameras that denoise")
    decode: DecodeRules = Field(default_factory=DecodeRules, description="how photos are decoded, as `index.decode`")

    @field_validator("photos", mode="after")
    @classmethod
    def _anywhere(cls, photos: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(Source.model_validate(sources.remembered(one)) for one in photos)

    @field_validator("root")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return absolute(path)

    @model_validator(mode="after")
    def _possible(self) -> BurstSettings:
        if self.by == "column" and not self.photos:
            raise ValueError("`by: column` needs `photos`: the list whose column names the scenes")
        if (self.by == "name") != bool(self.find):
            raise ValueError("`by: name` and `find` go together")
        rule(self.find)
        return self

    @property
    def unlike(self) -> str:
        """What is not equal in the names of one scene, a regular expression."""
        return self.find or IN_A_FOLDER


class Burst:
    """Merges scenes.

    Args:
        settings: from the recipe.

    Raises:
        RecipeError: `photos` cannot be listed.
    """

    def __init__(self, settings: BurstSettings) -> None:
        self._settings = settings
        self._beside = Beside(settings.decode, settings.root)
        self._scenes: dict[str, list[str]] = {}
        for listed in sources.listing(settings.photos) if settings.photos else ():
            self._scenes.setdefault(self._scene(listed.uri, listed.extra), []).append(listed.uri)
        self._open: dict[File, tuple[File, Frame | str]] = {}
        self.name = f"burst {VERSION}, by {settings.by}" + (f" of {commit.fingerprint(self._scenes)[:12]}" if settings.photos else "")

    def make(self, orders: Sequence[Order]) -> list[Made | Unmade]:
        """Return the references of photos, of the size of their pixels; or why a photo has none."""
        return each(orders, self._reference)

    def _scene(self, uri: str, extra: dict[str, str]) -> str:
        """Return what a photo shares with the others of its scene; nothing, if it stands alone."""
        if self._settings.by == "column":
            return extra.get(self._settings.column, "")
        name = name_of(uri)
        return name.called(re.sub(self._settings.unlike, "", name.text))

    def _uris(self, order: Order, read: list[File]) -> Sequence[str]:
        """Return the photos of an order's scene, its own among them, sorted; not more than are to be merged."""
        if self._settings.photos:
            own = self._scene(order.uri, dict(order.extra))
            if not own:
                raise BadSample(Reason.NO_CANDIDATE, f"its list says nothing in column `{self._settings.column}`: it belongs to no scene")
            among: Sequence[str] = self._scenes.get(own, [])
        else:
            listed, among = alike(order.uri, self._settings.unlike)
            read.append(listed)
        at = bisect_left(among, order.uri)
        if order.uri not in among[at : at + 1]:
            among = [*among[:at], order.uri, *among[at:]]
        first = min(max(at - self._settings.most // 2, 0), max(len(among) - self._settings.most, 0))
        return among[first : first + self._settings.most]

    def _frame(self, file: File, read: list[File]) -> Frame | str:
        """Return a photo, opened once for all orders that it is merged with, unless it has changed; or why it cannot be."""
        if file not in self._open or not same(self._open[file][0]):
            seen, photo = self._beside.opened(file)
            self._open[file] = seen, str(photo.reason) if isinstance(photo, BadSample) else scene.frame(photo)
        seen, opened = self._open[file]
        read.append(seen)
        return opened

    def _reference(self, order: Order, read: list[File]) -> Srgb:
        own = scene.frame(self._beside.shown(order))
        assert order.crop is not None
        others = self._others(order, own, read)
        gain = self._brightening(own, others) if order.task == DARK_TASK else np.ones(3, np.float32)
        x, y, width, height = order.crop[:4]
        box = Box(x, y, x + width, y + height)
        light, joined = scene.merged(own.pixels, others, box, hold=self._settings.hold)
        share = float((joined >= len(others) / 2).mean())
        if share < self._settings.least_merged:
            told = f"half of the other photos show the same in {share:.0%} of the picture"
            raise BadSample(Reason.NO_CANDIDATE, f"{told}, `least_merged` is {self._settings.least_merged:g}")
        return crops.cut(camera.to_srgb(light * gain), Crop(0, 0, width, height, order.crop.width, order.crop.height))

    def _others(self, order: Order, own: Frame, read: list[File]) -> list[Other]:
        """Return the photos that can be merged with an order's; raises BadSample if they are too few."""
        files = [self._beside.file(uri, order.uri) for uri in self._uris(order, read)]
        self._open = {file: self._open[file] for file in files if file in self._open}
        frames = [self._frame(file, read) for file in files if file.uri != order.uri]
        seen = [one if isinstance(one, str) else scene.compared(own, one) for one in frames]
        others = [one for one in seen if not isinstance(one, str)]
        if len(others) + 1 < self._settings.least:
            why = "; ".join(sorted({one for one in seen if isinstance(one, str)})) or "there are no more"
            told = f"{len(others) + 1} of {len(files)} photos of its scene can be merged, `least` is {self._settings.least}"
            raise BadSample(Reason.NO_CANDIDATE, f"{told}: {why}")
        return others

    def _brightening(self, own: Frame, others: list[Other]) -> NDArray[np.float32]:
        """Return what makes of a photo's light that of the best exposed photo; raises BadSample if the photo is not darker."""
        best = min(others, key=lambda other: exposures.off_ev(other.frame.blocks))
        better = exposures.off_ev(best.frame.blocks) < exposures.off_ev(own.blocks)
        if not better or best.ev < self._settings.darker_ev:
            told = f"by {best.ev:.1f} EV darker than" if better else "itself"
            raise BadSample(Reason.NOT_DEGRADED, f"it is {told} the best exposed photo of its scene; `darker_ev` is {self._settings.darker_ev:g}")
        return best.gain


def open_maker(settings: BurstSettings, _device: str | None) -> Maker:
    """Open a merge."""
    return Burst(settings)


def wants(_settings: BurstSettings) -> Wants:
    """Return what one copy takes."""
    return Wants(batch=8, deadline_s=600.0)


KIND = Kind("burst", "several photos of one scene, merged: bursts and exposure brackets", BurstSettings, open_maker, wants, chance=False)
