"""Ghosts lie on the line through the optical centre, look like the iris, and keep their energy."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from degrade.contract import Linear
from degrade.lens import ghosts
from degrade.lens.aperture import Aperture
from degrade.lens.ghosts import Ghost, Mirror

IRIS = Aperture(6, 0.2, 10.0, 0.3, 0.3, 0.0, 0.0, 11)
PLAIN = Ghost(-1.0, 0.05, 1.0, (1.0, 0.9, 0.6), 0.05, 0.5, 0.0, 0.0, 0.02)
CENTRE = (170.0, 120.0)
LIGHT = (90.0, 60.0)


def drawn(ceiling: float = 1e9, **changed: Any) -> Linear:
    canvas = np.zeros((256, 320, 3), np.float32)
    ghosts.draw(canvas, PLAIN._replace(**changed), ghosts.iris_of(IRIS), LIGHT, CENTRE, (100.0, 100.0, 100.0), ceiling)
    return canvas


def centroid(picture: Linear) -> tuple[float, float]:
    grey = picture.sum(2).astype(np.float64)
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    return float((columns * grey).sum() / grey.sum()), float((rows * grey).sum() / grey.sum())


@pytest.mark.parametrize("along", [-1.3, -1.0, -0.4, 0.3, 0.8])
def test_the_centroid_lies_on_the_line_within_one_per_cent(along: float) -> None:
    """Light, optical centre and ghost are collinear, at the drawn ratio; -1 is point symmetric."""
    x, y = centroid(drawn(along=along))
    wanted = 170.0 - 80.0 * along, 120.0 - 60.0 * along
    assert np.hypot(x - wanted[0], y - wanted[1]) < 0.01 * 256


@pytest.mark.parametrize("blur_frac", [0.0, 0.01])
def test_the_mirror_image_is_the_light_rotated_by_half_a_turn(blur_frac: float) -> None:
    """A lamp of any shape appears upside down at the point opposite, within one per cent."""
    lamp = np.zeros((21, 25, 3), np.float32)
    lamp[4:15, 6:11] = 1.0
    lamp[4:7, 11:20] = 1.0
    corner = (78, 50)
    canvas = np.zeros((256, 320, 3), np.float32)
    ghosts.mirrored(canvas, lamp, corner, Mirror(1.0, (0.6, 1.0, 0.8), blur_frac), CENTRE, 50.0)
    x, y = centroid(lamp)
    wanted = 2 * CENTRE[0] - (corner[0] + x), 2 * CENTRE[1] - (corner[1] + y)
    found = centroid(canvas)
    assert np.hypot(found[0] - wanted[0], found[1] - wanted[1]) < 0.01 * 256
    assert float(canvas[..., 1].sum()) == pytest.approx(50.0, rel=0.02)
    if blur_frac == 0.0:
        turned = np.zeros_like(canvas)
        left, top = round(2 * CENTRE[0]) - corner[0] - 24, round(2 * CENTRE[1]) - corner[1] - 20
        turned[top : top + 21, left : left + 25] = lamp[::-1, ::-1]
        assert np.corrcoef(canvas[..., 1].ravel(), turned[..., 1].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("radius_frac", [0.02, 0.05, 0.12])
def test_a_ghost_keeps_its_energy_whatever_its_size(radius_frac: float) -> None:
    """The larger the ghost the fainter, so that its light stays the same."""
    assert float(drawn(radius_frac=radius_frac)[..., 1].sum()) == pytest.approx(90.0, rel=0.25)


def test_small_ghosts_do_not_outshine_the_ceiling() -> None:
    """However small a ghost, it stays below a few times the ceiling."""
    assert drawn(ceiling=0.2, radius_frac=0.006).max() < 0.2 * 4


def test_a_ghost_is_no_flat_disc() -> None:
    """Its inside varies: rim, slope and mottle."""
    canvas = drawn(radius_frac=0.15, slope=0.3)[..., 1]
    inside = canvas[canvas > 0.3 * canvas.max()]
    assert inside.std() / inside.mean() > 0.1


def test_the_edge_of_a_ghost_is_coloured() -> None:
    """Red reaches farther out than blue."""
    canvas = drawn(radius_frac=0.15, dispersion=0.06, colour=(1.0, 1.0, 1.0))
    x, y = ghosts.place(LIGHT, CENTRE, -1.0)
    rows, columns = np.mgrid[0:256, 0:320]
    far = np.hypot(columns - x, rows - y) > 0.9 * 0.15 * 256
    assert canvas[..., 0][far].sum() > 1.2 * canvas[..., 2][far].sum()


def test_a_round_iris_makes_round_ghosts_and_blades_make_corners() -> None:
    """The variance of the outline's radius tells straight blades from round ones."""
    spread = []
    for roundness in (0.0, 1.0):
        canvas = np.zeros((256, 320, 3), np.float32)
        ghost = PLAIN._replace(radius_frac=0.15, softness=0.02, dispersion=0.0, rim=0.0)
        ghosts.draw(canvas, ghost, ghosts.iris_of(IRIS._replace(blades=5, roundness=roundness)), LIGHT, CENTRE, (1.0,) * 3, 1e9)
        mask = (canvas[..., 1] > 0.4 * canvas[..., 1].max()).astype(np.uint8)
        outline = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)[:, 0, :]
        radii = np.hypot(*(outline - outline.mean(0)).T)
        spread.append(radii.std() / radii.mean())
    assert spread[0] > 0.05 > spread[1]


def test_ghosts_outside_the_frame_add_nothing() -> None:
    """A ghost beyond the edge does no harm."""
    assert drawn(along=-9.0).sum() == 0.0
