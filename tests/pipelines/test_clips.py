"""Frames of clips are counted exactly, however they are reached, and strangers' clips are refused with a reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from degrade.errors import BadSample, Reason
from pipelines.crops import Crop
from pipelines.photos import clips
from pipelines.photos.decode import DecodeRules

SIZE = (96, 64)


def clip(container: str = "mp4", codec: str = "libx264", frames: int = 40, options: dict[str, str] | None = None, rate: int = 25) -> bytes:
    """A clip whose frame n has the grey level 20 + 5 n, with B-frames and several groups of pictures."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, options=options if options is not None else {"g": "10", "bf": "2", "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(frames):
            picture = np.full((SIZE[1], SIZE[0], 3), 20 + 5 * number, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        file.mux(stream.encode())
    return out.getvalue()


def copied(data: bytes, change: Callable[[av.Packet, int], list[av.Packet]], container: str) -> bytes:
    """The packets of a clip in a new file, each replaced by what `change` makes of it and its number."""
    out = io.BytesIO()
    options = {"avoid_negative_ts": "disabled"}
    with av.open(io.BytesIO(data)) as source, av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        for packet in (new for number, old in enumerate(packets) for new in change(old, number)):
            packet.stream = stream
            file.mux(packet)
    return out.getvalue()


def trimmed(data: bytes, frames: int) -> bytes:
    """A clip whose edit list hides its first frames, as `ffmpeg -ss` without encoding leaves it."""

    def earlier(packet: av.Packet, _: int) -> list[av.Packet]:
        shift = round(frames / 25 / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        return [packet]

    return copied(data, earlier, "mp4")


def with_hidden_frame(data: bytes, at: int) -> bytes:
    """A clip of VP8 in which one packet comes a second time, a moment later and never shown."""

    def doubled(packet: av.Packet, number: int) -> list[av.Packet]:
        if number != at:
            return [packet]
        hidden = av.Packet(bytes([bytes(packet)[0] & ~16]) + bytes(packet)[1:])
        hidden.pts = hidden.dts = packet.pts + 1
        hidden.time_base = packet.time_base
        return [packet, hidden]

    return copied(data, doubled, "webm")


def level(picture: np.ndarray) -> int:
    """Return the number of the frame that a picture shows."""
    return round((float(picture.mean()) - 20) / 5)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("matroska", "libx264"), ("avi", "mpeg4"), ("avi", "mjpeg")])
def test_every_frame_is_the_one_that_was_asked_for(container, codec):
    """Frame n is frame n, from the start or from a key frame, in each container."""
    data = clip(container, codec, options=None if codec == "libx264" else {"g": "10", "b": "8000k"})
    assert clips.signature(data) == container
    for wanted in (0, 3, 12, 13, 25, 39):
        assert level(clips.Reel(data).frame(wanted).pixels) == wanted
    assert [level(picture) for picture in clips.Reel(data).window(17, 22)] == list(range(17, 23))


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("avi", "mpeg4")])
def test_a_reel_gives_the_same_windows_in_any_order(container, codec):
    """Forward, overlapping, backward and far jumps all end at the frames that were asked for."""
    reel = clips.Reel(clip(container, codec, options=None if codec == "libx264" else {"g": "10", "b": "8000k"}))
    for first, last in ((0, 2), (1, 4), (4, 9), (30, 33), (2, 3), (39, 39), (0, 0), (20, 39)):
        assert [level(picture) for picture in reel.window(first, last)] == list(range(first, last + 1))


def test_real_clips_give_the_same_pixels_sought_and_counted(data: Path):
    """On every clip of the collection a late frame is bit for bit the same from its key frame and from the start."""
    for path in sorted((data / "video").iterdir()):
        bytes_ = path.read_bytes()
        head = clips.header(bytes_, DecodeRules())
        counted = list(clips.frames(bytes_))[40:43]
        sought = clips.Reel(bytes_).window(40, 42)
        assert all(np.array_equal(one, other) for one, other in zip(counted, sought, strict=True)), path.name
        assert counted[0].shape == (head.height, head.width, 3)


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("avi", "libx264", {"g": "10", "bf": "2"}),
        ("mp4", "libx265", {"x265-params": "open-gop=1:keyint=12:log-level=none"}),
        ("mp4", "mpeg2video", {"g": "12", "bf": "2"}),
        ("avi", "mpeg2video", {"g": "12", "bf": "2"}),
        ("webm", "libvpx", {"g": "10"}),
    ],
)
def test_every_frame_is_the_same_from_its_key_frame_and_from_the_start(container, codec, options):
    """Stamps in the order of storage, and key frames that are shown after frames which follow them, lead to no other frame."""
    data = clip(container, codec, options=options)
    counted = list(clips.frames(data))
    assert len(counted) == 40
    assert all(np.array_equal(clips.Reel(data).frame(at).pixels, counted[at]) for at in range(40))
    assert [number for number, _ in clips.numbered(data)] == list(range(40))


def test_a_trimmed_clip_is_counted_from_where_it_was_cut():
    """Frames that an edit list hides have no number, from the start or from a key frame."""
    data = trimmed(clip(), 13)
    counted = [level(picture) for picture in clips.frames(data)]
    assert counted[0] == 13
    assert [level(clips.Reel(data).frame(at).pixels) for at in range(len(counted))] == counted


def test_what_vp8_never_shows_has_no_number():
    """A reference frame that is not shown lies between others as a packet of its own."""
    data = with_hidden_frame(clip("webm", "libvpx", options={"g": "10"}), 5)
    counted = list(clips.frames(data))
    assert [number for number, _ in clips.numbered(data)] == list(range(len(counted))) == list(range(40))
    assert all(np.array_equal(clips.Reel(data).frame(at).pixels, counted[at]) for at in (4, 5, 6, 25, 39))


def test_a_codec_that_nobody_knows_is_not_enabled():
    """FFmpeg gives no decoder for it, and the clip costs itself."""
    with pytest.raises(BadSample, match="unknown") as caught:
        clips.header(clip().replace(b"avc1", b"zzz1"), DecodeRules())
    assert caught.value.reason is Reason.FORMAT_NOT_ENABLED


def test_a_window_is_cut_like_the_clean_side():
    """All frames of a shutter come at the crop's size."""
    frames = clips.Reel(clip()).window(5, 9, Crop(10, 4, 64, 48, 32, 24))
    assert [frame.shape for frame in frames] == [(24, 32, 3)] * 5


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: b"", Reason.NOT_AN_IMAGE),
        (lambda _: b"no clip at all, but long enough", Reason.NOT_AN_IMAGE),
        (lambda data: data[:40], Reason.DECODE_FAILED),
        (lambda data: data[: len(data) // 3], Reason.DECODE_FAILED),
    ],
    ids=["empty", "text", "head only", "cut"],
)
def test_what_is_no_clip_is_refused(spoil, reason):
    """Bytes that cannot be decoded are refused in the closed list's words."""
    with pytest.raises(BadSample) as caught:
        list(clips.frames(spoil(clip())))
    assert caught.value.reason is reason


def test_a_clip_that_is_too_large_or_too_short_says_so():
    """Limits hold by the header; a frame past the end is TRUNCATED."""
    with pytest.raises(BadSample, match="96x64"):
        clips.header(clip(), DecodeRules(max_pixels=1000))
    with pytest.raises(BadSample, match="ends before frame 99"):
        clips.Reel(clip()).frame(99)
    assert clips.header(clip(rate=30), DecodeRules()) == (96, 64, 30.0)
