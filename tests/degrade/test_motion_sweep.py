"""A picture swept along its own motion keeps its light, its place and what does not move."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.arrays import fields
from degrade.contract import Srgb
from degrade.motion import exposure, flow, sweep

HEIGHT, WIDTH = 150, 300  # no whole number of tiles


def gliding(x_px: float, y_px: float) -> flow.Flow:
    """Return an even flow."""
    return np.full((HEIGHT, WIDTH, 2), (x_px, y_px), np.float32)


def dot() -> sweep.Light:
    """Return a bright dot in the middle of the dark, in a picture with a spare channel."""
    light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    light[75, 150] = 9.0
    return sweep.widened(light)


@pytest.mark.parametrize("way", [(7.0, 0.0), (0.0, 30.0), (14.0, -9.0)])
@pytest.mark.parametrize("times", [(-0.5, 0.5), (-0.2, 0.5), (0.0, 0.3)])
def test_a_dot_becomes_a_streak_of_its_way(way: tuple[float, float], times: tuple[float, float]) -> None:
    """The streak has the light of the dot, its middle where the dot is at half time, and the spread of an even streak."""
    made = sweep.Sweeper((HEIGHT, WIDTH)).swept(dot(), gliding(*way), *times)[..., 1].astype(np.float64)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    middle = (made * x).sum() / made.sum(), (made * y).sum() / made.sum()
    assert made.sum() == pytest.approx(9.0, rel=1e-4)
    assert np.hypot(middle[0] - 150 - way[0] * sum(times) / 2, middle[1] - 75 - way[1] * sum(times) / 2) < 0.05 + sweep.UNMOVED_PX
    length = np.hypot(*way) * (times[1] - times[0])
    variance = (made * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2)).sum() / made.sum()
    assert variance == pytest.approx(length**2 / 12, rel=0.12, abs=1.0)  # linear interpolation adds a little


def test_a_streak_has_no_gaps() -> None:
    """Along a long way light is even: no place is left out between one sample and the next."""
    made = sweep.Sweeper((HEIGHT, WIDTH)).swept(dot(), gliding(60.0, 0.0), -0.5, 0.5)[75, 124:177, 0]
    assert made.min() > 0.6 * made.mean()
    assert made.max() < 1.4 * made.mean()


def test_what_does_not_move_is_left_as_it_is(astronaut: Srgb) -> None:
    """A still picture is returned itself, a still half to the bit, and the input is never written to."""
    shown = sweep.widened(camera.to_linear(astronaut[:HEIGHT, :WIDTH]))
    before, sweeper = shown.copy(), sweep.Sweeper(shown.shape)
    assert sweeper.swept(shown, gliding(0.0, 0.0), -0.5, 0.5) is shown
    half = gliding(0.0, 0.0)
    half[:, 128:] = 20.0, 0.0
    made = sweeper.swept(shown, half, -0.5, 0.5)
    assert np.array_equal(made[:, :128], shown[:, :128])
    assert np.abs(made - shown)[:, 140:280].mean() > 0.01
    assert np.array_equal(shown, before)


def test_passing_things_are_put_right_where_the_work_is_done_at_a_fraction() -> None:
    """A bright square that crosses a dark ground of 800 px is the trapezoid of light that it is in a small picture; the ground stays sharp."""
    ground = np.clip(50 + 8 * fields.fractal(2, 400, 800, 6.0), 0, 255)
    thing = np.clip(200 + 12 * fields.fractal(3, 200, 240, 16.0), 0, 255)
    frames = []
    for at in range(3):
        frame = ground.copy()
        frame[100:300, 280 + 40 * (at - 1) : 520 + 40 * (at - 1)] = thing
        frames.append(np.repeat(np.rint(frame).astype(np.uint8)[..., None], 3, 2))
    clean = camera.to_linear(frames[1])
    seen = exposure.render(clean, frames, 1, 1.0, 1.0, 5)
    dark, light = clean[140:260, 40:220].mean(), clean[140:260, 320:480].mean()
    time, place = np.linspace(-20, 20, 201), np.arange(800)[:, None]
    inside = ((place >= 280 + time) & (place < 520 + time)).mean(1)
    assert np.abs(cv2.blur(seen[140:260, :, 1].mean(0) - (dark + inside * (light - dark)), (1, 5))).max() < 0.08 * light
    assert cv2.PSNR(camera.to_srgb(seen[:, :200].copy()), frames[1][:, :200].copy()) > 45
