"""Photos that stand beside a photo, found by name: in its folder, its tar, or the remote place that it came from.

A name is what a rule works on: the whole path of a local file, the member's name in a tar, the whole uri of a remote file.
Whatever a list from a stranger asks for, only a regular file, tar or remote place below `root` is opened; without a root a link may
not leave its folder. What lies in the photo's own tar came with the photo.

What may pass is no answer, see `photos/away.py`: it stops the job, which goes on later.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
from fsspec.registry import known_implementations

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason, RunError
from manifests import commit
from pipelines import crops
from pipelines.makers.contract import Order
from pipelines.makers.made_of import File, Made, Unmade
from pipelines.photos import away, decode, sources, uris
from pipelines.photos.decode import DecodeRules
from pipelines.photos.sources import Listed

RECENT = 16  # folders and tars whose lists are remembered: photos come in no order


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
    """Return a local path so that it means the same wherever a worker runs; a remote one as it is."""
    return os.path.abspath(os.path.expanduser(path)) if path and "://" not in path else path.rstrip("/")


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
    """Opens photos by their uri.

    Args:
        rules: how they are decoded.
        root: those beside a photo lie below it, a folder or a remote place; empty: local ones in their own folder.
    """

    def __init__(self, rules: DecodeRules, root: str = "") -> None:
        self._rules = rules
        self._root = root

    def file(self, uri: str, photo: str) -> File:
        """Return under which name and where a photo beside another may be opened."""
        own = uri.startswith("tar://") and uris.container(uri) == uris.container(photo)
        return File(uri, root=None if own else self._root, most_bytes=self._rules.max_bytes)

    def opened(self, file: File, *, known: bool = False) -> tuple[File, Srgb | BadSample]:
        """Return a file as it is now, and the photo in it, upright, or why it cannot be opened; raises RunError as `away.told` does."""
        file, data = _read(file, known=known)
        try:
            return file, data if isinstance(data, BadSample) else decode.decode(data, self._rules).pixels
        except BadSample as bad:
            return file, bad

    def shown(self, order: Order) -> Srgb:
        """Return the whole photo that an order shows a part of, wherever it lies: the index let it in.

        Raises:
            BadSample: it does not show that.
            RunError: it has gone since it was ordered, or cannot be read now.
        """
        if order.crop is None or not order.uri:
            raise BadSample(Reason.NO_CANDIDATE, "the order does not say which photo it shows a part of: nothing can be found beside it")
        _, data = _read(File(order.uri, root=None, most_bytes=self._rules.max_bytes), known=True)
        if isinstance(data, BadSample):
            if data.reason is Reason.MISSING:
                raise RunError(f"{order.uri} was there a moment ago, and is not: {data.detail}; put it back and run the same command again")
            raise data
        photo = decode.decode(data, self._rules).pixels
        height, width = photo.shape[:2]
        fits = order.crop.x + order.crop.crop_width <= width and order.crop.y + order.crop.crop_height <= height
        if not fits or not np.array_equal(crops.cut(photo, order.crop), order.pixels):
            raise BadSample(Reason.SOURCE_CHANGED, f"{order.uri} does not show what was ordered")
        return photo


def alike(uri: str, find: str) -> tuple[File, tuple[str, ...]]:
    """Return the photos beside a photo, itself included, whose names are equal without what `find` matches, sorted; and the list's name.

    Raises:
        RunError: its folder or tar has gone, or cannot be read now.
    """
    mark, name = _mark(_holding(uri)), name_of(uri)
    try:
        scenes = (_scenes if mark else _scenes_of_a_task)(name._replace(text=name.folder), find, mark)
    except BadSample as gone:
        raise RunError(f"what stands beside {uri} cannot be told: {gone.detail}; put it back and run the same command again") from gone
    content, found = scenes.get(re.sub(find, "", name.text), ("", ()))
    return File(uri, mark, content, find), found


def same(file: File) -> bool:
    """Tell whether a file, or what stands beside it, is what it was; bytes are read only if size or time has changed.

    Raises:
        RunError: it cannot be read now.
    """
    if file.mark and file.mark == _mark(_holding(file.uri) if file.find else file.uri):
        return True
    now, _ = alike(file.uri, file.find) if file.find else _read(file, known=bool(file.mark))
    return now.content == file.content


def _read(file: File, *, known: bool) -> tuple[File, bytes | BadSample]:
    """Return a file as it is now, and its bytes, or why there are none."""
    mark = ""
    try:
        with away.told(file.uri, known=known):
            _confine(file)
            mark = _mark(file.uri)
            data = sources.read(_place(file.uri, mark), file.most_bytes, known=known)
        return file._replace(mark=mark, content=commit.sha256(data)), data
    except BadSample as bad:
        return file._replace(mark=mark, content=str(bad.reason)), bad


def _confine(file: File) -> None:
    """Raise BadSample if a file, or the tar that holds it, does not lie where it may."""
    place = uris.container(file.uri)
    path, root = uris.local_path(place), file.root
    if root is None or (not root and (path is None or place != file.uri)):
        return
    root = root or str(PurePosixPath(path or "").parent)
    base = uris.local_path(root)
    if path is None or base is None:
        inside = _plain(place).startswith(_plain(f"{root}/")) and ".." not in place.split("/")
    else:
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base))
    if not inside:
        raise BadSample(Reason.NOT_A_FILE, f"{place} leaves {root}: set `root` of the maker if it may")


def _plain(uri: str) -> str:
    """Return a remote uri as it is under each of its schemes: `gs` and `gcs` are one."""
    scheme, _, path = uri.partition("://")
    return f"{known_implementations.get(scheme, {}).get('class', scheme)} {path.lstrip('/')}"


def _place(uri: str, mark: str) -> Listed:
    """Return where a photo's bytes are; raises FileNotFoundError if there is no such tar, BadSample if it does not hold the photo."""
    if not uri.startswith("tar://"):
        return Listed(uri, None, None, {})
    tar = uris.container(uri)
    if not mark or not tar.lower().endswith(".tar"):  # a folder or a pattern would be listed, too
        raise FileNotFoundError("no such tar")
    if uri not in (members := _members(tar, mark)):
        raise BadSample(Reason.MISSING, "not in that tar")
    return members[uri]


