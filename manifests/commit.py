"""Files that are whole or absent, whatever happens to the process or the power.

Temporary name in the same folder (exclusive) -> write -> fsync -> rename, or link -> fsync of the folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from degrade.errors import CorruptRun

TEMPORARY = ".part"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}  # exFAT, SMB, FUSE


@contextlib.contextmanager
def atomic_file(path: Path, *, exclusive: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the block ends without an error.

    Args:
        path: the name.
        exclusive: never in the place of another file. Where there are no hard links, one that comes in the same instant may still be replaced.

    Raises:
        FileExistsError: the name is taken, and must not be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")
    with contextlib.ExitStack() as undo:
        undo.callback(temporary.unlink, missing_ok=True)
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        (_link if exclusive else os.rename)(temporary, path)
    sync_folder(path.parent)


def _link(temporary: Path, path: Path) -> None:
    """Give a file its name where nothing has it; raises FileExistsError."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.rename(temporary, path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file atomically."""
    with atomic_file(path) as file:
        file.write(data)


def write_json(path: Path, value: Any, *, exclusive: bool = False) -> None:
    """Write JSON that people can read, as `atomic_file` does."""
    with atomic_file(path, exclusive=exclusive) as file:
        file.write((json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode())


def write_table(path: Path, table: pa.Table, notes: dict[str, Any] | None = None) -> None:
    """Write a Parquet file with page checksums atomically; `notes` go into its metadata under the key `patina`."""
    if notes is not None:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"patina": json.dumps(notes, sort_keys=True).encode()})
    with atomic_file(path) as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into CorruptRun."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptRun(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from error


def read_table(path: Path, columns: list[str] | None = None, wanted: pc.Expression | None = None) -> pa.Table:
    """Read a Parquet file, checking its page checksums.

    Args:
        path: the file.
        columns: only these; default all.
        wanted: only rows for which this holds.

    Raises:
        CorruptRun: the file is damaged.
    """
    with whole(path):
        return pq.read_table(path, columns=columns, filters=wanted, page_checksum_verification=True, partitioning=None)


def parse_table(data: bytes, path: Path, columns: list[str] | None = None) -> pa.Table:
    """Return the table of a Parquet file that was read already; for small files, the quicker way. Raises CorruptRun."""
    with whole(path):
        return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True).read(columns, use_threads=False)


def table_notes(table: pa.Table) -> dict[str, Any]:
    """Return the notes that `write_table` put into a table's metadata."""
    notes: dict[str, Any] = json.loads((table.schema.metadata or {}).get(b"patina", b"{}"))
    return notes


def parquet_notes(path: Path) -> dict[str, Any]:
    """Return the notes of a Parquet file without reading its rows."""
    with whole(path):
        metadata = pq.read_metadata(path).metadata or {}
    notes: dict[str, Any] = json.loads(metadata.get(b"patina", b"{}"))
    return notes


def clear_temporaries(folder: Path) -> int:
    """Remove what an interrupted writer left in a folder; return how many files."""
    left = [path for path in folder.glob(f".*{TEMPORARY}") if path.is_file()] if folder.is_dir() else []
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(value: Any) -> str:
    """Return a short hash of a JSON value that does not depend on key order."""
    return short_hash(json.dumps(value, sort_keys=True, ensure_ascii=False))


def short_hash(text: str) -> str:
    """Return 32 hex digits that name a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
