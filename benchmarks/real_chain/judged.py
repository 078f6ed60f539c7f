"""What the truth says of a finished real run: how much nearer to it the made clean side is than the photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.real_chain.web import GOOD
from degrade.contract import Srgb
from manifests import pictures
from manifests.commit import read_table
from pipelines import crops, replay
from pipelines.pair import psnr_db
from pipelines.real import orders
from pipelines.run import Run


class Judged(NamedTuple):
    """One candidate that was put back to its photo."""

    row: dict[str, Any]  # of the manifest
    degraded: Srgb
    clean: Srgb
    truth: Srgb

    @property
    def made_as(self) -> str:
        """How the photo was degraded in truth, `good` if not at all."""
        return made_as(self.row)

    @property
    def maker(self) -> str:
        """Who made the clean side."""
        return str(orders.record_of(self.row)["maker"])

    @property
    def before_db(self) -> float:
        """PSNR of the photo against the truth."""
        return psnr_db(self.degraded, self.truth)

    @property
    def after_db(self) -> float:
        """PSNR of the clean side against the truth."""
        return psnr_db(self.clean, self.truth)


def made_as(row: dict[str, Any]) -> str:
    """Return how a row's photo was degraded in truth, by its name."""
    return Path(row["photo_uri"]).name.rsplit(".", 2)[1]


def rows_of(run: Run) -> list[dict[str, Any]]:
    """Return all rows of a finished run."""
    rows: list[dict[str, Any]] = read_table(run.manifest).to_pylist()
    return rows


def judged(run: Run, truth: Path) -> Iterator[Judged]:
    """Yield every candidate that has pictures, kept or refused.

    Args:
        run: finished.
        truth: the folder of the truth.
    """
    for row in rows_of(run):
        if row["clean_sha256"] is None:
            continue
        sides = [pictures.decode(replay.stored(run, row, side)) for side in ("degraded", "clean")]
        margin = orders.record_of(row)["margin_px"]
        whole = crops.cut(pictures.decode((truth / f"{Path(row['photo_uri']).name.rsplit('.', 1)[0]}.png").read_bytes()), orders.seen_crop(row))
        inner = np.ascontiguousarray(whole[margin : margin + row["height"], margin : margin + row["width"]])
        yield Judged(row, sides[0], sides[1], inner)


def taken_as(run: Run) -> dict[str, dict[str, int]]:
    """Return how many photos that were made as something the gate took as something: truth, then task, or `refused`."""
    photos = {row["photo_uri"]: (made_as(row), row["task"] or "refused") for row in rows_of(run)}
    table: dict[str, dict[str, int]] = {}
    for truth, task in photos.values():
        told = table.setdefault(truth, {})
        told[task] = told.get(task, 0) + 1
    return {truth: dict(sorted(told.items())) for truth, told in sorted(table.items(), key=lambda one: (one[0] == GOOD, one[0]))}
