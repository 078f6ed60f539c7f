"""Bands: nothing left out, nothing done twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from degrade.arrays.bands import bands


@given(st.integers(1, 3000), st.integers(0, 40))
def test_bands_cover_every_row_once_with_their_margin(height: int, margin: int) -> None:
    """Bands follow each other, see what lies about them, and start at multiples of four."""
    last = 0
    for band in bands(height, margin):
        assert band.top == last
        assert band.first % 4 == 0
        assert band.first <= max(band.top - margin, 0)
        assert band.last >= min(band.bottom + margin, height)
        assert len(range(band.first, band.last)[band.kept]) == band.bottom - band.top
        last = band.bottom
    assert last == height
