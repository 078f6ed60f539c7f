"""Lamps are found where they are, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.arrays import fields
from degrade.contract import Linear
from degrade.dark import shining, tone

TABLE = tone.tables(0.0, tone.Lift(0.0, 0.0, 0.01)).scene
ALL = slice(0, 256)


def scene(around: float, lamp: tuple[float, float, float] = (1.0, 1.0, 1.0), radius_px: int = 8) -> Linear:
    """Return an even scene with one disc in the middle."""
    return cv2.circle(np.full((256, 256, 3), around, np.float32), (128, 128), radius_px, lamp, -1)


def power(light: Linear, gain: float = 100.0) -> float:
    """Return the power found in the middle of the disc."""
    lit = shining.lit(light, shining.found(light, TABLE, gain), ALL)
    return 0.0 if lit is None else float(lit.power[128, 128 - lit.columns.start])


def test_a_lamp_in_the_dark_has_its_whole_power() -> None:
    """Clipped and alone it is all but as bright as the gain says."""
    assert 50.0 < power(scene(0.01)) < 99.5


def test_power_fades_as_the_surroundings_get_bright() -> None:
    """The same disc is less and less of a lamp, and none in front of a bright sky."""
    found = [power(scene(around)) for around in (0.01, 0.1, 0.3, 0.9)]
    assert all(np.diff(found) < 0)
    assert power(scene(0.2)) > 1.3 * power(scene(0.4)) > 0.0
    assert power(np.ones((256, 256, 3), np.float32)) == 0.0


def test_neon_is_a_lamp_by_night_and_red_paint_is_none_by_day() -> None:
    """One strong colour will do in the dark only."""
    red = (1.0, 0.1, 0.1)
    assert power(scene(0.01, red)) > 30.0
    assert power(scene(0.25, red)) == 0.0


@pytest.mark.parametrize("radius_px", [1, 2, 20])
def test_lamps_of_any_size_are_found(radius_px: int) -> None:
    """A lamp of a few pixels and one of a sixth of its side have power."""
    assert power(scene(0.01, radius_px=radius_px)) > 5.0


def test_a_glow_is_about_the_lamp_and_fades() -> None:
    """Scattered light is there, falls with distance and ends."""
    glow = shining.found(scene(0.01), TABLE, 400.0).glow
    assert glow is not None
    row = cv2.resize(glow, (256, 256))[128, :, 1]
    assert row[128] > row[145] > row[160] > 0.0
    assert row[10] == 0.0
    assert shining.found(scene(0.01, (0.3, 0.3, 0.3)), TABLE, 400.0).glow is None


@pytest.mark.parametrize("radius_px", [4, 8, 20])
def test_a_lens_scatters_its_share_of_a_lamp(radius_px: int) -> None:
    """All of a glow together is 1.2 % of the light that the lamp has beyond the clip."""
    light = scene(0.01, radius_px=radius_px)
    lamps = shining.found(light, TABLE, 400.0)
    lit = shining.lit(light, lamps, ALL)
    assert lamps.glow is not None
    assert lit is not None
    assert lamps.glow[..., 1].sum() * lamps.step**2 / lit.power.sum() == pytest.approx(0.012, rel=0.05)


def test_an_unclipped_lamp_of_the_night_is_found_and_dim_things_are_not() -> None:
    """By night the brightest thing in the photo is a lamp, unless it is dim itself."""
    assert power(scene(0.01, (0.9, 0.9, 0.9))) > 5.0
    assert power(scene(0.01, (0.5, 0.5, 0.5))) == 0.0


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("size", [(16, 24), (17, 23)])
def test_a_block_is_seen_by_its_middle_pixel(size: tuple[int, int], channels: tuple[int, ...]) -> None:
    """Whole blocks and cut ones alike: the same pixels that slices take."""
    picture = fields.gaussian(1, size[0], size[1], *channels)
    rows, columns = (min(2, (side - 1) % 4) for side in size)
    assert np.array_equal(shining._every(picture, 4), picture[rows::4, columns::4])
