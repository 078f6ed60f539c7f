"""Tells a photo that is gone from a disk, share or bucket that is away for a moment: only the first is a reason to refuse it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from degrade.errors import BadSample, Reason, RunError
from pipelines.photos import folders, uris


def check(bad: BadSample, names: Iterable[str]) -> None:
    """Let a refusal stand, unless what it misses may be back soon.

    Args:
        bad: any refusal.
        names: uris of the photos that were to be read.

    Raises:
        RunError: a photo is MISSING, and the folder, tar or bucket of one of them cannot be read now, or is as empty as the mount point of
            a disk that is away.
    """
    if bad.reason is not Reason.MISSING:
        return
    for uri in names:
        if problem := _problem(uri):
            raise RunError(
                f"{uri} is not there, and {problem}. Put it back (mount the disk, mend the line) and run the same command again: nothing is refused "
                "for that. If all of it is gone for good, put any other file there: then its photos are refused, each with a reason."
            )


def _problem(uri: str) -> str:
    """Return why nothing can be read now where a photo lies; empty if that can be."""
    place = uris.container(uri)
    path, in_tar = uris.local_path(place), place != uri
    try:
        if path is None:
            system, name = uris.remote(place)
            system.info(name if in_tar else name.rpartition("/")[0])  # of a folder: only if it holds something
        elif in_tar:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY))
        else:
            with os.scandir(os.path.dirname(path)) as entries:
                return "" if next(entries, None) else "its folder is empty"
    except (OSError, ValueError) as error:
        return f"its {'tar' if in_tar else 'folder'} cannot be read: {folders.said(error)}"
    return ""
