"""From a row of a real plan to two pictures: the photo, and its candidate put back to where the photo has it.

Makers resize, shift and turn what they are given, a little. Size is undone first; then a similarity is measured between
the photo and the candidate, and undone when it is small. The pair is the inner part, without the margin, so that a
candidate that was moved has no bare border in it. What moved further is refused: nobody knows what else it changed.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from degrade.contract import Encoded, Srgb
from degrade.errors import BadSample, Reason
from filters.registration.match import match
from filters.registration.similarity import Similarity
from filters.registration.unresize import unresize
from filters.registration.warp import WHOLE_PX
from pipelines.pair import Pair
from pipelines.real import making, orders
from pipelines.real.pages import CorrectRecipe, RealRecipe
from pipelines.run import Run

STILL_PX: Final = 0.25  # a corner that moved less is left alone: a warp softens, and a restorer would learn it


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
        clean, notes = put_back(unresized(candidate, degraded, self._correct.margin_px), degraded, self._correct)
        margin = orders.record_of(row)["margin_px"]
        inner = (slice(margin, margin + row["height"]), slice(margin, margin + row["width"]))
        used = [{"kind": "candidate", "maker": self._makers[orders.record_of(row)["maker"]]["maker"], "sha256": sha256}]
        return Pair(np.ascontiguousarray(clean[inner]), Encoded(np.ascontiguousarray(degraded[inner]), None, None, notes), used, [])


def unresized(candidate: Srgb, degraded: Srgb, margin_px: int) -> Srgb:
    """Return a candidate at the photo's size, whether its maker stretched, padded or cut it; what was cut off may lie in the margin only.

    Raises:
        BadSample: more was cut off, or the candidate does not show the photo.
    """
    found = unresize(candidate, degraded)
    (tall, wide), (height, width) = found.clean.shape[:2], degraded.shape[:2]
    if (tall, wide) == (height, width):
        return found.clean
    top, left = (height - tall) // 2, (width - wide) // 2
    if max(height - tall - top, width - wide - left) > margin_px:
        raise BadSample(Reason.MOVED, f"the maker cut {width}x{height} to {wide}x{tall}: more than the margin of {margin_px} px")
    return cv2.copyMakeBorder(found.clean, top, height - tall - top, left, width - wide - left, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def put_back(clean: Srgb, degraded: Srgb, rules: CorrectRecipe) -> tuple[Srgb, dict[str, float]]:
    """Return a candidate where the photo has it, and what was undone, px and degrees of the pair.

    Where nothing can be matched the candidate stays as it is: the pair's own alignment scores will say so.

    Args:
        clean: HxWx3 uint8, of the photo's size.
        degraded: the photo.
        rules: how far it may have moved.

    Raises:
        BadSample: it moved further.
    """
    found = match(clean, degraded)
    if found is None:
        return clean, {}
    moved = found.found
    told = f"shifted {moved.shift_px:.1f} px, scaled {moved.scale:.4f}, turned {moved.rotation_deg:.2f} degrees"
    if moved.shift_px > rules.max_shift_px or abs(moved.scale - 1) > rules.max_scale or abs(moved.rotation_deg) > rules.max_rotation_deg:
        raise BadSample(Reason.MOVED, f"the candidate is {told}: more than `real.correct` puts back")
    height, width = degraded.shape[:2]
    if moved.reach_px(width, height) < max(STILL_PX, 2 * found.error_px):
        return clean, {"restore.shift_px": 0.0, "restore.scale": 1.0, "restore.rotation_deg": 0.0}
    whole = Similarity(round(moved.shift_x_px), round(moved.shift_y_px))
    exact = moved.after(whole.inverse()).reach_px(width, height) <= WHOLE_PX
    undone = whole if exact else moved
    kernel = cv2.INTER_NEAREST if exact else cv2.INTER_LANCZOS4
    warped = cv2.warpAffine(clean, undone.matrix(width, height), (width, height), flags=kernel | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    notes = {"restore.shift_px": undone.shift_px, "restore.scale": undone.scale, "restore.rotation_deg": undone.rotation_deg}
    return warped.astype(np.uint8, copy=False), notes
