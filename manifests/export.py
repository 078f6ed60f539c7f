"""The kept pairs of a run in other people's formats; the stored bytes are copied, never coded again.

    webdataset    tars of kept pairs only: `ID.clean.png ID.degraded.jpg ID.json ID.txt`
    imagefolder   Hugging Face: one folder per split with clean/, degraded/ and metadata.jsonl

A format is built under a temporary name and takes its place when it is whole; it remembers the manifest it was made
from, so that a second run changes nothing and a new selection replaces it.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from manifests import commit, shards
from manifests.pictures import EXTENSIONS

SIDES = ("clean", "degraded")
_COLUMNS = [
    *("pair_id", "task", "split", "severity", "unit", "stratum", "prompt_en", "prompt_zh", "shard", "photo_uri", "extra"),
    *(f"{side}_{what}" for side in SIDES for what in ("offset", "length", "type")),
]


def export(run: Path, manifest: Path, to: str) -> Path:
    """Write a format; answer its folder.

    Args:
        run: the run folder.
        manifest: its manifest.
        to: a name of FORMATS.
    """
    target = run / "export" / to
    made_from = {"manifest_sha256": commit.sha256(manifest.read_bytes()), "format": to}
    record = target / "export.json"
    if record.exists() and json.loads(record.read_text()) == made_from:
        return target
    building = target.with_name(f".{to}{commit.TEMPORARY}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    table = commit.read_table(manifest, [*_COLUMNS, "verdict"])
    rows = table.filter(pc.equal(table.column("verdict"), "keep")).to_pylist()
    FORMATS[to](building, _with_pictures(run, rows))
    commit.write_json(building / "export.json", made_from)
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)
    commit.sync_folder(target.parent)
    return target


def _with_pictures(run: Path, rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """Yield rows with the bytes of their members, in the order of the manifest."""
    name, file = "", -1
    try:
        for row in rows:
            if row["shard"] != name:
                if file >= 0:
                    os.close(file)
                name, file = row["shard"], os.open(shards.tar_path(run, row["shard"]), os.O_RDONLY)
            yield row, {side: os.pread(file, row[f"{side}_length"], row[f"{side}_offset"]) for side in SIDES}
    finally:
        if file >= 0:
            os.close(file)


def _names(row: dict[str, Any]) -> dict[str, str]:
    return {side: EXTENSIONS[row[f"{side}_type"]] for side in SIDES}


def _story(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("pair_id", "task", "severity", "unit", "stratum", "photo_uri")}
    return {**told, "prompt": row["prompt_en"], "prompt_zh": row["prompt_zh"], **dict(row["extra"] or [])}


def _imagefolder(folder: Path, pairs: Iterator[tuple[dict[str, Any], dict[str, bytes]]]) -> None:
    """Write `SPLIT/clean/ID.png`, `SPLIT/degraded/ID.jpg` and `SPLIT/metadata.jsonl`."""
    lines: dict[str, list[str]] = {}
    for row, data in pairs:
        names = {side: f"{side}/{row['pair_id']}.{extension}" for side, extension in _names(row).items()}
        for side in SIDES:
            path = folder / row["split"] / names[side]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[side])
        story = {"file_name": names["clean"], "degraded_file_name": names["degraded"], **_story(row)}
        lines.setdefault(row["split"], []).append(json.dumps(story, ensure_ascii=False))
    for split, texts in lines.items():
        commit.write_bytes(folder / split / "metadata.jsonl", ("\n".join(texts) + "\n").encode())


def _webdataset(folder: Path, pairs: Iterator[tuple[dict[str, Any], dict[str, bytes]]]) -> None:
    """Write one tar per shard, with kept pairs only."""
    for shard, group in itertools.groupby(pairs, key=lambda pair: str(pair[0]["shard"])):
        with tarfile.open(folder / f"{shard}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for row, data in group:
                members = {f"{side}.{extension}": data[side] for side, extension in _names(row).items()}
                members |= {"json": json.dumps(_story(row), ensure_ascii=False, sort_keys=True).encode(), "txt": row["prompt_en"].encode()}
                for extension, content in members.items():
                    info = tarfile.TarInfo(f"{row['pair_id']}.{extension}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))


FORMATS: dict[str, Callable[[Path, Iterator[tuple[dict[str, Any], dict[str, bytes]]]], None]] = {
    "imagefolder": _imagefolder,
    "webdataset": _webdataset,
}
