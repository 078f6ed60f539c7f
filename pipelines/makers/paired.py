"""References that exist already: the clean side of a photo is found by a rule on its name, and cut as the photo was.

    real: {makers: {theirs: {kind: paired, settings: {preset: basicsr}}}}

    basicsr     .../lq/0001.png          .../gt/0001.png
    foundir     .../LQ/0001.png          .../GT/0001.png
    uhdm        .../0001_moire.jpg       .../0001_gt.jpg

Other layouts: `find` and `replace`, a regular expression on the name; `meta_info`, a file of lines `gt/0001.png, lq/0001_v3.jpg` as
Real-ESRGAN writes it; `column`, a column of the list that names the reference. A reference of another size than the
photo's is refused: how the two were scaled is not ours to guess. A reference that changes, or comes or goes, while a run is
under way stops it; so does the folder where a rule looks for one, while it is empty or not there: its disk may be away.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, field_validator, model_validator

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason, RecipeError
from filters.contract import Settings, Wants
from manifests import commit
from pipelines import crops
from pipelines.makers.beside import Beside, Name, absolute, each, name_of, rule
from pipelines.makers.contract import Kind, Maker, Order
from pipelines.makers.made_of import File, Made, Unmade
from pipelines.photos import uris
from pipelines.photos.decode import DecodeRules

VERSION = 2
PRESETS = {  # the last folder of that name is meant
    "basicsr": (r"^(.*/)?lq/", r"\1gt/"),
    "foundir": (r"^(.*/)?LQ/", r"\1GT/"),
    "uhdm": (r"_moire(\.[A-Za-z]+)$", r"_gt\1"),
}
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")  # that a reference of the same name may have instead
MOST_BYTES = 1 << 28  # of a meta_info file


class PairedSettings(Settings):
    """Where the reference of a photo is: exactly one of preset, find, meta_info, column."""

    preset: Literal["basicsr", "foundir", "uhdm"] | None = Field(default=None, description="the layout of a known data set")
    find: str = Field(default="", description="regular expression on the photo's name; what it matches becomes `replace`")
    replace: str = Field(default="", description="may name the groups of `find`: \\1, \\g<name>")
    meta_info: str = Field(default="", description="a text file of lines `REFERENCE, PHOTO`, both below `root`; default root is its folder")
    column: str = Field(default="", description="column of the list that names the reference; relative names begin at `root`; of a photo in a tar, in that tar")
    root: str = Field(default="", description="references lie below this folder; by default links may not leave theirs")
    decode: DecodeRules = Field(default_factory=DecodeRules, description="how references are decoded, as `index.decode`")

    @field_validator("root", "meta_info")
    @classmethod
    def _anywhere(cls, path: str) -> str:
        return absolute(path)

    @model_validator(mode="after")
    def _one_rule(self) -> PairedSettings:
        given = [name for name in ("preset", "find", "meta_info", "column") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"say exactly one of preset, find, meta_info, column; given: {', '.join(given) or 'none'}")
        if self.replace and not self.find:
            raise ValueError("`replace` needs `find`")
        rule(self.find, self.replace)
        return self


class Paired:
    """Finds references.

    Args:
        settings: from the recipe.

    Raises:
        RecipeError: `meta_info` cannot be read.
    """

    def __init__(self, settings: PairedSettings) -> None:
        self._settings = settings
        self._rule = PRESETS[settings.preset] if settings.preset else (settings.find, settings.replace)
        self._told = _told(settings.meta_info) if settings.meta_info else {}
        self._root = settings.root or (settings.meta_info.rpartition("/")[0] if settings.meta_info else "")
        self._beside = Beside(settings.decode, self._root)
        self.name = f"paired {VERSION}, {_said(settings)}"

    def make(self, orders: Sequence[Order]) -> list[Made | Unmade]:
        """Return the references of photos, cut as they were; a photo without one is a BadSample."""
        return each(orders, self._reference)

    def _reference(self, order: Order, read: list[File]) -> Srgb:
        photo = self._beside.shown(order)
        whole = self._opened(order, read)
        if whole.shape != photo.shape:
            told = f"{whole.shape[1]}x{whole.shape[0]}, the photo is {photo.shape[1]}x{photo.shape[0]}"
            raise BadSample(Reason.NO_CANDIDATE, f"the reference is {told}: only one of the photo's own size can be cut like it")
        assert order.crop is not None
        return crops.cut(whole, order.crop)

    def _opened(self, order: Order, read: list[File]) -> Srgb:
        """Open the first reference that is there."""
        missing = None
        for uri in self._named(order):
            if uri == order.uri:
                raise BadSample(Reason.NO_CANDIDATE, "the rule names the photo itself as its reference")
            file, photo = self._beside.opened(self._beside.file(uri, order.uri), known=not self._settings.column)  # a list may name anything
            read.append(file)
            if not isinstance(photo, BadSample):
                return photo
            if photo.reason != Reason.MISSING:
                raise photo
            missing = missing or BadSample(Reason.MISSING, f"the reference {uri}: {photo.detail}")
        assert missing is not None
        raise missing

    def _named(self, order: Order) -> Iterator[str]:
        """Yield the uris under which a photo's reference may be found, the likeliest first."""
        name = name_of(order.uri)
        if self._settings.column:
            yield self._in_column(order, name)
        elif self._settings.meta_info:
            yield self._in_file(order, name)
        else:
            text, times = re.subn(*self._rule, name.text)
            if not times:
                raise BadSample(Reason.MISSING, f"`{self._rule[0]}` does not match {order.uri}: where its reference is, the rule does not say")
            yield name.called(text)
            if self._settings.preset:
                suffix = PurePosixPath(text).suffix
                yield from (name.called(text.removesuffix(suffix) + ending) for ending in ENDINGS if ending != suffix)

    def _in_column(self, order: Order, name: Name) -> str:
        said = order.extra.get(self._settings.column, "")
        if not said:
            raise BadSample(Reason.MISSING, f"its list says nothing in column `{self._settings.column}`")
        if "://" in said:
            return said
        if said.startswith("/"):
            return uris.of_path(said)
        if name.container:
            return name.called(said)
        if not self._root:
            raise RecipeError(f"column `{self._settings.column}` says {said}: set `root` to the folder where such names begin")
        return f"{self._root}/{said}" if "://" in self._root else uris.of_path(f"{self._root}/{said}")

    def _in_file(self, order: Order, name: Name) -> str:
        inner = name.text if name.container else name.text.removeprefix(f"{self._root}/")
        if inner not in self._told:
            raise BadSample(Reason.MISSING, f"{self._settings.meta_info} does not name {order.uri}")
        return name.called(self._told[inner] if name.container else f"{self._root}/{self._told[inner]}")


