"""Aliasing by the book: peaks stand where frequencies fold to, and lens and photosite decide how high."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.screen import optics, retake
from degrade.screen.geometry import View
from degrade.screen.layouts import LAYOUTS

GREY = 0.3
SIDE = 256


def straight(pitch_px: float, **changes: object) -> retake.Screen:
    """Return a striped display seen straight, without noise reduction or sharpening."""
    view = View(pitch_px, 0.0, 0.0, 0.0, 30.0, 0.0, 0.1, 0.2)
    return retake.Screen("stripe", 0.7, view, 0.35, 1, 0, False, 0.0, 0.0)._replace(**changes)


def shown(screen: retake.Screen, contrast: float = 1.0, noise_gain: float = 0.0) -> np.ndarray:
    """Photograph a grey screen; returns light relative to that grey."""
    grey = np.full((SIDE, SIDE, 3), GREY, np.float32)
    return camera.to_linear(retake.photograph(grey, screen, contrast, noise_gain, 7)) / GREY


def peak(light: np.ndarray) -> float:
    """Return the frequency along a row, cycles per px, at which its colour varies most."""
    profile = light.mean(0) - light.mean()
    spectrum = np.abs(np.fft.rfft(profile * np.hanning(SIDE), 16 * SIDE))
    return float(spectrum.argmax()) / (16 * SIDE)


@pytest.mark.parametrize(("pitch_px", "harmonic", "array"), [(2.1, 1, 0.5), (1.9, 1, 0.5), (1.04, 1, 1.0), (4.3, 2, 0.5), (0.97, 1, 1.0)])
def test_a_band_stands_where_display_and_array_beat(pitch_px: float, harmonic: int, array: float) -> None:
    """The strongest slow wave of red lies at |k f_display - n f_array|."""
    light = shown(straight(pitch_px, soft_px=0.2))[..., 0]
    slow = cv2.GaussianBlur(light, (0, 0), 3.0)
    assert np.isclose(peak(slow), abs(harmonic / pitch_px - array), atol=1.5e-3)


def test_a_quad_array_beats_at_quarters() -> None:
    """Where four neighbours share a colour, a pitch near 4/3 gives bands that a Bayer array does not."""
    quad, bayer = (cv2.GaussianBlur(shown(straight(1.37, soft_px=0.2, quad=quad))[..., 0], (0, 0), 3.0) for quad in (True, False))
    assert np.isclose(peak(quad), abs(1 / 1.37 - 0.75), atol=1.5e-3)
    assert quad[8:-8, 8:-8].std() > 5 * bayer[8:-8, 8:-8].std()


def test_there_is_no_moire_when_the_pitch_is_fine_and_the_lens_soft() -> None:
    """A display of half a photosite's pitch behind a soft lens is even to less than half a code of the file."""
    assert shown(straight(2.02)).std() > 0.2
    even = shown(straight(0.53, soft_px=0.8), 0.45)
    assert even.std() < 1e-3
    assert abs(even.mean() - 1) < 0.01


@pytest.mark.parametrize(("layout", "lag"), [("stripe", -1 / 3), ("bgr", 1 / 3)])
def test_red_green_and_blue_bands_follow_each_other_by_a_third(layout: str, lag: float) -> None:
    """Near a pitch of one all colours alias alike and their stripes lie a third of a pixel apart: a rainbow, in their order."""
    light = shown(straight(1 / (1 + 8 / SIDE), layout=layout, soft_px=0.2)).mean(0)
    red, green, blue = (np.angle(np.fft.fft(light[:, channel])[8]) / (2 * np.pi) for channel in range(3))
    assert np.isclose((green - red + 0.5) % 1 - 0.5, lag, atol=0.03)
    assert np.isclose((blue - green + 0.5) % 1 - 0.5, lag, atol=0.03)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("zoom", "quad"), [(1, False), (2, False), (3, False), (2, True)])
def test_contrast_worked_out_is_the_contrast_in_the_photo(layout: str, zoom: int, quad: bool) -> None:
    """The closed form of the RMS modulation agrees with a photo of a grey screen, and a matte one has what was asked."""
    pitch_px = {(1, False): 2.03, (2, False): 2.03, (1, True): 4.05, (2, True): 2.03}[LAYOUTS[layout], quad]
    screen = straight(pitch_px, layout=layout, zoom=zoom, quad=quad, soft_px=0.5)
    waves = optics.seen(optics.shown(layout, 0.7), LAYOUTS[layout], np.eye(2) / pitch_px, 0.5)
    natural = optics.contrast(waves, LAYOUTS[layout], np.eye(2) / pitch_px, optics.Camera(zoom, quad))
    assert np.isclose(shown(screen).std(), natural, rtol=0.15)
    assert np.isclose(shown(screen, 0.05).std(), 0.05, rtol=0.15)


def test_blur_falls_as_the_reach_says() -> None:
    """What is worked out for the softest lens leaves the contrast asked for, and no blur leaves more than there is."""
    of = optics.reach("stripe", 2.0, optics.Camera(1, False))
    blur = of.softest_px(0.2)
    waves = optics.seen(optics.shown("stripe", optics.USUAL_FILL), 1, np.eye(2) / 2, blur)
    assert np.isclose(optics.contrast(waves, 1, np.eye(2) / 2, optics.Camera(1, False), optics.BAND_PX), 0.2, rtol=0.03)
    assert of.softest_px(0.9) < 0


def test_photosite_and_lens_pass_the_mean_and_block_their_zeros() -> None:
    """The transfer is one at rest, nil where a wave fits the photosite, and Gaussian in the blur."""
    zero, one = np.zeros(1), np.ones(1)
    assert optics.transfer(zero, zero, 0.5)[0] == 1
    assert abs(optics.transfer(one / optics.APERTURE, zero, 0.0)[0]) < 1e-12
    ratio = optics.transfer(0.5 * one, zero, 0.4)[0] / optics.transfer(0.5 * one, zero, 0.0)[0]
    assert np.isclose(ratio, np.exp(-2 * np.pi**2 * 0.04))


@pytest.mark.parametrize("zoom", [2, 3])
@pytest.mark.parametrize("frequency", [0.125, 0.25])
def test_a_camera_finer_than_the_photo_keeps_the_detail_that_its_optics_pass(zoom: int, frequency: float) -> None:
    """A fine grating on the display loses what display pixel, lens, photosite and shrinking take, and to a twelfth no more."""
    wave = (GREY * (1 + 0.5 * np.cos(2 * np.pi * frequency * np.arange(SIDE)))).astype(np.float32)
    page = np.ascontiguousarray(np.broadcast_to(wave[None, :, None], (64, SIDE, 3)))
    photo = camera.to_linear(retake.photograph(page, straight(1.0, zoom=zoom, soft_px=0.4), 0.0, 0.0, 7))
    before, after = (np.abs(np.fft.rfft((row - row.mean()) * np.hanning(192))) for row in (wave[32:224], photo[20:44, 32:224, 1].mean(0)))
    seen = np.full(1, frequency / zoom)
    optical = float(optics.transfer(seen, np.zeros(1), 0.4)[0] * np.sinc(seen[0]))  # lens and photosite, display pixel
    shrunk = float(np.sinc(frequency) / np.sinc(seen[0]))  # the mean of zoom photosites
    peak_at = before.argmax()
    assert after[peak_at] / before[peak_at] == pytest.approx(optical * shrunk, rel=1 / 12)
