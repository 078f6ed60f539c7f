"""The photos that a recipe names: files, folders, globs, tars and lists become one sorted list without repeats.

Every input stands in the list, also one that cannot be used: it carries its problem, so that the books close. Only a
source that as a whole cannot be meant (missing, empty, damaged) is an error.

A folder that img2dataset or `patina fetch` wrote is read whole, its tars too, with what their tables say (`sidecars`).

What a name may reach: regular files inside the source's root, which is the folder, the fixed part of a glob, or the
folder of a list or file, unless the recipe sets `root`. See `folders` for links and devices, `uris` for names.
"""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from degrade.errors import BadSample, Reason, RecipeError
from degrade.keys import refuse_unknown_keys
from pipelines.photos import archives, away, folders, lists, sidecars, uris

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".tif", ".tiff", ".gif", ".bmp", ".jp2", ".mpo"}
)
CLIP_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"})
MAX_BYTES = 1 << 28
PAUSES_S = (0.5, 2.0)  # before a remote place is asked again that had an error which may pass


class Source(BaseModel):
    """Where photos come from; a plain string is a source that says nothing but its path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(min_length=1, description="a file, a folder (with all below it), a glob, a .tar, or a .parquet, .csv or .jsonl list")
    root: str | None = Field(default=None, description="every photo lies below this folder; relative names of a list begin here")
    column: str | None = Field(default=None, description="column of a list that names the photo; default: path, uri or url")
    group_by: Literal["none", "folder"] = Field(default="none", description="what a split keeps together, where a row has no `group`")
    extra: dict[str, str] = Field(default_factory=dict, description="said of every photo of this source, e.g. licence, author")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return {"path": values} if isinstance(values, str) else refuse_unknown_keys(cls, values)

    @field_validator("root")
    @classmethod
    def _at_home(cls, root: str | None) -> str | None:
        return os.path.expanduser(root) if root else root


def remembered(source: Source) -> dict[str, Any]:
    """Return a source as a run remembers it: a local path does not depend on where the command was run."""
    told = source.model_dump(mode="json", exclude_defaults=True)
    return {key: os.path.abspath(os.path.expanduser(text)) if key in {"path", "root"} and "://" not in text else text for key, text in told.items()}


class Listed(NamedTuple):
    """One input: where its bytes are, and what is said of it."""

    uri: str
    offset: int | None  # first byte in the tar; None: the whole file
    size: int | None  # bytes; None where only reading tells
    extra: dict[str, str]  # licence, source, author, ...; `group` is what a split keeps together
    problem: BadSample | None = None


def listing(sources: Sequence[Source | str], suffixes: frozenset[str] | None = PHOTO_SUFFIXES) -> list[Listed]:
    """Return the inputs of all sources, sorted by uri; what two sources share belongs to the first.

    Args:
        sources: any number.
        suffixes: which files of folders, globs and tars are meant (lower case), None for all; what is named outright always is.

    Raises:
        RecipeError: a source is missing, damaged, empty, or of a kind that is not followed.
        MissingModel: a remote source whose driver is not installed.
    """
    listed: dict[str, Listed] = {}
    for given in sources:
        source = Source.model_validate(given)
        empty = True
        for found in _found(source, suffixes):
            empty = False
            folder = {"group": _folder(found.uri)} if source.group_by == "folder" else {}
            listed.setdefault(found.uri, found._replace(extra={**folder, **source.extra, **found.extra}))
        if empty:
            looked_for = "file" if suffixes is None else f"photo (looked for {' '.join(sorted(suffixes))})"
            raise RecipeError(f"{source.path}: holds no {looked_for}")
    return [listed[uri] for uri in sorted(listed)]


def _folder(uri: str) -> str:
    """Return the folder of a photo, of one in a tar that within the tar."""
    name, mark, tar = uri.partition("::") if uri.startswith("tar://") else (uri, "", "")
    return name.rpartition("/")[0] + mark + tar


def read(listed: Listed, max_bytes: int = MAX_BYTES, *, known: bool = False) -> bytes:
    """Return the bytes of an input.

    Args:
        listed: where it is.
        max_bytes: that it may have.
        known: as `away.told` takes it; what has a size was seen.

    Raises:
        BadSample: the listing's own problem, or MISSING, NOT_A_FILE, EMPTY, FILE_TOO_LARGE; TRUNCATED if a tar has
            become shorter.
        RunError: it cannot be read now, and may be there soon.
    """
    if listed.problem is not None:
        raise BadSample(listed.problem.reason, listed.problem.detail)
    _check_size(listed.size, max_bytes)
    place = uris.container(listed.uri)
    path = uris.local_path(place)
    with away.told(listed.uri, known=known or listed.size is not None):
        data = _read_local(path, listed, max_bytes) if path is not None else _read_remote(place, listed, max_bytes)
    _check_size(len(data), max_bytes)
    if listed.offset is not None and len(data) != listed.size:
        raise BadSample(Reason.TRUNCATED, f"the tar holds {len(data):,} of the {listed.size:,} bytes that it listed")
    return data


def _check_size(size: int | None, max_bytes: int) -> None:
    if size == 0:
        raise BadSample(Reason.EMPTY, "zero bytes")
    if size is not None and size > max_bytes:
        raise BadSample(Reason.FILE_TOO_LARGE, f"{size:,} bytes; the limit is {max_bytes:,}")


def _read_local(path: str, listed: Listed, max_bytes: int) -> bytes:
    folders.check_regular(Path(path).stat())  # to open a device may already do something
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(handle, "rb", buffering=0) as stream:
        size = folders.check_regular(os.fstat(handle))  # it may have been swapped since
        if listed.offset is None:
            _check_size(size, max_bytes)
            return stream.read(max_bytes + 1)
        stream.seek(listed.offset)
        return stream.read(listed.size)


def _read_remote(uri: str, listed: Listed, max_bytes: int) -> bytes:
    system, path = uris.remote(uri)
    start = listed.offset or 0
    end = start + (max_bytes + 1 if listed.offset is None else listed.size or 0)
    for pause_s in PAUSES_S:
        try:
            return bytes(system.cat_file(path, start=start, end=end))
        except OSError as error:
            if not away.may_pass(error):
                raise
        time.sleep(pause_s)
    return bytes(system.cat_file(path, start=start, end=end))


def _found(source: Source, suffixes: frozenset[str] | None) -> Iterator[Listed]:
    """Tell what kind of source this is, and follow it."""
    name = source.path.lower()
    if name.endswith(archives.COMPRESSED):
        raise RecipeError(f"{source.path}: a photo cannot be read out of the middle of a compressed tar; uncompress it")
    path = uris.local_path(source.path)
    path = os.path.expanduser(path) if path is not None else None
    uri = uris.of_path(path) if path is not None else source.path
    several = glob.has_magic(source.path) and (path is None or not os.path.lexists(path))
    if name.endswith(lists.SUFFIXES) and not several:
        return _listed_in(uri, source)
    if name.endswith(".tar") and not several:
        return _members_of(uri, suffixes)
    return _local(path, source, suffixes, several=several) if path is not None else _remote(uri, suffixes)


def _local(path: str, source: Source, suffixes: frozenset[str] | None, *, several: bool) -> Iterator[Listed]:
    if several:
        seen = folders.matching(path, source.root)
    elif Path(path).is_dir():
        seen = folders.below(path, source.root or path)
    elif os.path.lexists(path):
        seen = iter([folders.inspect(path, source.root or str(Path(path).parent))])
        suffixes = frozenset({_suffix(path)})
    else:
        raise RecipeError(f"{source.path}: no such file or folder")
    beside = sidecars.Beside(source.root or path)
    for file in seen:
        uri = uris.of_path(file.path)
        if file.path.lower().endswith(".tar") and file.problem is None and (several or sidecars.is_known(uri)):
            yield from _members_of(uri, suffixes)
        elif file.folder or _is_meant(file.path, suffixes):
            yield Listed(uri, None, file.size, {} if several else beside.of(file.path), file.problem)


def _remote(uri: str, suffixes: frozenset[str] | None) -> Iterator[Listed]:
    system, path = uris.remote(uri)
    several = glob.has_magic(path)
    found = system.glob(path, detail=True) if several else system.find(path, detail=True)
    for name, facts in found.items():
        place = system.unstrip_protocol(name)
        if name.lower().endswith(".tar") and (several or sidecars.is_known(place)):
            yield from _members_of(place, suffixes)
        elif facts["type"] == "file" and (_is_meant(name, suffixes) or name == path):
            yield Listed(place, None, facts.get("size"), {})


def _members_of(uri: str, suffixes: frozenset[str] | None) -> Iterator[Listed]:
    times: dict[str, int] = {}
    photos: list[archives.Member] = []
    beside = sidecars.table(uri)
    with uris.open_container(uri) as stream:
        within = sidecars.Members(stream)
        for member in archives.members(stream, uri):
            if _is_meant(member.name, suffixes):
                photos.append(member)
            elif beside is None:
                within.add(member)
    for photo in photos:
        times[photo.name] = times.get(photo.name, 0) + 1
        problem = None if photo.regular else BadSample(Reason.NOT_A_FILE, "a link, device or sparse file in a tar")
        extra = within.of(photo.name) if beside is None else beside.get(sidecars.key_of(photo.name), {})
        yield Listed(uris.of_member(photo.name, uri, times[photo.name]), photo.offset, photo.size, extra, problem)


def _listed_in(uri: str, source: Source) -> Iterator[Listed]:
    path = uris.local_path(uri)
    folder = source.root or (str(Path(path).parent) if path is not None else uri.rpartition("/")[0])
    with uris.open_container(uri) as stream:
        for entry in lists.entries(stream, uri, source.column):
            if not entry.name:
                yield Listed(entry.where, None, None, entry.extra, BadSample(Reason.MISSING, "the row names no photo"))
            else:
                yield _entry(entry, folder, confined=source.root is not None)


def _entry(entry: lists.Entry, folder: str, *, confined: bool) -> Listed:
    """Return the photo that a row of a list names; an absolute name is taken at its word unless a root confines it."""
    path = uris.local_path(entry.name)
    if path is None or (uris.local_path(folder) is None and not path.startswith("/")):
        uri = entry.name if path is None else f"{folder}/{path}"
        uris.remote(uri)  # what is not followed is an error of the list, not of each of a million rows
        inside = not confined or (uri.startswith(f"{folder.rstrip('/')}/") and ".." not in uri.split("/"))
        problem = None if inside else BadSample(Reason.NOT_A_FILE, f"leaves {folder}, the `root` of its source")
        return Listed(uri, None, None, entry.extra, problem)
    free = path.startswith("/") and not confined
    file = folders.inspect(str(Path(folder, path)), str(Path(path).parent) if free else folder)
    return Listed(uris.of_path(file.path), None, file.size, entry.extra, file.problem)


def _is_meant(name: str, suffixes: frozenset[str] | None) -> bool:
    return suffixes is None or _suffix(name) in suffixes


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
