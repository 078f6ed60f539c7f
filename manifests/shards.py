"""Shards: a plain tar that WebDataset reads as it is, and a Parquet beside it whose existence is the commit.

Members of one pair stand together: `ID.clean.png`, `ID.degraded.jpg`, `ID.json`, `ID.txt` (the prompt), and where
the recipe asks for them `ID.layer.NAME.png`, the side products. Every
byte of the tar is a function of its rows: no times, owners or host names.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import pyarrow as pa

from manifests import commit
from manifests.pictures import EXTENSIONS
from manifests.schema import PAIR, VERSION

HEADER = tarfile.BLOCKSIZE


class Layer(NamedTuple):
    """One side product of a pair, as a 16-bit PNG."""

    name: str  # depth, sky, segments, or `degradation.layer`
    data: bytes
    scale: float  # what a stored 65535 stands for


class Member(NamedTuple):
    """One stored picture."""

    data: bytes
    media_type: str


def layer_name(pair_id: str, layer: str) -> str:
    """Return the name of a side product in the tar."""
    return f"{pair_id}.layer.{layer}.png"


class _Tar:
    """Appends members to a file, in the USTAR format (POSIX.1-1988), and keeps a digest of all that it wrote.

    The digest covers every byte once: pictures enter it by their own SHA-256, which the rows hold too.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.length = 0

    def append(self, name: str, data: bytes, known_sha256: str | None = None) -> int:
        """Write a member; answer where its data begin."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._write(info.tobuf(tarfile.USTAR_FORMAT))
        offset = self.length
        if known_sha256 is None:
            self._digest.update(data)
        else:
            self._digest.update(bytes.fromhex(known_sha256))
        self._file.write(data)
        self.length += len(data)
        self._write(bytes(-len(data) % tarfile.BLOCKSIZE))
        return offset

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)
        self.length += len(data)

    def close(self) -> str:
        """Write the end of the archive; answer the digest."""
        end = self.length + 2 * tarfile.BLOCKSIZE
        self._write(bytes(2 * tarfile.BLOCKSIZE + -end % tarfile.RECORDSIZE))
        return self._digest.hexdigest()


def digest(data: memoryview, members: list[tuple[int, int, bytes]]) -> str:
    """Return the digest of a finished tar.

    Args:
        data: the whole file.
        members: (offset, length, SHA-256) of its pictures, by offset.
    """
    made, at = hashlib.sha256(), 0
    for offset, length, known in members:
        made.update(data[at:offset])
        made.update(known)
        at = offset + length
    made.update(data[at:])
    return made.hexdigest()


def tar_path(run: Path, shard: str) -> Path:
    """Return where a shard's pictures are."""
    return run / "shards" / f"{shard}.tar"


def rows_path(run: Path, shard: str) -> Path:
    """Return where a shard's rows are; the shard is committed if and only if this file exists."""
    return run / "shards" / f"{shard}.parquet"


class ShardWriter:
    """Writes one shard; nothing is visible before `commit`, and an error or a kill leaves nothing behind.

    Args:
        run: the run folder.
        shard: the shard's name.
        fingerprint: of the recipe and inputs; read back before a run is resumed.
    """

    def __init__(self, run: Path, shard: str, fingerprint: str) -> None:
        self._run, self._shard, self._fingerprint = run, shard, fingerprint
        self._rows: list[dict[str, Any]] = []
        self._atomic = commit.atomic_file(tar_path(run, shard))

    def __enter__(self) -> Self:
        self._tar = _Tar(self._atomic.__enter__())
        return self

    def add_pair(self, row: dict[str, Any], clean: Member, degraded: Member, layers: Sequence[Layer] = ()) -> None:
        """Append a pair's pictures, description, prompt and side products, and its row."""
        key = row["pair_id"]
        for side, member in (("clean", clean), ("degraded", degraded)):
            row[f"{side}_sha256"] = commit.sha256(member.data)
            name = f"{key}.{side}.{EXTENSIONS[member.media_type]}"
            row[f"{side}_offset"] = self._tar.append(name, member.data, row[f"{side}_sha256"])
            row[f"{side}_length"] = len(member.data)
            row[f"{side}_type"] = member.media_type
        story = {name: row[name] for name in ("pair_id", "task", "split", "severity", "unit", "stratum", "prompt_en", "prompt_zh")}
        story["steps"] = json.loads(row["steps"])
        self._tar.append(f"{key}.json", json.dumps(story, ensure_ascii=False, sort_keys=True).encode())
        self._tar.append(f"{key}.txt", row["prompt_en"].encode())
        if layers:
            row["layers"] = json.dumps([self._add_layer(key, layer) for layer in layers])
        self._rows.append(row)

    def _add_layer(self, key: str, layer: Layer) -> dict[str, Any]:
        """Append a side product; answer its record."""
        offset = self._tar.append(layer_name(key, layer.name), layer.data)
        return {"name": layer.name, "offset": offset, "length": len(layer.data), "sha256": commit.sha256(layer.data), "scale": layer.scale}

    def add_reject(self, row: dict[str, Any]) -> None:
        """Append the row of a pair that came to nothing, with its reason."""
        self._rows.append(row)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._atomic.__exit__(kind, error, trace)
            return
        tar_digest = self._tar.close()
        self._atomic.__exit__(None, None, None)
        notes = {
            "schema_version": VERSION,
            "fingerprint": self._fingerprint,
            "rows": len(self._rows),
            "tar_digest": tar_digest,
            "tar_length": self._tar.length,
        }
        commit.write_table(rows_path(self._run, self._shard), pa.Table.from_pylist(self._rows, PAIR), notes)


def committed(run: Path) -> list[str]:
    """Return the names of the finished shards, sorted."""
    return sorted(path.stem for path in (run / "shards").glob("*.parquet") if not path.name.startswith("."))
