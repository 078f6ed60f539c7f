"""A clip that is not what it says costs itself, and of a damaged one only those frames are used that can be told apart."""

from __future__ import annotations

import io
import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from degrade.errors import BadSample, Reason
from pipelines import footage
from pipelines.photos import clips
from pipelines.photos.decode import DecodeRules

RULES = DecodeRules()


def jpegs(sizes: list[tuple[int, int]], texture: np.ndarray) -> bytes:
    """An AVI of single JPEGs, each of its own size, that looks across a photo."""
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuvj420p"
        for number, (width, height) in enumerate(sizes):
            view = np.ascontiguousarray(texture[100 : 100 + height, 3 * number : 3 * number + width, ::-1])
            packet = av.Packet(cv2.imencode(".jpg", view)[1].tobytes())
            packet.stream, packet.pts, packet.dts, packet.time_base, packet.is_keyframe = stream, number, number, Fraction(1, 25), True
            file.mux(packet)
    return out.getvalue()


def test_a_clip_of_one_size_is_measured(rocket):
    """All its frames are used, or as many as are wanted; without a reason there is no note."""
    data = jpegs([(320, 240)] * 12, rocket)
    assert (footage.examine(data, RULES, 500)["frames"], footage.examine(data, RULES, 500)["notes"]) == (12, "[]")
    assert json.loads(footage.examine(data, RULES, 5)["notes"]) == ["only the first 5 frames are used"]


@pytest.mark.parametrize("sizes", [[(320, 240)] * 10 + [(160, 128)] * 10, [(160, 128)] * 10 + [(320, 240)] * 10, [(320, 240)] * 10 + [(320, 200)]])
def test_a_clip_that_changes_its_size_is_refused(sizes, rocket):
    """A clip has one size; the frame that has another is named."""
    with pytest.raises(BadSample, match="frame 10 is") as caught:
        footage.examine(jpegs(sizes, rocket), RULES, 500)
    assert caught.value.reason is Reason.DECODE_FAILED


@pytest.mark.parametrize("size", [(8, 8), (320, 2), (2, 240)])
def test_a_clip_in_which_no_motion_can_be_measured_is_too_small(size, rocket):
    """The search for motion refuses pictures of a few px, so they never reach it."""
    with pytest.raises(BadSample) as caught:
        footage.examine(jpegs([size] * 5, rocket), RULES, 500)
    assert caught.value.reason is Reason.TOO_SMALL


def misdated(texture: np.ndarray, at: int) -> bytes:
    """An MP4 of 20 frames in which two packets, one after the other, bear each other's time stamps."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=25, options={"g": "5", "bf": "0", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(20):
            view = np.ascontiguousarray(texture[100:340, 3 * number : 3 * number + 320])
            for packet in stream.encode(av.VideoFrame.from_ndarray(view, "rgb24")):
                packet.pts += 2 + {at: 1, at + 1: -1}.get(number, 0)
                file.mux(packet)
    return out.getvalue()


def test_a_damaged_clip_is_used_up_to_where_its_stamps_do_not_tell_frames_apart(rocket):
    """False stamps give frames to each other's numbers: those before them are used, and a note says so."""
    data = misdated(rocket, 12)
    row = footage.examine(data, RULES, 500)
    counted = list(clips.frames(data))
    assert (row["frames"], len(counted)) == (12, 20)
    assert "only the first 12 frames are used" in row["notes"]
    assert all(np.array_equal(clips.Reel(data).frame(at).pixels, counted[at]) for at in range(12))
    with pytest.raises(BadSample, match="only the first 2 frames are used"):
        footage.examine(misdated(rocket, 2), RULES, 500)
