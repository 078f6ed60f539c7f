"""From a row of a real plan to two pictures: the photo, and its candidate put back to where the photo has it.

Makers resize, shift and turn what they are given, a little. Size is undone first; then a similarity is measured between
the photo and the candidate, and undone when it is small. The pair is the inner part, without the margin, so that a
candidate that was moved has no bare border in it. What moved further is refused: nobody knows what else it changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from degrade.contract import Encoded
from pipelines.pair import Pair
from pipelines.real import making, orders
from pipelines.real.pages import RealRecipe
from pipelines.run import Run


class RealDarkroom:
    """Renders rows of real pairs.

    Args:
        run: with its candidates made.
        real: how far a candidate may have moved.
    """

    def __init__(self, run: Run, real: RealRecipe) -> None:
        self._makers = making.who(run)
        self._candidates = orders.candidates(run)
        self._seen = orders.Seen(run.recipe.index.decode)
        self._correct = real.correct

    def render(self, row: dict[str, Any]) -> Pair:
        """Return the pair of a row.

        Raises:
            BadSample: the photo has changed, the maker refused, or its candidate has moved too far.
            RunError: the candidate has not been made.
        """
        degraded = self._seen.pixels(row)
        candidate, sha256 = self._candidates.picture(orders.key(row, self._makers))
        from filters import alignment

        clean = alignment.unresize(candidate, degraded.shape[1], degraded.shape[0])
        clean, notes = alignment.put_back(clean, degraded, self._correct)
        margin = orders.record_of(row)["margin_px"]
        inner = (slice(margin, margin + row["height"]), slice(margin, margin + row["width"]))
        used = [{"kind": "candidate", "maker": self._makers[orders.record_of(row)["maker"]]["maker"], "sha256": sha256}]
        return Pair(np.ascontiguousarray(clean[inner]), Encoded(np.ascontiguousarray(degraded[inner]), None, None, notes), used, [])
