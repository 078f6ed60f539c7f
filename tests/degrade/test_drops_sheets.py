"""Images of rain are read as cover: a sheet fills the picture, a streak lies where it was put, along the fall."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Texture
from degrade.drops import population, sheets


def streak() -> Texture:
    """Return a bright vertical line in the middle of a transparent image."""
    image = np.zeros((64, 64, 4), np.uint8)
    image[8:56, 30:34] = 255
    return image


def sheet() -> Texture:
    """Return dense streaks from edge to edge before a grey."""
    image = np.full((64, 64, 4), 255, np.uint8)
    image[..., :3] = 120
    image[:, ::6, :3] = 255
    return image


LAID = sheets.Sheet(0.5, 0.5, 1.0, mirrored=False, gain=0.5)


def test_a_streak_lies_where_it_was_put_and_slants_with_the_rain() -> None:
    """Its cover is around its place, and its axis leans as the drops fall."""
    layer = sheets.cover((streak(),), (LAID._replace(x_frac=0.25, scale=0.6),), 30.0, 100, 200)
    rows, columns = np.nonzero(layer > 0.1)
    assert abs(columns.mean() - 50) < 3
    assert np.corrcoef(rows, columns)[0, 1] > 0.9


def test_a_sheet_fills_the_picture() -> None:
    """It reaches every border, and its grey ground is no rain."""
    layer = sheets.cover((sheet(),), (LAID,), 0.0, 100, 200)
    assert min(layer[:, :12].max(), layer[:, -12:].max(), layer[:12].max(), layer[-12:].max()) > 0.2
    assert np.median(layer) < 0.05


def test_gain_is_the_cover_of_the_brightest_streaks() -> None:
    """It bounds the layer, and two images add up, to no more than all."""
    assert sheets.cover((streak(),), (LAID,), 0.0, 100, 100).max() <= 0.5 + 1e-6
    both = sheets.cover((streak(), streak()), (LAID._replace(gain=0.9),) * 2, 0.0, 100, 100)
    assert both.max() == 1.0


def test_mirrors_are_mirrors() -> None:
    """A mirrored image laid in the middle is the plain one, flipped."""
    image = streak()
    image[:, :28, 3] = 0
    image[20:30, 40:50] = 255
    plain, mirrored = (sheets.cover((image,), (LAID._replace(mirrored=flag),), 0.0, 128, 128) for flag in (False, True))
    assert np.abs(cv2.flip(plain, 1) - mirrored).max() < 1e-3
    assert np.abs(plain - mirrored).max() > 0.1


def test_the_nearer_a_thing_the_less_of_an_image_falls_before_it() -> None:
    """Nothing where no rain is drawn, half at half the way, and all of it at the depth that it shows and beyond."""
    metres = np.array([[0.1, population.NEAREST_M, (population.NEAREST_M + 4) / 2, 4.0, 900.0]], np.float32)
    assert sheets.before(metres, 4.0)[0] == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-6)
