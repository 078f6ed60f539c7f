"""Video clips: what they are, and single frames of them, decoded with care and counted exactly.

Strangers' files again: only containers that their first bytes announce, only codecs of the list, no other protocol than
the bytes in hand, limits on pixels and frames. Frames are numbered in the order in which they are shown, from 0. A
frame is reached from the key frame before it where every frame has a time stamp of its own, and from the start where
not: the number, and so the picture, is the same.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from pipelines import crops
from pipelines.crops import Crop
from pipelines.photos.decode import DecodeRules, Photo

CODECS = ("h264", "hevc", "mjpeg", "mpeg4", "mpeg2video", "vp8", "vp9", "libdav1d", "av1", "prores", "ffv1")
LONGEST_JUMP = 12  # frames that are rather decoded than sought
_BRANDS_OF_STILLS = {b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim", b"heis"}
_HDR_TRANSFERS = {16, 18}  # PQ and HLG, ITU-T H.273
_MATRICES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}  # ITU-T H.273


class Header(NamedTuple):
    """What a clip says of itself."""

    width: int  # px, as shown
    height: int
    fps: float


def signature(data: bytes) -> str | None:
    """Return the container that the first bytes announce, None for what is no clip."""
    if data[4:8] == b"ftyp" and data[8:12] not in _BRANDS_OF_STILLS:
        return "mp4"
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return "avi"
    return "matroska" if data.startswith(b"\x1a\x45\xdf\xa3") else None


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[tuple[Any, Any]]:
    """Open a clip; yield (container, its video stream)."""
    kind = signature(data)
    if kind is None:
        raise BadSample(Reason.NOT_AN_IMAGE, f"begins with {data[:8]!r}: no known clip")
    allowed = {"codec_whitelist": ",".join(CODECS), "protocol_whitelist": "file"}
    try:
        with av.open(io.BytesIO(data), format=kind, options=allowed, metadata_errors="replace") as container:
            if not container.streams.video:
                raise BadSample(Reason.DECODE_FAILED, f"{kind}: holds no video")
            stream = container.streams.video[0]
            if stream.codec_context.name not in CODECS:
                raise BadSample(Reason.FORMAT_NOT_ENABLED, f"{kind}: codec {stream.codec_context.name}; read are {', '.join(CODECS)}")
            stream.codec_context.thread_count = 1
            yield container, stream
    except (av.FFmpegError, ValueError, LookupError, ArithmeticError) as error:
        raise BadSample(Reason.DECODE_FAILED, f"{kind}: {error or type(error).__name__}") from error


def header(data: bytes, rules: DecodeRules) -> Header:
    """Return what a clip says of itself.

    Raises:
        BadSample: NOT_AN_IMAGE, DECODE_FAILED, FORMAT_NOT_ENABLED (codec, HDR) or TOO_MANY_PIXELS.
    """
    with _opened(data) as (container, stream):
        width, height = stream.codec_context.width, stream.codec_context.height
        if not width or not height or width * height > rules.max_pixels:
            raise BadSample(Reason.TOO_MANY_PIXELS, f"{width}x{height} by the header; the limit is {rules.max_pixels:,} px")
        first = next(container.decode(stream), None)
        if first is None:
            raise BadSample(Reason.TOO_FEW_FRAMES, "not one frame")
        if int(first.color_trc) in _HDR_TRANSFERS:
            raise BadSample(Reason.FORMAT_NOT_ENABLED, "HDR video (PQ or HLG): convert it to SDR first")
        upright = _turns(first) % 2 == 0
        return Header(*((width, height) if upright else (height, width)), float(stream.average_rate or stream.guessed_rate or 25))


def frames(data: bytes, first: int = 0, last: int | None = None) -> Iterator[Srgb]:
    """Yield the frames `first` to `last` (inclusive; to the end by default), HxWx3 uint8 sRGB, upright.

    Raises:
        BadSample: DECODE_FAILED; TRUNCATED when the clip ends before `last`.
    """
    with _opened(data) as (container, stream):
        number = _seek(data, container, stream, first)
        for frame in container.decode(stream):
            if isinstance(number, dict):  # sought: the time stamps say which frame this is
                at = number.get(frame.pts, -1)
            else:
                at, number = number, number + 1
            if at >= first:
                yield _srgb(frame)
            if last is not None and at >= last:
                return
        if last is not None:
            raise BadSample(Reason.TRUNCATED, f"the clip ends before frame {last}")


def frame(data: bytes, number: int) -> Photo:
    """Return one frame as a photo; raises BadSample as `frames` does."""
    return Photo(next(frames(data, number, number)), "clip", ("frame of a clip",))


def window(data: bytes, first: int, last: int, crop: Crop) -> tuple[Srgb, ...]:
    """Return the frames of a shutter, each cut like the clean side; raises BadSample as `frames` does."""
    return tuple(crops.cut(picture, crop) for picture in frames(data, first, last))


def _seek(data: bytes, container: Any, stream: Any, first: int) -> Any:
    """Go to the key frame before a frame; answer the numbers of frames by time stamp, or 0 to count from the start."""
    if first <= LONGEST_JUMP:
        return 0
    with _opened(data) as (other, video):
        times = [packet.pts for packet in other.demux(video) if packet.size]
    if None in times or len(set(times)) < len(times):
        return 0
    times.sort()
    if first >= len(times):
        raise BadSample(Reason.TRUNCATED, f"the clip ends before frame {first}")
    container.seek(times[first], stream=stream, backward=True)
    return {time: number for number, time in enumerate(times)}


def _turns(picture: Any) -> int:
    """Return how many quarter turns to the left bring a frame upright."""
    return round(float(getattr(picture, "rotation", 0) or 0) / 90) % 4


def _srgb(picture: Any) -> Srgb:
    """Return a frame's pixels by its own colour matrix; an unnamed one follows the size, as players do."""
    guess = Colorspace.ITU709 if picture.height >= 720 else Colorspace.ITU601
    rgb = picture.reformat(format="rgb24", src_colorspace=_MATRICES.get(int(picture.colorspace), guess)).to_ndarray()
    turns = _turns(picture)
    if turns:
        rgb = cv2.rotate(rgb, (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)[turns - 1])
    return np.ascontiguousarray(rgb)
