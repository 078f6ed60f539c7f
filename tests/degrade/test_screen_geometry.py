"""The camera's geometry: what is asked for at the centre is there, and the coarse map is fine enough."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.screen import geometry
from degrade.screen.geometry import View

STRAIGHT = View(2.0, 0.0, 0.0, 0.0, 30.0, 0.0, 0.0, 0.0)
TILTED = View(1.7, 3.0, 20.0, 35.0, 40.0, 0.04, 0.3, 0.6)
SIZE = (300, 200)


def test_a_display_seen_straight_is_a_square_grid() -> None:
    """Without tilt, roll and distortion a pitch of two is half a display pixel per px everywhere."""
    x, y = np.array([0.0, 100.0, 299.0]), np.array([0.0, 150.0, 199.0])
    found = geometry.looked_at(x, y, STRAIGHT, SIZE)
    assert np.allclose(found, np.stack([x - 149.5, y - 99.5], -1) / 2)


def test_pitch_and_roll_are_those_of_the_columns_at_the_centre() -> None:
    """However a display is tilted, its columns have the recorded pitch and roll in the middle of the photo."""
    change = geometry.gradient(TILTED, SIZE)[0]
    assert np.isclose(1 / np.hypot(*change), 1.7, rtol=1e-4)
    assert np.isclose(np.degrees(np.arctan2(change[1], change[0])), 3.0, atol=1e-2)


def test_tilt_brings_one_side_nearer_and_foreshortens_across_its_axis() -> None:
    """About an upright axis the pitch grows from one edge to the other; columns close up against rows by the cosine."""
    view = STRAIGHT._replace(tilt_deg=20.0, axis_deg=90.0)
    x = np.array([0.0, 1.0, 298.0, 299.0])
    columns = geometry.looked_at(x, np.full(4, 99.5), view, SIZE)[:, 0]
    near, far = sorted((columns[1] - columns[0], columns[3] - columns[2]))
    edge, focal = 149.0, 100 / np.tan(np.radians(15))
    slope = edge / focal * np.tan(np.radians(20))
    assert np.isclose(far / near, ((1 + slope) / (1 - slope)) ** 2, rtol=2e-3)
    ends = [geometry.looked_at(np.full(2, x), np.array([99.0, 100.0]), view, SIZE)[:, 1] for x in (0.5, 298.5)]
    rows = [abs(float(np.diff(end)[0])) for end in ends]
    assert np.isclose(rows[0] / rows[1], ((columns[1] - columns[0]) / (columns[3] - columns[2])) ** 0.5, rtol=2e-3)
    change = geometry.gradient(view, SIZE)
    assert np.isclose(np.hypot(*change[1]) / np.hypot(*change[0]), np.cos(np.radians(20)), rtol=1e-3)


def test_distortion_bends_by_its_cube() -> None:
    """With k1 = 0.05 a corner looks five per cent farther out."""
    corner = geometry.looked_at(np.array(-0.5), np.array(-0.5), STRAIGHT._replace(k1=0.05), SIZE)
    assert np.allclose(corner, [-75 * 1.05, -50 * 1.05])


@pytest.mark.parametrize("size", [(64, 64), (301, 467), (1280, 64), (96, 2048)])
@pytest.mark.parametrize("k1", [-0.2, 0.0, 0.2])
def test_at_the_steepest_tilt_no_part_of_the_display_is_folded_back(size: tuple[int, int], k1: float) -> None:
    """Up to it the map keeps its orientation everywhere, whichever way the display is tilted; far beyond it, it does not."""
    for field in (1.0, 30.0, 80.0):
        for axis in (0.0, 35.0, 90.0, 145.0):
            view = TILTED._replace(tilt_deg=geometry.steepest_deg(field, k1, size), axis_deg=axis, field_deg=field, k1=k1)
            assert orientation(view, size) > 0
    view = STRAIGHT._replace(field_deg=80.0, axis_deg=float(np.degrees(np.arctan2(size[1], size[0]))) + 90, tilt_deg=75.0)
    assert geometry.steepest_deg(80.0, 0.0, size) < 75.0
    assert orientation(view, size) < 0


def orientation(view: View, size: tuple[int, int]) -> float:
    """Return the least sine of the angle from a row of the picture to a column, as they lie on the display."""
    x, y = np.meshgrid(*(np.linspace(0, side - 1, 24) for side in size))
    here, across, down = (geometry.looked_at(x + dx, y + dy, view, size) for dx, dy in ((0, 0), (1e-3, 0), (0, 1e-3)))
    (a, b), (c, d) = np.moveaxis(across - here, -1, 0), np.moveaxis(down - here, -1, 0)
    return float(((a * d - b * c) / (np.hypot(a, b) * np.hypot(c, d))).min())


@pytest.mark.parametrize("size", [(640, 480), (301, 467)])
def test_the_coarse_map_is_that_of_every_pixel(size: tuple[int, int]) -> None:
    """Between the nodes, and in every band of rows, phases are right to a thirtieth of a display pixel."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    exact = geometry.looked_at(x.astype(float), y.astype(float), TILTED, size) + np.array([0.3, 0.6])
    nodes = geometry.phases(TILTED, size, 1, 1000)
    for part in (slice(0, size[1]), slice(40, size[1] - 3)):
        across, down = geometry.rows(nodes, part, size[0])
        found = np.stack([across, down], -1) / 1000
        assert np.abs((found - exact[part] + 0.5) % 1 - 0.5).max() < 0.033
        assert min(across.min(), down.min()) >= 0
