"""The contact sheet of `patina sheet`: degradations down, strata across, one block per photo."""

from __future__ import annotations

from pathlib import Path

import degrade
from degrade.contract import STRATA
from degrade.errors import BadSample
from manifests import commit, png
from pipelines import single
from pipelines.crops import Crop
from pipelines.pictures.charts import number
from pipelines.pictures.sheet import Cell, fitted, sheet
from pipelines.pictures.sheet import detail as middle

LONG_SIDE = 1024  # a sheet shows photos as a training pair would hold them


def strata_sheet(photos: list[Path], names: list[str] | None, seed: int, side: int, out: Path, *, detail: bool) -> Path:
    """Write the sheet; answer its path. A photo that does not suit a degradation says so in its caption.

    Args:
        photos: files; each is the second photo of the next, where a degradation needs one.
        names: of degradations; None for all.
        seed: for every draw.
        side: px of a picture.
        out: a .png.
        detail: show the middle at 100 %.
    """
    rows = []
    opened = [single.open_photo(path) for path in photos]
    for place, (path, photo) in enumerate(zip(photos, opened, strict=True)):
        other = opened[place - 1] if len(opened) > 1 else None
        beside = single.Beside(partner=other)
        height, width = photo.pixels.shape[:2]
        scale = min(1.0, LONG_SIDE / max(width, height))
        crop = Crop(0, 0, width, height, max(64, round(width * scale)), max(64, round(height * scale)))
        for name in names or degrade.NAMES:
            cells: list[Cell] = []
            for stratum in range(1, STRATA + 1):
                try:
                    tried = single.try_one(photo, name, stratum, seed, crop, beside)
                except BadSample as bad:
                    rows.append([Cell(fitted(photo.pixels, side), f"{path.stem}: {name} refused, {bad}")])
                    break
                show = middle if detail else fitted
                if not cells:
                    cells.append(Cell(show(tried.clean, side), path.stem))
                cells.append(Cell(show(tried.degraded.pixels, side), f"{name} {stratum}: {number(tried.step['severity'])} {tried.step['unit']}"))
            if cells:
                rows.append(cells)
    commit.write_bytes(out, png.encode(sheet(rows), level=2))
    return out
