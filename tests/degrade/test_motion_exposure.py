"""A long exposure made of frames is what a sensor would have seen: even streaks, no ghosts, the noise of one frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade import camera
from degrade.arrays import fields
from degrade.contract import Linear, Srgb
from degrade.motion import exposure

SIZE = 192


def clip_of(photo: Srgb, step_px: float, count: int) -> list[Srgb]:
    """Return frames of a photo that glides to the right."""
    frames = []
    for at in range(count):
        shift = np.array([[1, 0, step_px * (at - count // 2)], [0, 1, 0.0]])
        frames.append(cv2.warpAffine(photo, shift, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101))
    return frames


def exposed(frames: list[Srgb], shutter: float, gain: float = 1.0) -> Linear:
    """Expose about the middle frame."""
    centre = len(frames) // 2
    return exposure.render(camera.to_linear(frames[centre]), frames, centre, shutter, gain, 5)


def scene() -> Srgb:
    """Return a dark left and a bright right half, with faint texture that motion can be seen by."""
    picture = np.full((SIZE, SIZE), 60.0, np.float32)
    picture[:, SIZE // 2 :] = 180
    picture += 4 * fields.fractal(1, SIZE, SIZE, 12.0)
    return np.repeat(np.rint(cv2.GaussianBlur(picture, (0, 0), 0.7)).astype(np.uint8)[..., None], 3, 2)


def test_durations_sum_to_the_shutter() -> None:
    """Cut as it may be, the time of all stretches is the time that the shutter is open."""
    for shutter in (0.3, 1.0, 3.7):
        opens = 2 - shutter / 2
        parts = [part for first in range(4) for part in exposure.stretches(opens - first, opens + shutter - first, 23.0)]
        assert sum(part.duration for part in parts) == pytest.approx(shutter)
        assert max(part.duration for part in parts) * 23.0 <= exposure.STRETCH_PX + 1e-6


@pytest.mark.parametrize("step", [5.0, 14.0])
def test_a_blurred_edge_has_no_replicas(step: float) -> None:
    """The autocorrelation of a blurred edge's slope falls without a second peak; that of the averaged frames does not."""
    frames = clip_of(scene(), step, 5)

    def bumps(seen: Linear) -> float:
        slope = np.diff(seen[40:150, 20:172, 1].mean(0).astype(np.float64))
        slope -= np.median(slope)
        correlation = np.correlate(slope, slope, "full")[len(slope) - 1 :]
        return float(np.diff(correlation).max() / correlation[0])

    assert bumps(exposed(frames, 4.0)) < 0.03
    assert bumps(np.mean([camera.to_linear(frame) for frame in frames], axis=0)) > 0.06


@pytest.mark.parametrize("shutter", [0.5, 2.0, 4.0])
def test_the_streak_is_as_long_as_the_motion(shutter: float) -> None:
    """An edge that moves six px a frame is a ramp of six px for each frame that the shutter is open, about its own place."""
    seen = exposed(clip_of(scene(), 6.0, 5), shutter)[40:150, :, 1].mean(0).astype(np.float64)
    slope = np.clip(np.diff(seen)[20:172], 0, None)
    slope = np.where(slope > 0.1 * slope.max(), slope, 0)
    x = np.arange(len(slope)) + 20.5
    middle = (slope * x).sum() / slope.sum()
    spread = np.sqrt((slope * (x - middle) ** 2).sum() / slope.sum())
    assert middle == pytest.approx(SIZE / 2 - 0.5, abs=0.6)
    assert spread == pytest.approx(np.hypot(6 * shutter / np.sqrt(12), 0.8), rel=0.2)


def test_a_lamp_leaves_a_saturated_streak(rocket: Srgb) -> None:
    """A clipped lamp that is taken to be four times white is a white line; taken as it is shown, it is grey."""
    night = cv2.resize(rocket, (SIZE, SIZE), interpolation=cv2.INTER_AREA) // 8
    cv2.circle(night, (96, 96), 4, (255, 255, 255), -1)
    frames = clip_of(night, 4.0, 7)
    bright, dull = exposed(frames, 5.0, 4.0), exposed(frames, 5.0, 1.0)
    assert (camera.to_srgb(bright)[96, 90:102] == 255).all()
    assert dull[96, 84:108].max() < 0.8


