"""How a photo is named in a row, wherever it lies: printable, unambiguous, and readable from any working directory.

    /data/a.jpg                       a local file: its absolute path
    file:///data/caf%E9.jpg           a local file whose name is no printable text: its bytes, percent-encoded
    s3://bucket/a.jpg                 a remote file, for which fsspec has a driver
    tar://train/a.jpg::/data/x.tar    a member of a tar; its name is a label, nothing is ever extracted under it

Remote schemes are a closed list: fsspec would also follow `simplecache::`, `github://` or `sftp://`, which a list from
a stranger has no business to ask for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote_to_bytes

import fsspec
from fsspec.registry import known_implementations

from degrade.errors import BadSample, MissingModel, RecipeError
from degrade.keys import nearest
from pipelines.photos.folders import check_regular, said

REMOTE = frozenset({"s3", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory"})
_BLOCK = 1 << 18  # bytes fetched at a time while the headers of a remote tar are read


def of_path(path: str) -> str:
    """Return the uri of a local path; undecodable bytes in it are those of `os.fsdecode`."""
    absolute = path if "\0" in path else os.path.abspath(path)
    return absolute if absolute.isprintable() else "file://" + quote(_bytes(absolute))


def _bytes(path: str) -> bytes:
    """Return the bytes that a path stands for on disk, or as good as that, if no file can be called so."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace")


def of_member(name: str, container: str, copy: int = 1) -> str:
    """Return the uri of a tar's member; the second of one name is marked `#2`."""
    return f"tar://{quote(_bytes(name), safe='/ ()')}{f'#{copy}' if copy > 1 else ''}::{container}"


def container(uri: str) -> str:
    """Return the uri of the file in which the bytes lie: the tar of a member, else the uri itself."""
    return uri.partition("::")[2] if uri.startswith("tar://") else uri


def local_path(uri: str) -> str | None:
    """Return the local path that a uri names, or None if it is remote."""
    if uri.startswith("file://"):
        return os.fsdecode(unquote_to_bytes(uri.removeprefix("file://")))
    return None if "://" in uri and not uri.startswith("/") else uri


def remote(uri: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system of a remote uri and the path in it.

    Raises:
        RecipeError: a scheme that is not followed.
        MissingModel: the driver is not installed; names the package.
    """
    scheme = uri.partition("://")[0]
    if scheme in {"http", "https"}:
        raise RecipeError(f"{uri}: photos are not fetched from the web in the middle of a job: `patina fetch LIST --out FOLDER` first, then name the folder")
    if scheme not in REMOTE or "::" in uri:
        raise RecipeError(f"{uri}: `{scheme}://` is not followed; {nearest(scheme, REMOTE)}")
    try:
        system, path = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        package = known_implementations[scheme]["class"].partition(".")[0]
        raise MissingModel(f"{uri}: {scheme}:// needs a driver: pip install {package}") from error
    return system, path


def open_container(uri: str) -> IO[bytes]:
    """Open a tar or a list for reading and seeking.

    Raises:
        RecipeError: it is missing, or no regular file.
    """
    path = local_path(uri)
    try:
        if path is None:
            system, name = remote(uri)
            stream: Any = system.open(name, "rb", block_size=_BLOCK)
            return stream
        check_regular(Path(path).stat())
        return Path(path).open("rb")
    except (OSError, ValueError, BadSample) as error:
        raise RecipeError(f"{uri}: cannot be opened: {said(error)}") from error
