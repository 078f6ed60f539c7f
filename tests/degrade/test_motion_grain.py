"""An average of frames gets the noise of one frame back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.arrays import fields
from degrade.contract import Linear, Srgb
from degrade.motion import grain


def noisy(light: Linear, shot: float, seed: int, *, shared: bool) -> Linear:
    """Return light with shot noise, alike in all channels or not."""
    field = fields.gaussian(seed, *light.shape[:2], 1 if shared else 3)
    return light + np.sqrt(light * np.float32(shot)) * (field[..., None] if shared else field)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("value", [0.05, 0.2, 0.6])
def test_the_variance_of_one_frame_is_restored(value: float, shared: bool) -> None:
    """The mean of eight frames, after the gift, varies as one of them, and its channels are as alike as theirs."""
    wall = np.full((192, 192, 3), value, np.float32)
    frames = [noisy(wall, 4e-4, seed, shared=shared) for seed in range(8)]
    average = np.mean(frames, axis=0)
    assert average.var() < 0.2 * frames[0].var()
    grain.give_back(average, grain.missing(frames[0], average), 99)
    assert average.var() == pytest.approx(frames[0].var(), rel=0.2)
    assert average.mean() == pytest.approx(value, rel=0.01)
    alike = [np.corrcoef(picture[..., 0].ravel(), picture[..., 2].ravel())[0, 1] for picture in (frames[0], average)]
    assert abs(alike[0] - alike[1]) < 0.2


def test_what_is_not_missing_is_not_added(astronaut: Srgb) -> None:
    """A picture that lost nothing gets nothing, and texture does not pass for noise."""
    light = camera.to_linear(astronaut[:256, :256])
    same = light.copy()
    grain.give_back(same, grain.missing(light, light), 3)
    assert np.array_equal(same, light)
    moved = cv2.blur(light, (12, 1))
    given = moved.copy()
    grain.give_back(given, grain.missing(light, moved), 3)
    assert cv2.PSNR(camera.to_srgb(given), camera.to_srgb(moved)) > 40


def test_shadows_and_lights_get_what_they_lost() -> None:
    """The gift follows brightness: where there was more noise, more is given."""
    ramp = np.repeat(np.repeat(np.linspace(0.02, 0.8, 256, dtype=np.float32)[None, :, None], 256, 0), 3, 2)
    one = noisy(ramp, 1e-3, 5, shared=True)
    average = ramp.copy()
    grain.give_back(average, grain.missing(one, average), 8)
    gift = (average - ramp)[..., 0]
    for columns in (slice(20, 60), slice(180, 240)):
        assert gift[:, columns].var() == pytest.approx(1e-3 * float(ramp[0, columns, 0].mean()), rel=0.35)
    assert average.min() >= 0


def test_black_gets_no_noise_and_spoils_none() -> None:
    """A box without any light stays black, and everything around it gets back what it lost."""
    wall = np.full((192, 192, 3), 0.05, np.float32)
    frames = [noisy(wall, 4e-4, seed, shared=True) for seed in range(8)]
    for frame in frames:
        frame[:64, :64] = 0
    average = np.mean(frames, axis=0)
    grain.give_back(average, grain.missing(frames[0], average), 99)
    assert not average[:48, :48].any()
    assert average[80:].var() == pytest.approx(frames[0][80:].var(), rel=0.2)


def test_a_black_picture_lost_nothing() -> None:
    """Where there is no light at all there is no noise to give back."""
    dark = np.zeros((64, 64, 3), np.float32)
    grain.give_back(dark, grain.missing(dark, dark.copy()), 3)
    assert not dark.any()


def test_texture_that_fills_a_brightness_is_no_noise() -> None:
    """Gravel that is the only bright thing in a photo does not make its brightness noisy."""
    ramp = np.repeat(np.repeat(np.linspace(0.05, 0.4, 256, dtype=np.float32)[None, :, None], 256, 0), 3, 2)
    one = noisy(ramp, 2e-4, 5, shared=True)
    one[64:160, 64:160] = np.float32(0.75) + np.float32(0.06) * fields.gaussian(9, 96, 96)[..., None]
    lost = grain.missing(one, cv2.blur(one, (9, 1)))
    bright = (lost.shared + lost.own)[lost.light > 0.6]
    assert bright.size
    assert bright.max() < 5 * 2e-4 * 0.75
