"""The images of a window's surfaces lie where geometry puts them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from degrade.arrays.bands import Band
from degrade.glass import ghosts
from degrade.glass.focus import Focus
from degrade.glass.fresnel import Glazing, Pane
from degrade.glass.ghosts import Ghost
from degrade.glass.view import Mirrored, Seen

FOCAL = 300.0
SHARP = Focus(aperture_mm=0.2, pane_m=1.0, behind_m=10.0, before_m=3.0)
SCENE = Mirrored(zoom=1.0, photo_k=5500.0, partner_k=5500.0, colour=1.0, lamp_gain=1.0, vignette=0.0, curtain=None)
STRAIGHT = Pane(turn_deg=0.0, tilt_deg=0.0, thickness_mm=4.0, clarity=1.0, glazing=Glazing(gap_mm=12.0, wedge_mrad=9.0, wedge_deg=30.0))


def lamps() -> np.ndarray:
    """Nine lamps on black, 240 x 300."""
    shown = np.zeros((240, 300, 3), np.uint8)
    for down in (40, 120, 190):
        for across in (50, 150, 240):
            shown[down : down + 2, across : across + 2] = 255
    return shown


def shifts(pane: Pane) -> np.ndarray:
    """Return how far beside each of nine lamps the centre of its light is moved by its second image, in that image's share."""
    made = Seen(lamps(), 1, pane, SHARP, SCENE, 1.0, FOCAL).rows(Band(0, 240, 0, 240))[..., 1]
    found = []
    for down in (40, 120, 190):
        for across in (50, 150, 240):
            part = made[down - 15 : down + 17, across - 15 : across + 17]
            rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
            found.append((float((part * columns).sum() / part.sum()) - 15.5, float((part * rows).sum() / part.sum()) - 15.5))
    return np.array(found)


def test_the_shift_between_two_panes_is_constant_over_a_pane_seen_from_the_front() -> None:
    """Nine lamps all over the frame have their second image at twice the wedge, in its direction."""
    found = shifts(STRAIGHT)
    strength = ghosts.of(STRAIGHT, 1, SHARP.mirrored_m, FOCAL)[1].strength
    share = strength / (1 + strength)
    turned = 2 * 9e-3 * FOCAL
    assert np.ptp(found, axis=0).max() < 0.02
    assert found.mean(0) == pytest.approx([share * turned * math.cos(math.radians(30)), share * turned * math.sin(math.radians(30))], abs=0.02)


def test_one_pane_seen_from_the_front_has_no_ghost() -> None:
    """Without a slant and a wedge all images fall on one another."""
    assert np.abs(shifts(STRAIGHT._replace(glazing=None))).max() < 1e-3


def test_the_back_of_a_pane_moves_a_ray_as_the_textbook_says() -> None:
    """At 45 degrees a 6 mm pane of n = 1.52 moves it by 6 / sqrt(n^2 - 1/2) mm, along the slant, less the farther away."""
    pane = STRAIGHT._replace(turn_deg=45.0, thickness_mm=6.0, glazing=None)
    near, far = (ghosts.of(pane, 1, distance, 1000.0)[0] for distance in (2.0, 8.0))
    assert near.right_px == pytest.approx(6e-3 / math.sqrt(1.52**2 - 0.5) / 2.0 * 1000, rel=1e-6)
    assert near.down_px == pytest.approx(0.0, abs=1e-9)
    assert near.right_px == pytest.approx(4 * far.right_px)
    assert ghosts.of(pane, -1, 2.0, 1000.0)[0].right_px == pytest.approx(-near.right_px)


def test_a_tinted_pane_has_weaker_ghosts() -> None:
    """The second surface's light crosses the glass twice: its image goes with the square of the clarity."""
    clear, tinted = (ghosts.of(STRAIGHT._replace(clarity=clarity), 1, 3.0, FOCAL)[0].strength for clarity in (1.0, 0.8))
    assert clear == pytest.approx((1 - (0.52 / 2.52) ** 2) ** 2, rel=1e-4)
    assert tinted == pytest.approx(0.64 * clear)


def test_ghosts_keep_the_light() -> None:
    """A scene that fades before its borders is as bright with ghosts as without."""
    picture = np.zeros((80, 100, 3), np.float32)
    picture[20:60, 30:70] = np.random.default_rng(0).random((40, 40, 3), np.float32)
    made = ghosts.add(picture.copy(), [Ghost(3.3, -2.7, 0.9), Ghost(-7.5, 4.0, 0.5)])
    assert float(made.sum()) == pytest.approx(float(picture.sum()), rel=1e-5)


@pytest.mark.parametrize(("right", "down"), [(2.3, -1.7), (0.4, 0.6), (-5.25, 9.1), (-0.2, -0.9), (3.0, 0.0)])
def test_a_picture_is_moved_by_parts_of_a_pixel(right: float, down: float) -> None:
    """The same as an affine warp, in a quarter of the time."""
    picture = np.random.default_rng(0).random((50, 70, 3), np.float32)
    matrix = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
    warped = cv2.warpAffine(picture, matrix, (70, 50), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(ghosts.moved(picture, right, down) - warped).max() < 1e-5


def test_a_shift_beyond_the_frame_leaves_a_picture() -> None:
    """Impossible recipes do not crash."""
    assert ghosts.moved(np.ones((20, 30, 3), np.float32), 500.0, -500.0).shape == (20, 30, 3)
