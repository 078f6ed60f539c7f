"""The frames of an exposure are those that give its blur length."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.contract import Motion
from degrade.errors import BadSample, Reason
from degrade.motion import window
from degrade.stream import stream

EVEN = Motion(100.0, (4.0,) * 59, ((0, 29), (30, 59)))


def draw(motion: Motion, low: float, length: float, key: str = "0") -> window.Window:
    """Choose a window."""
    return window.choose(stream(1, "window", key), motion, low, length)


def travelled(motion: Motion, chosen: window.Window) -> float:
    """Return the length of the path while the shutter is open."""
    at = np.concatenate([[0.0], np.cumsum(motion.speeds_px)])
    times = chosen.centre + np.array([-0.5, 0.5]) * chosen.shutter_frames
    return float(np.diff(np.interp(times, np.arange(len(at)), at))[0])


@pytest.mark.parametrize("length", [0.5, 3.0, 8.0, 21.0, 60.0])
def test_the_path_in_the_window_is_the_length(length: float) -> None:
    """Whatever the length, from a fraction of a frame to many, the shutter travels it, about a frame inside one shot."""
    uneven = EVEN._replace(speeds_px=tuple(2.0 + 3.0 * (at % 4) for at in range(59)))
    for motion in (EVEN, uneven):
        for key in "abcdef":
            chosen = draw(motion, length / 2, length, key)
            assert travelled(motion, chosen) == pytest.approx(length)
            assert chosen.centre - chosen.first == chosen.last - chosen.centre == max(int(np.ceil(chosen.shutter_frames / 2 - 1e-9)), 1)
            assert any(first <= chosen.first and chosen.last <= last for first, last in motion.shots)


def test_what_a_clip_cannot_give_is_refused_by_name() -> None:
    """A slow clip and one of short runs have different reasons; what lies above the lower bound is taken."""
    with pytest.raises(BadSample) as slow:
        draw(EVEN._replace(speeds_px=(0.01,) * 59), 3.0, 5.0)
    assert slow.value.reason is Reason.TOO_LITTLE_MOTION
    with pytest.raises(BadSample) as short:
        draw(EVEN._replace(shots=((4, 5),)), 3.0, 5.0)
    assert short.value.reason is Reason.TOO_FEW_FRAMES
    assert draw(EVEN, 50.0, 1000.0).length_px == pytest.approx(4.0 * (window.MOST_FRAMES - 1))


def test_no_shutter_is_open_for_longer_than_a_hand_holds() -> None:
    """At 24 frames per second a quarter of a second is seven frames; at 12 three are still allowed."""
    assert draw(EVEN._replace(fps=24.0), 1.0, 1000.0).shutter_frames == pytest.approx(6)
    assert draw(EVEN._replace(fps=6.0), 1.0, 1000.0).shutter_frames == pytest.approx(2)


def test_even_motion_is_preferred() -> None:
    """Of the windows that fit, one that moves alike before and after is taken: the pair stays in place."""
    starting = EVEN._replace(speeds_px=tuple(0.0 if at % 10 < 5 else 4.0 for at in range(59)))
    found = []
    for key in range(30):
        chosen = draw(starting, 6.0, 8.0, str(key))
        left = sum(starting.speeds_px[chosen.first : chosen.centre])
        found.append(abs(2 * left / sum(starting.speeds_px[chosen.first : chosen.last]) - 1))
    assert np.median(found) < 0.3
