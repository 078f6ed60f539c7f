"""Whose photos are in an export: every photo, second photo and bank image whose light is in a kept pair, with what its list said.

Written as `photos.csv` into every export, because formats without columns carry pictures that want a credit as well.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests import commit, licences
from manifests.formats.rows import photo_name, public

_NEEDED = ["verdict", "photo_uri", "photo_sha256", "extra", "others"]


class Credit(NamedTuple):
    """One source of light."""

    photo: str  # its name
    sha256: str
    role: str  # photo, or what it was to another photo: partner, haze, flare...
    pairs: int
    extra: dict[str, str]  # what came with it in its list

    @property
    def licence(self) -> str:
        """What its list says of its licence, or `unknown`."""
        return licences.of(self.extra)


def gather(run: Path, manifest: Path) -> list[Credit]:
    """Return every source of a manifest's kept pairs, photos first, then by name."""
    table = commit.read_table(manifest, _NEEDED)
    rows = table.filter(pc.equal(table.column("verdict"), "keep")).to_pylist()
    known = _told(run)
    names: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        own = ("photo", row["photo_sha256"])
        known[row["photo_sha256"]] = dict(row["extra"] or [])  # the row's own words: the same bytes may stand elsewhere, under other terms
        others = [other for other in json.loads(row["others"] or "[]") if "sha256" in other]  # an order to a maker brings no light
        lit_by = {own: row["photo_uri"], **{(other["role"], other["sha256"]): other["uri"] for other in others}}
        counts.update(lit_by.keys())
        for key, uri in lit_by.items():
            names.setdefault(key, photo_name(uri))
    found = [Credit(names[role, sha256], sha256, role, count, public(known.get(sha256, {}))) for (role, sha256), count in counts.items()]
    return sorted(found, key=lambda credit: (credit.role != "photo", credit.role, credit.photo, credit.sha256))


def _told(run: Path) -> dict[str, dict[str, str]]:
    """Return what came with photos and bank images, by hash."""
    found: dict[str, dict[str, str]] = {}
    for name in ("banks.parquet", "index.parquet"):
        if (run / name).exists():
            table = commit.read_table(run / name, ["sha256", "extra", "verdict"])
            table = table.filter(pc.equal(table.column("verdict"), "keep"))
            table = table.filter(pc.fill_null(pc.greater(_count(table.column("extra")), 0), False))
            found |= {row["sha256"]: dict(row["extra"]) for row in table.to_pylist() if row["sha256"]}
    return found


def _count(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return how many entries each map has."""
    return pa.chunked_array([pa.array([len(entry or ()) for entry in column.to_pylist()], pa.int64())])


def as_csv(sources: list[Credit]) -> str:
    """Return the table: photo, sha256, role, pairs, licence, and every other column that lists brought."""
    others = sorted({key for credit in sources for key in credit.extra if key.strip().lower() not in licences.KEYS})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "sha256", "role", "pairs", "licence", *others])
    for credit in sources:
        told: list[Any] = [credit.photo, credit.sha256, credit.role, credit.pairs, credit.licence]
        writer.writerow([*told, *(credit.extra.get(key, "") for key in others)])
    return text.getvalue()
