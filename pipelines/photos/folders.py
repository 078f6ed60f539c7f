"""Local photos: below a folder, behind a glob, or named outright, looked at without being opened.

Only regular files inside the root are usable. Links that leave it are refused, folders behind links are not entered,
and FIFOs, sockets and devices are never opened: a FIFO called .jpg would hang every reader. Whatever cannot be used is
still listed, with its problem. Hidden files and folders are not meant.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from degrade.errors import BadSample, Reason

_KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFDIR: "a folder"}


class Seen(NamedTuple):
    """A local file, as far as can be told from outside."""

    path: str  # undecodable bytes as `os.fsdecode` gives them
    size: int | None  # bytes
    problem: BadSample | None
    folder: bool = False  # a folder that is not entered: what it holds is not listed


def below(folder: str, root: str) -> Iterator[Seen]:
    """Yield all files of a folder and of the folders in it; what cannot be entered is yielded itself."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                children = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            yield Seen(place, None, BadSample(Reason.MISSING, f"a folder that cannot be read: {said(error)}"), folder=True)
            continue
        for child in children:
            if child.is_dir(follow_symlinks=False):
                waiting.append(child.path)
            else:
                yield _entry(child, root)


def _entry(child: os.DirEntry[str], root: str) -> Seen:
    try:
        if child.is_file(follow_symlinks=False):
            return Seen(child.path, child.stat().st_size, None)
    except OSError as error:  # gone since
        return Seen(child.path, None, BadSample(Reason.MISSING, said(error)))
    if Path(child.path).is_dir():
        return Seen(child.path, None, BadSample(Reason.NOT_A_FILE, "a link to a folder: make it a source of its own"), folder=True)
    return inspect(child.path, root)


def matching(pattern: str, root: str | None) -> Iterator[Seen]:
    """Yield what a glob matches (`**` is any depth); the root is the pattern's fixed part unless it is given."""
    fixed = pattern[: min(pattern.find(mark) for mark in "*?[" if mark in pattern)]
    for match in glob.iglob(pattern, recursive=True):
        if not Path(match).is_dir():
            yield inspect(match, root or str(Path(f"{fixed}_").parent))


def inspect(path: str, root: str) -> Seen:
    """Tell whether one file is there, regular and, with all links followed, inside the root."""
    try:
        real, inside = Path(path).resolve(strict=True), Path(root).resolve()
        size = check_regular(real.stat())
    except BadSample as problem:
        return Seen(path, None, problem)
    except (OSError, ValueError, RuntimeError) as error:
        return Seen(path, None, BadSample(Reason.MISSING, said(error)))
    if not real.is_relative_to(inside):
        return Seen(path, None, BadSample(Reason.NOT_A_FILE, f"leaves {inside}: set `root` of the source if it may"))
    return Seen(path, size, None)


def check_regular(status: os.stat_result) -> int:
    """Return the size in bytes of a regular file; raises BadSample (NOT_A_FILE) for anything else."""
    if not stat.S_ISREG(status.st_mode):
        raise BadSample(Reason.NOT_A_FILE, _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file"))
    return status.st_size


def said(error: Exception) -> str:
    """Return what the system said, without the name that is in the row already."""
    return getattr(error, "strerror", None) or str(error)
