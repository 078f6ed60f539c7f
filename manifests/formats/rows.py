"""The kept rows of a manifest, prepared for formats: JSON opened, the prompt chosen, twins of a clean side found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import RunError
from manifests import commit, licences

BATCH_ROWS = 1024  # as Python objects rows are ten times as large as in Arrow
_NEEDED = [
    *("pair_id", "task", "split", "severity", "unit", "stratum", "width", "height", "steps", "prompt_en", "prompt_zh", "shard"),
    *("photo_uri", "photo_sha256", "extra", "layers", "scores"),
    *(f"{side}_{what}" for side in ("clean", "degraded") for what in ("offset", "length", "type", "sha256")),
]


def kept(manifest: Path) -> pa.Table:
    """Return the kept rows of a manifest, with the columns that formats need.

    Raises:
        RunError: no pair was kept.
    """
    table = commit.read_table(manifest, [*_NEEDED, "verdict"])
    table = table.filter(pc.equal(table.column("verdict"), "keep"))
    if not table.num_rows:
        raise RunError(f"{manifest} keeps no pair, so there is nothing to export: widen `select.limits` and run `patina select`")
    return table


def rows(table: pa.Table, language: str = "en") -> Iterator[dict[str, Any]]:
    """Yield rows in their order.

    Beside the manifest's columns they hold `prompt` (in the language), `photo` (its name), `extra` (with `licence`, be it unknown),
    `scores` and `layers` (as dicts), and `clean_of`: the first pair of the split with the same bytes on its clean side.

    Args:
        table: of `kept`, or a part of it.
        language: of the prompt, en or zh.
    """
    first: dict[tuple[str, str], str] = {}
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        for row in batch.to_pylist():
            row |= {"extra": licences.named(public(dict(row["extra"] or []))), "scores": dict(row["scores"] or [])}
            row["layers"] = {layer["name"]: layer for layer in json.loads(row["layers"] or "[]")}
            row["prompt"] = row[f"prompt_{language}"]
            row["photo"] = photo_name(row["photo_uri"])
            row["clean_of"] = first.setdefault((row["split"], row["clean_sha256"]), row["pair_id"])
            yield row


def public(extra: dict[str, str]) -> dict[str, str]:
    """Return what may be told of what came with a photo: of a group that is a folder, only which photos it holds."""
    group = extra.get("group", "")
    return extra | ({"group": commit.short_hash(group)} if "/" in group else {})


def photo_name(uri: str) -> str:
    """Return what may be told of where a photo came from: a remote address without signature, a local file's name; of a tar both, and the member."""
    if uri.startswith("tar://"):
        member, _, container = uri.removeprefix("tar://").partition("::")
        return f"{photo_name(container)}/{member}"
    place = urlsplit(uri)
    if place.scheme and place.netloc:
        return f"{place.scheme}://{place.hostname}{place.path}"
    return uri.rpartition("/")[2]
