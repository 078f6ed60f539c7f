"""Reduced pictures keep exact registration, and strips join without seams."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.arrays import strips


@pytest.mark.parametrize("step", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (301, 517)])
def test_strips_join_to_the_whole(shape: tuple[int, int], step: int) -> None:
    """Enlarging strip by strip gives the bits of enlarging at once."""
    small = strips.reduced(np.random.default_rng(0).random(shape, dtype=np.float32), step)
    whole = strips.enlarged(small, step, slice(0, shape[0]), shape[1])
    parts = [strips.enlarged(small, step, slice(top, min(top + 24, shape[0])), shape[1]) for top in range(0, shape[0], 24)]
    assert whole.shape == shape
    assert np.allclose(np.concatenate(parts), whole, atol=1e-6)


def test_a_ramp_survives_the_way_down_and_up() -> None:
    """No half-pixel drift: a linear ramp comes back as itself away from the edges."""
    ramp = np.repeat(np.linspace(0, 1, 333, dtype=np.float32)[:, None], 100, 1)
    back = strips.enlarged(strips.reduced(ramp, 4), 4, slice(0, 333), 100)
    assert np.allclose(back[8:-8], ramp[8:-8], atol=1e-5)


def test_row_ranges_cover_every_row_once() -> None:
    """Strips start at multiples and leave nothing out."""
    ranges = list(strips.rows_of((1031, 700, 3), 8))
    assert all(rows.start % 8 == 0 for rows in ranges)
    assert [row for rows in ranges for row in range(rows.start, rows.stop)] == list(range(1031))
