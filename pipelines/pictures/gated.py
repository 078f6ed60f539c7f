"""The photos that the gate of a real run refused, a few for every reason: what it threw away before anything was made of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from degrade.errors import BadSample, RunError
from manifests import commit
from manifests.page.survival import why
from pipelines.photos.indexed import Indexed
from pipelines.pictures.sheet import Cell, fitted, label
from pipelines.run import Run

COLUMNS = ["photo_uri", "photo_offset", "photo_size", "photo_sha256", "photo_frame", "decided_by", "reason", "detail"]
LABEL = 110  # px of the words before a line of photos: as wide as those of pairs


def rows(run: Run, most: int, side: int) -> list[list[Cell]]:
    """Return lines of photos, each after its reason; photos that are gone, and clips, are left out.

    Args:
        run: selected.
        most: photos of a reason, by their hash.
        side: px of a picture.
    """
    table = commit.read_table(run.manifest, COLUMNS)
    table = table.filter(pc.equal(pc.cast(table.column("decided_by"), pa.string()), "plan"))
    reasons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        reasons[why(row["reason"], row["detail"])].append(row)
    lines = []
    for reason, found in sorted(reasons.items()):
        cells: list[Cell] = []
        for row in sorted(found, key=lambda row: str(row["photo_sha256"])):
            if len(cells) < most and row["photo_frame"] is None and (cell := _cell(run, row, side)):
                cells.append(cell)
        if cells:
            lines.append([Cell(label(f"{reason} ({len(found)} photos)", LABEL, side)), *cells])
    return lines


def _cell(run: Run, row: dict[str, Any], side: int) -> Cell | None:
    """Return a photo with what was seen of it; None for one that cannot be opened any more, or not now: a report needs no disk of photos."""
    try:
        return Cell(fitted(Indexed.of(row).opened(run.recipe.index.decode)[0].pixels, side), row["detail"] or "")
    except (BadSample, RunError):
        return None
