"""What is seen in a pane is turned around, in its own light, and mostly sharp."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.air.airlight import LUMINANCE
from degrade.arrays.bands import Band
from degrade.glass import focus, illuminant, mixture, view
from degrade.glass.focus import Focus
from degrade.glass.fresnel import Pane
from degrade.glass.view import Mirrored, Seen, View

PANE = Pane(turn_deg=0.0, tilt_deg=0.0, thickness_mm=4.0, clarity=1.0, glazing=None)
SHARP = Focus(aperture_mm=0.2, pane_m=1.0, behind_m=10.0, before_m=10.0)
SCENE = Mirrored(zoom=1.0, photo_k=5500.0, partner_k=5500.0, colour=1.0, lamp_gain=1.0, vignette=0.0, curtain=None)
WHOLE = Band(0, 96, 0, 96)


def photo() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (96, 128, 3), dtype=np.uint8)


def seen(shown: np.ndarray, lens: Focus = SHARP, scene: Mirrored = SCENE, gain: float = 1.0) -> np.ndarray:
    return Seen(shown, 1, PANE, lens, scene, gain, 128.0).rows(WHOLE)


def test_a_mirror_turns_left_to_right() -> None:
    """Without zoom, defocus and cast, what is seen is the partner's linear light, turned around."""
    shown = view.cut(photo(), View(0.3, 0.8, 1, None), 1.0, (96, 128))
    assert np.abs(seen(shown) - camera.to_linear(photo())[:, ::-1]).max() < 1e-5


@pytest.mark.parametrize("shape", [(64, 64), (301, 70), (96, 128), (65, 400)])
def test_a_partner_of_any_size_fills_the_frame(shape: tuple[int, int]) -> None:
    """Aspect is kept, what is too much is cut."""
    assert view.cut(photo(), View(1.0, 0.0, 1, None), 1.4, shape).shape == (*shape, 3)


def test_the_first_view_sees_all_and_those_after_it_less() -> None:
    """A seed gives the same views each time, and every one is another."""
    views = [view.draw(77, tried) for tried in range(6)]
    assert views == [view.draw(77, tried) for tried in range(6)]
    assert len(set(views)) == 6
    assert views[0].lit is None
    offsets = [one.lit.offset_frac for one in views[1:] if one.lit is not None]
    assert offsets == sorted(offsets)
    assert len(offsets) == 5


def test_one_light_on_both_sides_leaves_no_cast() -> None:
    """The matrix is the identity."""
    assert np.allclose(illuminant.cast(4200.0, 4200.0), np.eye(3), atol=1e-12)


def test_lamplight_before_the_glass_is_orange_to_a_camera_set_to_daylight() -> None:
    """Grey under 3,000 K turns red over green over blue at 6,000 K, and the other way around."""
    warm, cold = illuminant.cast(6000.0, 3000.0) @ np.ones(3), illuminant.cast(3000.0, 6000.0) @ np.ones(3)
    assert warm[0] > 1.3 * warm[1] > 1.6 * warm[2]
    assert cold[0] < cold[1] < cold[2]


def test_two_casts_in_turn_undo_each_other() -> None:
    """From one light to another and back is no change."""
    assert np.allclose(illuminant.cast(6000.0, 3000.0) @ illuminant.cast(3000.0, 6000.0), np.eye(3), atol=1e-12)


def test_less_colour_is_as_bright_and_nearer_to_grey() -> None:
    """Luminance and greys stay, the distance of each channel from grey falls to the share that is left."""
    red = np.array([0.8, 0.1, 0.05])
    grey = red @ LUMINANCE
    paler = illuminant.muted(0.4) @ red
    assert paler @ LUMINANCE == pytest.approx(grey)
    assert np.allclose(paler - grey, 0.4 * (red - grey))
    assert np.allclose(illuminant.muted(0.4) @ np.ones(3), 1.0)


def test_a_point_out_of_focus_is_the_disc_of_the_thin_lens() -> None:
    """Aperture times the difference of the inverse distances, and nothing for what lies as far as the focus."""
    lens = Focus(aperture_mm=10.0, pane_m=0.5, behind_m=1.5, before_m=7.5)
    assert focus.disc_px(lens, lens.mirrored_m, 1000.0) == pytest.approx(10e-3 * (1 / 2 - 1 / 8) * 1000)
    assert focus.disc_px(lens, 2.0, 1000.0) == 0.0


@pytest.mark.parametrize("disc", [0.8, 3.0, 7.5, 12.0])
def test_an_aperture_is_a_disc_of_sum_one(disc: float) -> None:
    """Its second moment is that of a disc: diameter^2 / 16 on each axis."""
    psf = focus.aperture(disc)
    rows, _ = np.mgrid[: psf.shape[0], : psf.shape[1]] - (psf.shape[0] - 1) / 2
    assert float(psf.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float((psf * rows**2).sum()) == pytest.approx(disc**2 / 16, abs=0.12 + 0.02 * disc)


def test_a_lamp_out_of_focus_keeps_its_light_at_any_working_size() -> None:
    """Whether the disc is drawn at full size or at a part of it."""
    shown = np.zeros((96, 128, 3), np.uint8)
    shown[48:50, 64:66] = 255
    for aperture in (4.0, 20.0, 60.0):
        lens = Focus(aperture_mm=aperture, pane_m=0.5, behind_m=0.5, before_m=9.5)
        assert float(seen(shown, lens)[..., 1].sum()) == pytest.approx(4.0, rel=0.03)


def test_lamps_outshine_a_night_and_not_a_day() -> None:
    """A clipped pixel is taken for nearly the full gain in a dark photo and for next to white in a bright one."""
    assert view.highlights(np.full((90, 90, 3), 10, np.uint8), 30.0) > 25
    assert view.highlights(np.full((90, 90, 3), 230, np.uint8), 30.0) < 1.1
    assert float(view.lamp_table(8.0)[0, 255]) == pytest.approx(8.0, rel=1e-5)
    assert float(view.lamp_table(8.0)[0, 100]) == pytest.approx(float(camera.to_linear(np.full((1, 1, 3), 100, np.uint8))[0, 0, 0]))


@pytest.mark.parametrize("lamps", [4, 40, 400])
def test_lamps_are_not_all_that_is_mirrored(lamps: int) -> None:
    """However many they are and however bright, what their highlights gain stays below its share of all the light."""
    night = np.full((64, 64, 3), 40, np.uint8)
    night.reshape(-1, 3)[:lamps] = (255, 60, 200)
    shown = camera.to_linear(night)
    gains = [view.highlights(night, gain) for gain in (2.0, 10.0, 60.0)]
    assert gains == sorted(set(gains))
    strong = cv2.LUT(night, view.lamp_table(gains[-1]))
    share = 1 - mixture.luminance(shown) / mixture.luminance(strong)
    assert 0.05 < share < 0.31
