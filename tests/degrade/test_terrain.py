"""Hills lie behind one another; roofs, masts and trees do not."""

from __future__ import annotations

import numpy as np

from degrade.contract import Srgb
from degrade.scene import terrain
from degrade.scene.depth import geometric

HEIGHT, WIDTH = 128, 192


def under(line: np.ndarray) -> np.ndarray:
    """Return the sky above a skyline of rows."""
    return np.arange(HEIGHT)[:, None] < line[None]


def rolling() -> np.ndarray:
    """The rows of a calm skyline."""
    return 40 + 12 * np.sin(np.arange(WIDTH) / 20)


def roofs() -> np.ndarray:
    """The rows of a street's skyline: a step every tenth column."""
    return 40 + 8.0 * (np.arange(WIDTH) // 10 % 2)


def test_a_calm_skyline_is_of_land_and_one_of_steps_is_not() -> None:
    """Hills run right across without a step; a street steps up and down; without sky there is nothing to say."""
    assert terrain.hilly(under(rolling())) == 1
    assert terrain.hilly(under(roofs())) == 0
    assert terrain.hilly(np.zeros((HEIGHT, WIDTH), bool)) == 0


def receded(line: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Return what becomes of things at 0.5 all over, below a skyline, with the horizon at 0.6."""
    near = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    return terrain.receding(near, np.zeros((HEIGHT, WIDTH), np.int32) if labels is None else labels, under(line), 0.6)


def test_land_recedes_to_the_skyline_and_the_meadow_stays() -> None:
    """Above the horizon inverse depth falls row by row to next to nothing; below it nothing changes; things do not recede."""
    labels = np.repeat(np.arange(HEIGHT, dtype=np.int32)[:, None], WIDTH, 1)
    made = receded(rolling(), labels)
    assert np.all(np.diff(made[54:76, 90]) >= 0)
    assert made[54, 90] < 0.02
    assert made[54, 90] < 0.4 * made[74, 90]
    assert 0.03 < made[74, 90] < terrain.FOOT
    assert np.all(made[90:] == 0.5)
    assert np.all(receded(roofs()) == 0.5)


def test_ridges_stand_behind_one_another() -> None:
    """Two rows apart, a ridge whose foot lies higher is much farther than the one that hides it."""
    labels = np.zeros((HEIGHT, WIDTH), np.int32)
    labels[:64] = 1
    made = receded(rolling(), labels)
    assert made[65, 90] > 1.5 * made[63, 90]


def test_a_lighthouse_before_the_hills_stays_where_it_stands() -> None:
    """What rises between two walls is a thing."""
    line = rolling()
    line[100:108] = 10
    made = receded(line)
    assert np.all(made[20:70, 102:106] == 0.5)
    assert made[60, 60] < 0.1


def test_a_mountain_is_farther_than_the_meadow_before_it() -> None:
    """In a photo: the peak is far, its foot less so, and the meadow before it near."""
    rng = np.random.default_rng(0)
    photo: Srgb = np.zeros((240, 360, 3), np.uint8)
    photo[:] = (150, 180, 225)
    rows, columns = np.mgrid[0:240, 0:360]
    photo[rows > 70 + np.abs(columns - 180) * 0.35] = (105, 100, 110)
    photo[rows > 140] = (70, 100, 50)
    photo = np.clip(photo + rng.integers(-4, 5, photo.shape), 0, 255).astype(np.uint8)
    sky = (rows <= np.minimum(70 + np.abs(columns - 180) * 0.35, 140)).astype(np.float32)
    inverse = geometric(photo, sky).inverse
    assert inverse[80, 180] < 0.03
    assert inverse[80, 180] < inverse[130, 180] < inverse[200, 180]
