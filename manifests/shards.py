"""Shards: a plain tar that WebDataset reads as it is, and a Parquet beside it whose existence is the commit.

Members of one pair stand together: `ID.clean.png`, `ID.degraded.jpg`, `ID.json`, `ID.txt` (the prompt). Every
byte of the tar is a function of its rows: no times, owners or host names.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import pyarrow as pa

from manifests import commit
from manifests.pictures import EXTENSIONS
from manifests.schema import PAIR, VERSION

HEADER = tarfile.BLOCKSIZE
COPY = 1 << 24


class Member(NamedTuple):
    """One stored picture."""

    data: bytes
    media_type: str


class _Hashed(io.RawIOBase):
    """A file that keeps the SHA-256 and the length of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.length = 0

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self.length += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.length

    def writable(self) -> bool:
        return True

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


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
        self._hashed = _Hashed(self._atomic.__enter__())
        self._tar = tarfile.TarFile(fileobj=self._hashed, mode="w", format=tarfile.USTAR_FORMAT, copybufsize=COPY)
        return self

    def add_pair(self, row: dict[str, Any], clean: Member, degraded: Member) -> None:
        """Append a pair's pictures, description and prompt, and its row."""
        key = row["pair_id"]
        for side, member in (("clean", clean), ("degraded", degraded)):
            row[f"{side}_offset"] = self._append(f"{key}.{side}.{EXTENSIONS[member.media_type]}", member.data)
            row[f"{side}_length"] = len(member.data)
            row[f"{side}_type"] = member.media_type
            row[f"{side}_sha256"] = commit.sha256(member.data)
        story = {name: row[name] for name in ("pair_id", "task", "split", "severity", "unit", "stratum", "prompt_en", "prompt_zh")}
        story["steps"] = json.loads(row["steps"])
        self._append(f"{key}.json", json.dumps(story, ensure_ascii=False, sort_keys=True).encode())
        self._append(f"{key}.txt", row["prompt_en"].encode())
        self._rows.append(row)

    def add_reject(self, row: dict[str, Any]) -> None:
        """Append the row of a pair that came to nothing, with its reason."""
        self._rows.append(row)

    def _append(self, name: str, data: bytes) -> int:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        offset = int(self._tar.offset) + HEADER
        self._tar.addfile(info, io.BytesIO(data))
        return offset

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._atomic.__exit__(kind, error, trace)
            return
        self._tar.close()
        self._atomic.__exit__(None, None, None)
        notes = {
            "schema_version": VERSION,
            "fingerprint": self._fingerprint,
            "rows": len(self._rows),
            "tar_sha256": self._hashed.sha256,
            "tar_length": self._hashed.length,
        }
        commit.write_table(rows_path(self._run, self._shard), pa.Table.from_pylist(self._rows, PAIR), notes)


def committed(run: Path) -> list[str]:
    """Return the names of the finished shards, sorted."""
    return sorted(path.stem for path in (run / "shards").glob("*.parquet") if not path.name.startswith("."))
