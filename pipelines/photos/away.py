"""Tells what is so for good of a photo from what may pass: only the first is a reason to refuse it, and this is where that is decided.

No such file or name, or none that is ours to read, is so for good where its folder, tar or bucket can be read. Everything else may pass: a
disk or bucket that is away, a stale handle, a line that breaks, too many open files.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from degrade.errors import BadSample, Reason, RecipeError, RunError
from pipelines.photos import folders, uris

GONE = FileNotFoundError, NotADirectoryError, IsADirectoryError
NOT_OURS = errno.EACCES, errno.EPERM
NO_NAME = errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL


def may_pass(error: OSError) -> bool:
    """Tell whether an error may be gone at another try: all but no such file, no such name, and none that is ours to read."""
    return not isinstance(error, GONE) and error.errno not in {*NOT_OURS, *NO_NAME}


@contextlib.contextmanager
def told(uri: str, *, known: bool = False) -> Iterator[None]:
    """Say of what goes wrong while a photo is read whether it will stay so.

    Args:
        uri: of the photo.
        known: its folder, tar or bucket has been there: the photo was seen in it, or others like it are. Of a name that anybody may have
            written down this is not known, and only an empty folder tells of a disk that is away.

    Raises:
        BadSample: MISSING, and it will be tomorrow.
        RunError: it may be there soon; says what to do.
    """
    try:
        yield
    except (RecipeError, OSError, ValueError) as error:
        cause = error.__cause__ if isinstance(error, RecipeError) else error
        if isinstance(cause, OSError):
            if may_pass(cause):
                words = "when it can, run the same command again: nothing is refused for that. If it never can, take it out, and use a new --out"
                raise RunError(f"{uri} cannot be read now: {folders.said(cause)}; {words}") from error
            if problem := _problem(uri, known=known):
                words = "nothing is refused for that. If all of it is gone for good, put any other file there: then its photos are refused, each with a reason"
                back = "put it back (mount the disk, mend the line) and run the same command again"
                raise RunError(f"{uri} cannot be read, and {problem}; {back}: {words}") from error
        raise BadSample(Reason.MISSING, folders.said(error)) from error


def _problem(uri: str, *, known: bool) -> str:
    """Return why nothing can be read now where a photo lies; empty if that can be, or was never there."""
    place = uris.container(uri)
    path, in_tar = uris.local_path(place), place != uri
    try:
        if path is None:
            system, name = uris.remote(place)
            system.info(name if in_tar else name.rpartition("/")[0])  # of a folder: only if it holds something
        elif in_tar and known:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY))
        else:
            folder = os.path.dirname(os.path.realpath(path))  # the disk may lie behind a link
            while not known and not os.path.isdir(folder):
                folder = os.path.dirname(folder)
            with os.scandir(folder) as entries:
                return "" if next(entries, None) else f"{folder} is empty"
    except (RecipeError, OSError, ValueError) as error:
        silent = (RecipeError, FileNotFoundError, *((PermissionError,) if path is None else ()))  # many a bucket is never listed to strangers
        if known or not isinstance(error, silent):
            return f"its {'tar' if in_tar else 'folder'} cannot be read: {folders.said(error)}"
    return ""
