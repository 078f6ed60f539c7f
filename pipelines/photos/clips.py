"""Video clips: what they are, and single frames of them, decoded with care and counted exactly.

Strangers' files again: only containers that their first bytes announce, only codecs of the list, no other protocol than
the bytes in hand, limits on pixels and frames. Frames are numbered in the order in which they are shown, from 0. A
frame is reached from the key frame before it where every frame has a time stamp of its own, and from the start where
not: the number, and so the picture, is the same.
"""

from __future__ import annotations

import contextlib
import io
from collections import deque
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
ONE_GROUP = 64  # frames from which the next key frame is rarely farther
KEPT = 32  # decoded frames: windows overlap
_BRANDS_OF_STILLS = {b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim", b"heis"}
_REORDERED = {"h264", "hevc"}  # shown in another order than stored, and AVI's stamps follow the storage
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
def _refusing(kind: str) -> Iterator[None]:
    """Turn what a demuxer or decoder makes of broken bytes into a reason."""
    try:
        yield
    except (av.FFmpegError, ValueError, LookupError, ArithmeticError) as error:
        raise BadSample(Reason.DECODE_FAILED, f"{kind}: {error or type(error).__name__}") from error


def _opened(data: bytes) -> tuple[Any, Any]:
    """Open a clip; answer (container, its video stream). Whoever opens it closes it."""
    kind = signature(data)
    if kind is None:
        raise BadSample(Reason.NOT_AN_IMAGE, f"begins with {data[:8]!r}: no known clip")
    allowed = {"codec_whitelist": ",".join(CODECS), "protocol_whitelist": "file"}
    with _refusing(kind):
        container = av.open(io.BytesIO(data), format=kind, options=allowed, metadata_errors="replace")
    if not container.streams.video:
        container.close()
        raise BadSample(Reason.DECODE_FAILED, f"{kind}: holds no video")
    stream = container.streams.video[0]
    codec = stream.codec_context.name if stream.codec_context else "unknown to FFmpeg"
    if codec not in CODECS:
        container.close()
        raise BadSample(Reason.FORMAT_NOT_ENABLED, f"{kind}: codec {codec}; read are {', '.join(CODECS)}")
    stream.codec_context.thread_count = 1
    return container, stream


def header(data: bytes, rules: DecodeRules) -> Header:
    """Return what a clip says of itself.

    Raises:
        BadSample: NOT_AN_IMAGE, DECODE_FAILED, FORMAT_NOT_ENABLED (codec, HDR) or TOO_MANY_PIXELS.
    """
    container, stream = _opened(data)
    with contextlib.closing(container), _refusing("clip"):
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


def frames(data: bytes) -> Iterator[Srgb]:
    """Yield all frames, HxWx3 uint8 sRGB, upright.

    Raises:
        BadSample: DECODE_FAILED, or what `header` raises.
    """
    yield from (picture for _, picture in numbered(data))


def numbered(data: bytes) -> Iterator[tuple[int, Srgb]]:
    """Yield all frames as `frames` does, each with the number by which a Reel finds it; -1 where it finds it by none.

    The numbers are 0, 1, 2... unless the clip is damaged: then packets are there that show nothing, or bear false stamps.
    """
    numbers = _numbers_by_time(data)
    container, stream = _opened(data)
    with contextlib.closing(container), _refusing("clip"):
        for count, picture in enumerate(container.decode(stream)):
            yield numbers.get(picture.pts, -1) if numbers else count, _srgb(picture)


class Reel:
    """An open clip; windows that are asked for in rising order cost one pass through it.

    Args:
        data: the whole file.
    """

    def __init__(self, data: bytes) -> None:
        self._container, self._stream = _opened(data)
        self._numbers = _numbers_by_time(data)
        self._recent: deque[tuple[int, Any]] = deque(maxlen=KEPT)
        self._coming = self._from_the_start()

    def close(self) -> None:
        """Let go of the decoder."""
        self._container.close()

    def frame(self, number: int) -> Photo:
        """Return one frame as a photo; raises BadSample as `window` does."""
        return Photo(self.window(number, number)[0], "clip", ("frame of a clip",))

    def window(self, first: int, last: int, crop: Crop | None = None) -> tuple[Srgb, ...]:
        """Return the frames `first` to `last`, both inclusive, HxWx3 uint8 sRGB, upright, cut like the clean side.

        Raises:
            BadSample: DECODE_FAILED, also when one of them is not found; TRUNCATED when the clip ends before `last`.
        """
        with _refusing("clip"):
            self._go_to(first)
            while not self._recent or self._recent[-1][0] < last:
                self._advance(last)
            pictures = [_srgb(picture) for number, picture in self._recent if first <= number <= last]
        if len(pictures) <= last - first:
            raise BadSample(Reason.DECODE_FAILED, f"clip: of the frames {first} to {last}, {len(pictures)} can be found")
        return tuple(crops.cut(picture, crop) if crop else picture for picture in pictures)

    def _go_to(self, first: int) -> None:
        """Stand before a frame, unless it is kept or close ahead."""
        oldest, newest = (self._recent[0][0], self._recent[-1][0]) if self._recent else (0, -1)
        if oldest <= first <= newest + LONGEST_JUMP or (first > newest and not self._numbers):
            return
        self._recent.clear()
        if not self._numbers:
            self._container.seek(0)
            self._coming = self._from_the_start()
        elif first >= len(self._numbers):
            raise BadSample(Reason.TRUNCATED, f"the clip ends before frame {first}")
        else:
            for start in (first, max(first - ONE_GROUP, 0), 0):  # the key frame that is sought may be shown after the frame that is wanted
                self._seek(start)
                while not self._recent or self._recent[-1][0] < first:
                    self._advance(first)
                if any(number == first for number, _ in self._recent):
                    return

    def _seek(self, number: int) -> None:
        self._recent.clear()
        self._container.seek(list(self._numbers)[number], stream=self._stream, backward=True)
        self._coming = ((self._numbers.get(picture.pts, -1), picture) for picture in self._container.decode(self._stream))

    def _from_the_start(self) -> Iterator[tuple[int, Any]]:
        return enumerate(self._container.decode(self._stream))

    def _advance(self, last: int) -> None:
        found = next(self._coming, None)
        if found is None:
            raise BadSample(Reason.TRUNCATED, f"the clip ends before frame {last}")
        if found[0] >= 0:
            self._recent.append(found)


def _numbers_by_time(data: bytes) -> dict[int, int]:
    """Return the number of each frame by its time stamp, in order; nothing where the stamps do not tell frames apart."""
    container, stream = _opened(data)
    with contextlib.closing(container), _refusing("clip"):
        times = [packet.pts for packet in container.demux(stream) if packet.size and not _hidden(packet, stream)]
    as_stored = signature(data) == "avi" and stream.codec_context.name in _REORDERED
    if as_stored or None in times or len(set(times)) < len(times):
        return {}
    return {time: number for number, time in enumerate(sorted(times))}


def _hidden(packet: Any, stream: Any) -> bool:
    """Tell whether no frame comes of a packet: an edit list has cut it off, or it is a reference frame of VP8 that is never shown (RFC 6386, 9.1)."""
    return bool(packet.is_discard) or (stream.codec_context.name == "vp8" and not memoryview(packet)[0] & 16)


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
