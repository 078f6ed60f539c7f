"""Un-developing and developing: each undoes the other."""

from __future__ import annotations

import numpy as np
import pytest

from degrade import camera, develop
from degrade.contract import Srgb

LOOKS = (
    develop.Look((1.0, 1.0, 1.0, 1.0), 1.25, 2.1, 1.7),
    develop.Look((0.0, 1.0, 0.0, 0.0), 1.6, 2.4, 1.5),
    develop.Look((0.1, 0.0, 0.7, 0.9), 1.0, 1.9, 1.9),
)


@pytest.mark.parametrize("look", LOOKS)
def test_developing_what_was_un_developed_gives_the_photo_back(astronaut: Srgb, look: develop.Look) -> None:
    """No pixel of a photo moves by more than 1/255."""
    back = develop.develop(develop.un_develop(camera.to_linear(astronaut), look), look)
    assert np.abs(back.astype(int) - astronaut).max() <= 1


def test_every_colour_comes_back() -> None:
    """A lattice of all colours survives the round trip."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    back = develop.develop(develop.un_develop(camera.to_linear(lattice), LOOKS[0]), LOOKS[0])
    assert np.abs(back.astype(int) - lattice).max() <= 1


@pytest.mark.parametrize("look", LOOKS)
def test_white_is_where_the_sensor_clips_and_grey_stays_grey(look: develop.Look) -> None:
    """RAW of white is 1 in all colours, and the colour matrix keeps neutral colours."""
    white = develop.un_develop(np.ones((2, 2, 3), np.float32), look)
    assert np.allclose(white, 1.0, atol=1e-4)
    assert np.allclose(develop.to_camera(look).sum(axis=1), 1.0)


def test_raw_is_darker_than_the_photo_by_the_gains() -> None:
    """Green of a middle grey is its scene light divided by the brightness gain; red and blue are divided by their own gains beside."""
    grey = np.full((4, 4, 3), 0.2, np.float32)
    for look in LOOKS:
        red, green, blue = np.moveaxis(develop.untone(grey) / develop.un_develop(grey, look), -1, 0)
        assert np.allclose(green, look.rgb_gain, rtol=1e-3)
        assert np.allclose(red / green, look.red_gain, rtol=1e-3)
        assert np.allclose(blue / green, look.blue_gain, rtol=1e-3)


def test_daylight_asks_of_every_camera_what_it_asks_of_real_ones() -> None:
    """In daylight red needs two to three times the gain of green, blue one to two times; and each colour is seen best by its own filter."""
    daylight = np.array([0.95047, 1.0, 1.08883])  # XYZ of D65
    for camera_matrix in develop.XYZ_TO_CAMERA:
        red, green, blue = camera_matrix @ daylight
        assert 2.2 < green / red < 3.1
        assert 1.1 < green / blue < 1.8
    for only in np.eye(4):
        matrix = develop.to_camera(develop.Look(tuple(only), 1.0, 2.0, 1.6))
        assert ((np.diag(matrix) > 0.45) & (np.diag(matrix) < 0.95)).all()
        assert matrix.min() > -0.15


def test_the_tone_curve_is_a_smoothstep_on_display_values() -> None:
    """Finishing light of display value v shows v^2 (3 - 2 v)."""
    shown = np.linspace(0, 1, 33)
    light = np.repeat(camera.srgb_to_linear(shown)[None, :, None], 3, axis=2).astype(np.float32)
    assert np.abs(develop.finish(develop.to_codes(light))[0, :, 0] - 255 * shown**2 * (3 - 2 * shown)).max() < 0.6


@pytest.mark.parametrize("gain", [0.3, 0.8, 1.0])
def test_the_shoulder_is_smooth_and_opens_again(gain: float) -> None:
    """RAW rises with light, reaches 1 at white, and is undone."""
    light = np.linspace(-0.05, 1.0, 500, dtype=np.float32).reshape(20, 25)
    raw = develop.close_shoulder(light, gain)
    assert (np.diff(raw.ravel()) > 0).all()
    assert abs(float(raw.max()) - 1.0) < 1e-6
    assert np.allclose(develop.open_shoulder(raw, gain), light, atol=1e-5)
