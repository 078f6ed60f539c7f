"""Working through a picture band by band: temporaries stay in the processor's cache, and memory does not grow with the photo.

Each band is worked on with a margin of neighbouring rows; a step whose reach is no larger than the margin gives the
same bits as on the whole picture, so no seam shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

ROWS = 256


class Band(NamedTuple):
    """Rows to produce, and the rows that must be seen for it; all but the last row of a picture are even."""

    top: int
    bottom: int
    first: int  # first row seen
    last: int  # one past the last row seen

    @property
    def seen(self) -> slice:
        """The rows to read."""
        return slice(self.first, self.last)

    @property
    def made(self) -> slice:
        """The rows to write."""
        return slice(self.top, self.bottom)

    @property
    def kept(self) -> slice:
        """The rows to keep, counted from the first row seen."""
        return slice(self.top - self.first, self.bottom - self.first)


def bands(height: int, margin_px: int, rows: int = ROWS) -> Iterator[Band]:
    """Cut a height into bands that start at multiples of four, with a margin of at least `margin_px` where there is any.

    Args:
        height: rows of the picture.
        margin_px: reach of the steps that follow.
        rows: per band, a multiple of four.
    """
    margin = -4 * (-margin_px // 4)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield Band(top, bottom, max(top - margin, 0), min(bottom + margin, height))
