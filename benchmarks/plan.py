"""Rows per second of the plan, one core, Arrow table included."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pipelines import draw, plan, recipe
from pipelines.usable import Photo


def measure(_folder: Path, _photos: list[Path], _pairs: int) -> dict[str, Any]:
    """Plan 60,000 rows of all tasks; answer rows per second."""
    import degrade

    page = recipe.parse({"tasks": {name: {} for name in degrade.NAMES}, "variants": 20})
    usable = [Photo(f"/p/{at}.jpg", None, None, f"{at:064x}", 3000, 2000, "photo", 0.2, 0.2, True, None, None, "[]", None, []) for at in range(3000)]
    begin = time.process_time()
    with plan.without_collector():  # as the verb does
        rows = list(draw.draw_rows(page, usable))
        plan.table_of(rows)
    return {"rows": len(rows), "rows_per_s": len(rows) / (time.process_time() - begin)}


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    return f"plan: {figures['rows']} rows at {figures['rows_per_s']:.0f} rows/s on one core (goal 20000)"
