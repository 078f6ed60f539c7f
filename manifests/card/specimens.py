"""One strip of pictures per task for a data set card: the five strata from left to right, degraded above, clean below.

Of each stratum the pair of middle severity is shown, as a centred square of at most 512 px reduced to 256, so that a scene can be
recognised and noise still be seen.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests import commit, pictures
from manifests.card.tally import STRATA
from manifests.formats.rows import rows
from manifests.members import Members, stored

CUT_PX, SHOWN_PX, GAP_PX = 512, 256, 4
QUALITY = 90
Picture = NDArray[np.uint8]


def write(folder: Path, run: Path, table: pa.Table) -> list[str]:
    """Write `figures/TASK.jpg`; answer the tasks that have one.

    Args:
        folder: of the export.
        run: the run folder.
        table: of kept rows.
    """
    graded = table.filter(pc.is_valid(table.column("stratum")))
    chosen = _chosen(graded)
    with Members(run) as members:
        for task, shown in chosen.items():
            squares = {at: [_square(pictures.decode(members.read(stored(row)[side]))) for side in ("degraded", "clean")] for at, row in shown.items()}
            strip = _strip(squares)
            done, data = cv2.imencode(".jpg", strip[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            if done:
                commit.write_bytes(folder / "figures" / f"{task}.jpg", data.tobytes())
    return list(chosen)


def _chosen(table: pa.Table) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the rows to show, by task and stratum."""
    groups = defaultdict(list)
    for at, row in enumerate(table.select(["task", "stratum", "severity", "pair_id"]).to_pylist()):
        groups[row["task"], row["stratum"]].append((row["severity"], row["pair_id"], at))
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for (task, stratum), members in sorted(groups.items()):
        at = sorted(members)[len(members) // 2][2]
        found[task][stratum] = next(rows(table.slice(at, 1)))
    return dict(found)


def _square(picture: Picture) -> Picture:
    """Return the middle of a picture, SHOWN_PX square."""
    height, width = picture.shape[:2]
    side = min(height, width, CUT_PX)
    top, left = (height - side) // 2, (width - side) // 2
    cut = np.ascontiguousarray(picture[top : top + side, left : left + side])
    return np.asarray(cv2.resize(cut, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _strip(shown: dict[int, list[Picture]]) -> Picture:
    """Return a column of squares for every stratum, on white; a stratum without pairs stays white."""
    step = SHOWN_PX + GAP_PX
    page = np.full((2 * step - GAP_PX, len(STRATA) * step - GAP_PX, 3), 255, np.uint8)
    for stratum, squares in shown.items():
        for down, square in enumerate(squares):
            right = stratum - STRATA[0]
            page[down * step : down * step + SHOWN_PX, right * step : right * step + SHOWN_PX] = square
    return page
