"""A clip is measured as it is: its speed, its cuts, its soft frames."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from degrade.contract import Motion, Srgb
from degrade.motion import clips


def measured(frames: list[Srgb], native_width: int = 0) -> Motion:
    """Measure a clip."""
    meter = clips.ClipMeter(25.0)
    for frame in frames:
        meter.add(frame)
    return meter.result(native_width or frames[0].shape[1])


def gliding(photo: Srgb, step_px: float, count: int) -> list[Srgb]:
    """Return frames 240 px wide, cut out of a photo further and further to the right."""
    matrix = [np.array([[1, 0, 40 + step_px * at], [0, 1, 40.0]]) for at in range(count)]
    return [cv2.warpAffine(photo, shift, (240, 180), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) for shift in matrix]


def decoded(path: Path, count: int, start: int = 0) -> list[Srgb]:
    """Return frames of a video, 320 px wide."""
    with av.open(str(path)) as container:
        found = [frame.to_ndarray(format="rgb24") for frame in itertools.islice(container.decode(video=0), start, start + count)]
    return [cv2.resize(frame, (320, 320 * frame.shape[0] // frame.shape[1]), interpolation=cv2.INTER_AREA) for frame in found]


@pytest.mark.parametrize("step", [0.6, 2.5, 7.0])
def test_the_speed_is_that_of_the_picture(astronaut: Srgb, step: float) -> None:
    """A photo that glides past is measured at its speed, in px of whatever width is asked for."""
    motion = measured(gliding(astronaut, step, 5), 480)
    assert motion.fps == 25.0
    assert len(motion.speeds_px) == 4
    assert np.median(motion.speeds_px) == pytest.approx(2 * step, rel=0.15)
    assert motion.shots == ((0, 4),)


def test_a_static_clip_does_not_move(astronaut: Srgb) -> None:
    """Frames that differ by a little noise stand still, also on an empty wall."""
    rng = np.random.default_rng(1)
    for still in (astronaut[40:220, 40:280], np.full((180, 240, 3), 90, np.uint8)):
        frames = [np.clip(still + rng.normal(0, 1, still.shape), 0, 255).astype(np.uint8) for _ in range(4)]
        assert max(measured(frames).speeds_px) == 0


def test_a_cut_ends_a_shot(astronaut: Srgb, rocket: Srgb) -> None:
    """Two scenes one after the other are two shots; motion alone is one."""
    frames = gliding(astronaut, 4.0, 5) + gliding(cv2.resize(rocket, (512, 512)), 4.0, 6)
    assert measured(frames).shots == ((0, 4), (5, 10))
    assert measured(gliding(astronaut, 9.0, 6)).shots == ((0, 5),)
    same_colours = gliding(astronaut, 4.0, 5) + [np.ascontiguousarray(frame[::-1]) for frame in gliding(astronaut, 4.0, 5)]
    assert measured(same_colours).shots == ((0, 4), (5, 9))


def test_blurred_frames_are_left_out(astronaut: Srgb) -> None:
    """A frame that is soft among sharp ones ends a run; runs of fewer than three are none."""
    frames = gliding(astronaut, 2.0, 11)
    frames[6] = cv2.GaussianBlur(frames[6], (0, 0), 2.5)
    assert measured(frames).shots == ((0, 5), (7, 10))
    frames[2] = cv2.GaussianBlur(frames[2], (0, 0), 2.5)
    assert measured(frames).shots == ((3, 5), (7, 10))


def test_large_and_odd_beginnings_are_survived(astronaut: Srgb) -> None:
    """No frame, one frame and frames larger than needed give a result; frames of two sizes are an error."""
    assert clips.ClipMeter(25.0).result(100) == Motion(25.0, (), ())
    assert measured([astronaut]).shots == ()
    big = [cv2.resize(frame, (960, 720)) for frame in gliding(astronaut, 2.0, 3)]
    assert np.median(measured(big).speeds_px) == pytest.approx(8.0, rel=0.2)
    with pytest.raises(ValueError, match="one size"):
        measured([astronaut[:180, :240], astronaut[:100, :240]])


def test_real_clips(data: Path) -> None:
    """A drive moves in every frame and is one shot; a splice of two clips is two."""
    drive = decoded(data / "video" / "drive_movingcam_540p25.mp4", 12)
    cups = decoded(data / "video" / "cups_objects_720p30.mp4", 8)
    moving = measured(drive, 960)
    assert moving.shots == ((0, 11),)
    assert 2 < np.median(moving.speeds_px) < 15
    spliced = measured([frame[:180] for frame in drive] + [frame[:180] for frame in cups])
    assert spliced.shots == ((0, 11), (12, 19))
