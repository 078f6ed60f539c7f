"""The members of a tar, as places: where each one's bytes lie, so that a photo is one read and nothing is extracted.

A tar that was cut between two members reads short without an error in every tool that we know, and a broken header in
the middle ends the listing as quietly. So the end-of-archive block is asked for: a tar that does not end with it is
refused by name.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from degrade.errors import RecipeError

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")


class Member(NamedTuple):
    """One entry of a tar."""

    name: str  # a label; may be `../../x`, may be anything
    offset: int  # of its first byte in the tar
    size: int  # bytes
    regular: bool  # an ordinary file, stored in one piece


def members(stream: IO[bytes], uri: str) -> Iterator[Member]:
    """Yield every entry of an uncompressed tar but its folders, in the tar's order.

    Args:
        stream: the tar, seekable.
        uri: its name, for errors.

    Raises:
        RecipeError: not a tar, or a damaged one.
    """
    last = -1
    try:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                if member.offset_data <= last or member.size < 0:
                    raise RecipeError(f"{uri}: the header at byte {member.offset:,} points backwards: the tar is damaged")
                last = member.offset_data
                if not member.isdir():
                    yield Member(member.name, member.offset_data, member.size, member.isreg() and not member.issparse())
                tar.members.clear()  # type: ignore[attr-defined]  # the library would keep millions of them
            end = tar.offset
        stream.seek(end)
        block = stream.read(tarfile.BLOCKSIZE)
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
        raise RecipeError(f"{uri}: not a readable tar: {error}") from error
    if any(block) or len(block) < tarfile.BLOCKSIZE:
        what = "a damaged header" if block else "no end-of-archive mark: it was cut short"
        raise RecipeError(f"{uri}: at byte {end:,} there is {what}")