def test_a_static_clip_gives_the_input_back_to_noise(astronaut: Srgb) -> None:
    """Frames that differ by noise alone give the scene, with the noise of one of them."""
    still = cv2.GaussianBlur(cv2.resize(astronaut, (SIZE, SIZE), interpolation=cv2.INTER_AREA), (0, 0), 1.5).astype(np.float32)
    frames = [np.clip(np.rint(still + 4 * fields.gaussian(seed, SIZE, SIZE, 3)), 0, 255).astype(np.uint8) for seed in range(7)]
    made = camera.to_srgb(exposed(frames, 6.0)).astype(np.float32)
    assert np.abs(cv2.blur(made - still, (9, 9))).mean() < 1.0
    lit = still.min(-1) > 40
    assert (made - still)[lit].var() == pytest.approx((frames[3] - still)[lit].var(), rel=0.3)


def test_a_frame_repeated_is_that_frame(astronaut: Srgb) -> None:
    """Nothing moves, nothing is averaged away: the picture stays to within a code."""
    still = cv2.resize(astronaut, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    made = camera.to_srgb(exposed([still] * 5, 4.0))
    assert np.abs(made.astype(int) - still).max() <= 1


@pytest.mark.parametrize("step", [6, 14])
def test_what_a_thing_hides_does_not_tear(step: int) -> None:
    """A bright square that crosses a dark ground is a trapezoid of light along its way: nothing of it is lost or left behind."""
    frames = []
    ground = np.clip(50 + 6 * fields.fractal(2, SIZE, SIZE, 10.0), 0, 255)
    thing = np.clip(200 + 10 * fields.fractal(3, 60, 60, 8.0), 0, 255)
    for at in range(5):
        frame = ground.copy()
        left = 66 + step * (at - 2)
        frame[66:126, left : left + 60] = thing
        frames.append(np.repeat(np.rint(frame).astype(np.uint8)[..., None], 3, 2))
    clean = camera.to_linear(frames[2])[70:122, :, 1]
    dark, light = clean[:, 5:20].mean(), clean[:, 80:110].mean()
    place = np.arange(SIZE)[:, None]
    for shutter in (1.0, 4.0):
        time = np.linspace(-shutter / 2, shutter / 2, 401) * step
        inside = ((place >= 66 + time) & (place < 126 + time)).mean(1)
        seen = exposed(frames, shutter)[70:122, :, 1].mean(0)
        assert np.abs(seen - (dark + inside * (light - dark))).max() < 0.115 * light


def test_what_only_the_second_frame_shows_counts_its_share(astronaut: Srgb) -> None:
    """Light that comes on between two frames counts for as long as the frames after it last."""
    still = np.ascontiguousarray(astronaut[:SIZE, :SIZE])
    lit = np.clip(still.astype(int) + 40, 0, 255).astype(np.uint8)
    before, after = camera.to_linear(still), camera.to_linear(lit)
    made = exposure.render(before, [still, still, lit], 1, 2.0, 1.0, 5)
    assert (made - before).mean() == pytest.approx(0.25 * (after - before).mean(), rel=0.2)


def test_threads_do_not_change_the_bytes(astronaut: Srgb) -> None:
    """Optical flow with one thread and with four gives the same exposure."""
    frames = clip_of(np.ascontiguousarray(astronaut[:SIZE, :SIZE]), 5.0, 3)
    made = []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        made.append(exposed(frames, 2.0))
    cv2.setNumThreads(1)
    assert np.array_equal(*made)


def test_frames_must_be_there_and_alike(astronaut: Srgb) -> None:
    """Frames of another size, and a shutter that opens before the first frame, are errors."""
    frame = np.ascontiguousarray(astronaut[:SIZE, :SIZE])
    with pytest.raises(ValueError, match="cut them alike"):
        exposure.render(camera.to_linear(frame), [frame, frame[:100], frame], 1, 1.0, 1.0, 1)
    with pytest.raises(ValueError, match="not there"):
        exposure.render(camera.to_linear(frame), [frame, frame, frame], 1, 3.0, 1.0, 1)