def _told(place: str) -> dict[str, str]:
    """Return what a meta_info file says: references by photo."""
    with uris.open_container(place) as stream:
        data = stream.read(MOST_BYTES)
    told: dict[str, str] = {}
    for number, line in enumerate(io.StringIO(data.decode("utf-8", "replace")), start=1):
        if not line.strip():
            continue
        reference, comma, photo = (part.strip() for part in line.partition(","))
        if not comma or not reference or not photo or "," in photo:
            raise RecipeError(f"{place}, line {number}: not `REFERENCE, PHOTO`")
        if told.setdefault(photo, reference) != reference:
            raise RecipeError(f"{place}, line {number}: {photo} has another reference above")
    return told


def _said(settings: PairedSettings) -> str:
    for name in ("preset", "find", "meta_info", "column"):
        if value := getattr(settings, name):
            value = f"of {commit.fingerprint(_told(value))[:12]}" if name == "meta_info" else value
            return f"{name} {value}"
    raise AssertionError("settings are checked")


def open_maker(settings: PairedSettings, _device: str | None) -> Maker:
    """Open a table of references."""
    return Paired(settings)


def wants(_settings: PairedSettings) -> Wants:
    """Return what one copy takes."""
    return Wants(batch=32)


KIND = Kind("paired", "references that exist already: data sets that others paired", PairedSettings, open_maker, wants, chance=False)
