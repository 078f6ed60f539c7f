"""Dirt covers what its record says, and reflections end where they are told to."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.glass import border, dirt
from degrade.glass.dirt import Dirt, Placement


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_dirt_covers_the_share_of_its_record(share: float) -> None:
    """The mean coverage is the record's, but for what the densest specks are cut."""
    made = dirt.soiled(Dirt(coverage=0.02, speck_share=share, specks=900, wipe_deg=30.0, seed=5), (200, 300))
    assert float(made.mean()) == pytest.approx(0.02, rel=0.2)
    assert made.min() >= 0
    assert made.max() <= 0.9


def test_smears_run_along_the_wipe() -> None:
    """They change more slowly in the direction of the wipe than across it, whatever the direction."""
    for degrees in (0.0, 90.0):
        made = dirt.soiled(Dirt(0.05, 0.0, 10, degrees, 9), (256, 256))
        along, across = np.abs(np.diff(made, axis=1)).mean(), np.abs(np.diff(made, axis=0)).mean()
        assert (along < 0.6 * across) == (degrees == 0.0)
        assert (across < 0.6 * along) == (degrees == 90.0)


def test_an_image_of_the_bank_covers_by_its_alpha() -> None:
    """Strength scales alpha, and colour comes premultiplied, in linear light."""
    texture = np.zeros((40, 60, 4), np.uint8)
    texture[..., 0], texture[..., 3] = 255, 102
    covered, shown = dirt.laid((texture,), (Placement(0.0, 3.0, 0.5, 0.5, 0.5),), (90, 120))
    assert np.allclose(covered, 0.2, atol=1e-3)
    assert np.allclose(shown, np.array([0.2, 0.0, 0.0]), atol=1e-3)


def test_two_images_lie_on_one_another() -> None:
    """What two cover is 1 - (1 - a)(1 - b)."""
    texture = np.full((40, 60, 4), 127.5, np.uint8)
    once, twice = (dirt.laid((texture,) * count, (Placement(0.0, 3.0, 0.5, 0.5, 1.0),) * count, (64, 64))[0] for count in (1, 2))
    assert np.allclose(twice, 1 - (1 - once) ** 2, atol=1e-5)


def test_an_image_covers_nothing_beyond_its_ends() -> None:
    """A small image in one corner leaves the other clear."""
    covered, _ = dirt.laid((np.full((50, 50, 4), 255, np.uint8),), (Placement(30.0, 0.3, 0.1, 0.1, 1.0),), (100, 100))
    assert covered[10, 10] > 0.9
    assert covered[60:, 60:].max() == 0.0


def test_a_border_lies_on_its_line() -> None:
    """One half in its middle, all on its side, nothing on the other; its mirror image on the other side."""
    made = border.covered((101, 141), 0.0, 0.2, 9.0, 1)
    middle = 70 + 0.2 * 101
    assert made[50, round(middle)] == pytest.approx(0.5, abs=0.1)
    assert made[50, round(middle) + 6] == 1.0
    assert made[50, round(middle) - 6] == 0.0
    assert np.allclose(border.covered((101, 141), 0.0, 0.2, 9.0, -1), made[:, ::-1])


def test_a_border_turned_by_a_right_angle_runs_across() -> None:
    """Ninety degrees point down."""
    made = border.covered((100, 100), 90.0, 0.0, 3.0, 1)
    assert made[:40].max() == 0.0
    assert made[60:].min() == 1.0
