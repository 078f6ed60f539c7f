"""Where the clean side of a pair lies on its degraded side, and how sure that is: the steps of this room in their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from degrade.contract import Srgb
from filters.registration import fit
from filters.registration.flow import flow
from filters.registration.similarity import Similarity
from filters.registration.structure import pyramid

LEAST_PX = 96  # short side: a smaller photo has too few tiles
SURE_PX = 0.35  # standard deviation, px of the finest level; that of unrelated photos is 0.5 and more
MOVED_FRAC = 0.002  # of the short side: 1 px of 512, from which a tile counts as moved


class Match(NamedTuple):
    """What was found in a pair; lengths are px of the pair."""

    found: Similarity  # where what the degraded side shows at x stands in the clean side
    error_px: float  # standard deviation of the shift
    matched: float  # share of the textured tiles that show the same thing and know where, 0 to 1
    confidence: float  # mean correlation of their structure, 0 to 1
    detail: float  # share of the fine contrast that the degraded side has left, of the coarse: 1 sharp, 0 blurred
    flow_px: float  # 95th percentile of what is left of their moves
    flow_share: float  # share of them that moved by more than `MOVED_FRAC`


def match(clean: Srgb, degraded: Srgb) -> Match | None:
    """Return where the clean side lies, or None if that cannot be told.

    Args:
        clean: HxWx3 uint8 sRGB.
        degraded: the same size.
    """
    if min(clean.shape[:2]) < LEAST_PX:
        return None
    (step, ours), (_, theirs) = pyramid(clean), pyramid(degraded)
    fits = fit.fit(ours, theirs)
    if not fits:
        return None
    believed, detail = fit.best(fits)
    to_finest, to_pair = 2.0**believed.level, step * 2.0**believed.level
    if believed.error_px * to_finest > SURE_PX:
        return None
    left = flow(ours, theirs, believed)
    moved = left.length_px[left.trusted] * step
    if not moved.size:
        return None
    return Match(
        found=believed.found.resized(to_pair).inverse(),
        error_px=believed.error_px * to_pair,
        matched=left.share,
        confidence=float(left.likeness[left.trusted].mean()),
        detail=detail,
        flow_px=float(np.quantile(moved, 0.95)),
        flow_share=float((moved > MOVED_FRAC * min(clean.shape[:2])).mean()),
    )