@lru_cache(RECENT)
def _members(tar: str, _mark: str) -> dict[str, Listed]:
    """Return the photos of a tar by their uri."""
    return {one.uri: one for one in sources.listing([tar])}


@lru_cache(RECENT)
def _scenes(folder: Name, find: str, mark: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the photos in a folder, sorted, and a name of their list, by what `find` leaves of their names."""
    scenes: dict[str, list[str]] = {}
    for uri in sorted(_photos(folder, mark)):
        scenes.setdefault(re.sub(find, "", name_of(uri).text), []).append(uri)
    return {left: (commit.fingerprint(found), tuple(found)) for left, found in scenes.items()}


_scenes_of_a_task = lru_cache(RECENT)(_scenes.__wrapped__)


def begin_task() -> None:
    """List remote folders again: they have no time of their own, so what was seen in them holds for one task."""
    _scenes_of_a_task.cache_clear()


def _photos(folder: Name, mark: str) -> Iterator[str]:
    """Yield the photos in a folder."""
    with away.told(folder.called(folder.text)):
        if folder.container:
            found = [one for one in _members(folder.container, mark) if name_of(one).folder == folder.text]
        elif folder.local:
            with os.scandir(folder.text) as entries:
                files = [one for one in entries if not one.name.startswith(".") and (one.is_file(follow_symlinks=False) or os.path.isfile(one))]
            found = [uris.of_path(one.path) for one in files]
        else:
            system, path = uris.remote(folder.text)
            found = [system.unstrip_protocol(one["name"]) for one in system.ls(path, detail=True) if one["type"] == "file"]
    yield from (one for one in found if PurePosixPath(name_of(one).text).suffix.lower() in sources.PHOTO_SUFFIXES)


def _holding(uri: str) -> str:
    """Return the uri of what holds a photo: its folder or tar; nothing, where that has no time of its own."""
    name = name_of(uri)
    return name.container or (uris.of_path(name.folder) if name.local else "")


def _mark(uri: str) -> str:
    """Return what changes when a file does, without reading it; nothing, if it is not there. Raises RunError if that cannot be told now."""
    place = uris.container(uri)
    path = uris.local_path(place)
    with contextlib.suppress(BadSample), away.told(uri), contextlib.suppress(FileNotFoundError):
        if path is None:
            system, name = uris.remote(place)
            return str(system.ukey(name))
        told = os.stat(path)
        return f"{told.st_size} {told.st_mtime_ns}"
    return ""
