"""Photos that stand beside a photo, found by name: in its folder, its tar, or the remote place that it came from.

A name is what a rule works on: the whole path of a local file, the member's name in a tar, the whole uri of a remote file.
Whatever a list from a stranger asks for, only a regular file below `root` is opened; without a root a link may not leave its folder.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from pipelines import crops
from pipelines.makers.contract import Order
from pipelines.photos import decode, folders, sources, uris
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Listed


class Name(NamedTuple):
    """A uri, taken apart."""

    text: str
    container: str = ""  # uri of the tar that it is a member of
    local: bool = True

    def called(self, text: str) -> str:
        """Return the uri of another photo in the same container."""
        if self.container:
            return uris.of_member(text, self.container)
        return uris.of_path(text) if self.local else text

    @property
    def folder(self) -> str:
        """The folder of the photo; empty at the top of a tar."""
        return self.text.rpartition("/")[0]


def name_of(uri: str) -> Name:
    """Return what a uri calls its photo."""
    if uri.startswith("tar://"):
        label = uri.removeprefix("tar://").partition("::")[0].partition("#")[0]
        return Name(os.fsdecode(unquote_to_bytes(label)), uris.container(uri))
    path = uris.local_path(uri)
    return Name(uri, local=False) if path is None else Name(path)


def absolute(path: str) -> str:
    """Return a local path so that it means the same wherever a worker runs."""
    return os.path.abspath(path) if path and "://" not in path else path


class Beside:
    """Finds and opens photos by their uri.

    Args:
        rules: how they are decoded.
        root: every local one lies below this folder; empty: in its own.
    """

    def __init__(self, rules: DecodeRules, root: str = "") -> None:
        self._rules = rules
        self._root = root
        self._members: tuple[str, dict[str, Listed]] = ("", {})

    def photo(self, uri: str) -> Srgb:
        """Return a photo, upright; raises BadSample, MISSING if there is none."""
        return decode.decode(sources.read(self.listed(uri), self._rules.max_bytes), self._rules).pixels

    def shown(self, order: Order) -> Srgb:
        """Return the whole photo that an order shows a part of.

        Raises:
            BadSample: it is gone, or no longer shows that.
        """
        if order.crop is None or not order.uri:
            raise BadSample(Reason.NO_CANDIDATE, "the order does not say which photo it shows a part of: nothing can be found beside it")
        photo = self.photo(order.uri)
        height, width = photo.shape[:2]
        fits = order.crop.x + order.crop.crop_width <= width and order.crop.y + order.crop.crop_height <= height
        if not fits or not np.array_equal(crops.cut(photo, order.crop), order.pixels):
            raise BadSample(Reason.SOURCE_CHANGED, f"{order.uri} does not show what was ordered")
        return photo

    def listed(self, uri: str) -> Listed:
        """Return where a photo's bytes are."""
        name = name_of(uri)
        if name.container:
            missing = BadSample(Reason.MISSING, f"no `{name.text}` in {name.container}")
            return self.members(name.container).get(uri, Listed(uri, None, None, {}, missing))
        if not name.local:
            return Listed(uri, None, None, {})
        seen = folders.inspect(name.text, self._root or str(PurePosixPath(name.text).parent))
        return Listed(uri, None, seen.size, {}, seen.problem)

    def members(self, container: str) -> dict[str, Listed]:
        """Return the photos of a tar by their uri; the last tar that was asked for is remembered."""
        if self._members[0] != container:
            self._members = (container, {one.uri: one for one in sources.listing([container])})
        return self._members[1]

    def siblings(self, uri: str) -> list[str]:
        """Return the photos in a photo's folder, itself included, sorted."""
        name = name_of(uri)
        if name.container:
            found = [one for one in self.members(name.container) if name_of(one).folder == name.folder]
        elif name.local:
            found = _files(name.folder)
        else:
            system, path = uris.remote(name.folder)
            found = [system.unstrip_protocol(one["name"]) for one in system.ls(path, detail=True) if one["type"] == "file"]
        return sorted(one for one in found if PurePosixPath(name_of(one).text).suffix.lower() in sources.PHOTO_SUFFIXES)


def _files(folder: str) -> list[str]:
    """Return the uris of what lies in a folder."""
    try:
        with os.scandir(folder) as entries:
            return [uris.of_path(one.path) for one in entries if not one.name.startswith(".") and one.is_file()]
    except OSError as error:
        raise BadSample(Reason.MISSING, f"{folder}: {folders.said(error)}") from error
