"""Photos that stand beside a photo, found by name: in its folder, its tar, or the remote place that it came from.

A name is what a rule works on: the whole path of a local file, the member's name in a tar, the whole uri of a remote file.
Whatever a list from a stranger asks for, only a regular file below `root` is opened; without a root a link may not leave its folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from manifests import commit
from pipelines import crops
from pipelines.makers.contract import Order
from pipelines.makers.made_of import File, Made, Unmade
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


def rule(find: str, replace: str = "") -> str:
    """Return a regular expression on names; raises ValueError if it is none, or cannot be replaced so."""
    try:
        re.compile(find).sub(replace, "")
    except (re.error, IndexError) as error:
        raise ValueError(f"`find` or `replace`: {error}") from error
    return find


def each(orders: Sequence[Order], make: Callable[[Order, list[File]], Srgb]) -> list[Made | Unmade]:
    """Return a candidate for every order, or why there is none.

    Args:
        orders: any.
        make: makes one, and adds what it read; may raise BadSample.
    """
    made: list[Made | Unmade] = []
    for order in orders:
        read: list[File] = []
        try:
            made.append(Made(make(order, read), tuple(read)))
        except BadSample as bad:
            made.append(Unmade(bad, tuple(read)))
    return made


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
        return decode.decode(self._bytes(uri), self._rules).pixels

    def opened(self, uri: str) -> tuple[File, Srgb | BadSample]:
        """Return a photo, upright, or why it cannot be opened; and its bytes' name."""
        mark, sha256 = _mark(uri), ""
        try:
            data = self._bytes(uri)
            sha256 = commit.sha256(data)
            return File(uri, mark, sha256), decode.decode(data, self._rules).pixels
        except BadSample as bad:
            return File(uri, mark, sha256), bad

    def alike(self, uri: str, find: str) -> tuple[File, list[str]]:
        """Return the photos beside a photo, itself included, whose names are equal without what `find` matches, sorted; and the list's name."""
        mark, own = _mark(_beside(uri)), re.sub(find, "", name_of(uri).text)
        found = [one for one in self.siblings(uri) if re.sub(find, "", name_of(one).text) == own]
        return File(uri, mark, commit.fingerprint(found), find), found

    def same(self, file: File) -> bool:
        """Tell whether a file, or what stands beside it, is what it was; its bytes are read only if its size or time has changed."""
        mark = _mark(_beside(file.uri) if file.find else file.uri)
        if mark == file.mark and (mark or not file.find):
            return True
        try:
            now = self.alike(file.uri, file.find)[0].sha256 if file.find else commit.sha256(self._bytes(file.uri))
        except BadSample:
            return False
        return now == file.sha256

    def _bytes(self, uri: str) -> bytes:
        return sources.read(self.listed(uri), self._rules.max_bytes)

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


def _beside(uri: str) -> str:
    """Return the uri of what holds a photo: its folder or tar; nothing, where that has no time of its own."""
    name = name_of(uri)
    return name.container or (uris.of_path(name.folder) if name.local else "")


def _mark(uri: str) -> str:
    """Return what changes when a file does, without reading it; nothing, if it is not there."""
    place = uris.container(uri)
    path = uris.local_path(place)
    try:
        if path is None:
            system, name = uris.remote(place)
            return str(system.ukey(name))
        told = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{told.st_size} {told.st_mtime_ns}"


def _files(folder: str) -> list[str]:
    """Return the uris of what lies in a folder."""
    try:
        with os.scandir(folder) as entries:
            return [uris.of_path(one.path) for one in entries if not one.name.startswith(".") and one.is_file()]
    except OSError as error:
        raise BadSample(Reason.MISSING, f"{folder}: {folders.said(error)}") from error
