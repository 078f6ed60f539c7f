"""Video codecs in process: what one intra-coded frame of a clip looks like when it is grabbed.

MPEG-2 (ITU-T H.262) and MPEG-4 part 2 quantise 8x8 DCT blocks with one step for the whole frame and leave the seams
bare; H.264 and H.265 predict each block from its neighbours and smooth seams in the loop, so that detail melts before
blocks show. The encoders are x264, x265 and FFmpeg's own, run in memory through PyAV with one thread.

A frame travels as 8-bit limited-range YCbCr 4:2:0: BT.601 for the two old codecs, BT.709 for the two new ones, the same
matrix both ways. Chroma is averaged over 2x2 pixels and interpolated back about the same centres, so neither
hue, brightness nor position drifts. We do this ourselves, not by swscale: it is faster, and its rounding does not depend
on the vector unit. Frames of a real clip are mostly predicted in time; we model only its key frames.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Final, NamedTuple, cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from degrade.contract import Srgb

LEVEL_4_PX: Final = 2_228_224  # px of a frame beyond which H.265 allows no blocks under 32 px (ITU-T H.265, table A.8)
SMALLEST_PX: Final = 64  # below it x265 refuses; smaller frames are padded and cut back
BT601: Final = (0.299, 0.114)  # weights of red and blue in luma
BT709: Final = (0.2126, 0.0722)


class Coder(NamedTuple):
    """One video codec: its encoder and decoder by FFmpeg's names, its colours, and what it may be told."""

    encoder: str
    decoder: str
    luma: tuple[float, float]  # weights of red and blue
    options: dict[str, str]  # with `{quality}` for the number
    modes: dict[str, dict[str, str]]


STILL_264: Final = "keyint=1:mbtree=0:rc-lookahead=0:bframes=0"  # mbtree would spend a single frame's bits on frames to come
STILL_265: Final = "log-level=none:pools=none:frame-threads=1:no-wpp=1:no-info=1:keyint=1:rc-lookahead=0:bframes=0:fast-intra=1:rd=1"
ONE_STEP: Final = {"b": "1G", "qmin": "{quality}", "qmax": "{quality}"}  # rate control has no say: the quantiser is fixed

CODERS: Final = {
    "h264": Coder(
        "libx264",
        "h264",
        BT709,
        {"crf": "{quality}", "x264-params": STILL_264},
        {name: {"preset": name} for name in ("ultrafast", "superfast", "veryfast", "faster", "medium")},
    ),
    "h265": Coder(
        "libx265",
        "hevc",
        BT709,
        {"crf": "{quality}", "preset": "ultrafast"},
        {f"ctu-{side}": {"x265-params": f"{STILL_265}:ctu={side}"} for side in (16, 32)},  # largest block in px
    ),
    "mpeg4": Coder("mpeg4", "mpeg4", BT601, ONE_STEP, {"h263": {}, "mpeg": {"mpeg_quant": "1"}}),  # one step, or coarser for fine detail
    "mpeg2": Coder("mpeg2video", "mpeg2video", BT601, ONE_STEP, {f"dc-{bits}": {"dc": str(bits)} for bits in (8, 10)}),  # block means
}


def frame(picture: Srgb, codec: str, quality: float, mode: str) -> Srgb:
    """Return a picture after one intra-coded frame of a video codec.

    Args:
        picture: HxWx3 uint8 RGB of any size; odd sides are padded and cut back.
        codec: a key of `CODERS`.
        quality: the codec's own scale, larger is worse: crf 0-51 for h264 and h265, quantiser 1-31 for the MPEGs.
        mode: a key of the coder's `modes`; `ctu-16` is the smallest block that H.265 allows at the picture's size.
    """
    coder = CODERS[codec]
    height, width = picture.shape[:2]
    below = max(SMALLEST_PX, height + height % 2) - height
    right = max(SMALLEST_PX, width + width % 2) - width
    if below or right:
        padded: Srgb = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(frame(padded, codec, quality, mode)[:height, :width])
    return _from_planes(_code(_to_planes(picture, coder.luma), coder, quality, mode), coder.luma)


def _code(planes: NDArray[np.uint8], coder: Coder, quality: float, mode: str) -> NDArray[np.uint8]:
    """Return the planes of a frame after encoding and decoding."""
    context = cast("VideoCodecContext", av.CodecContext.create(coder.encoder, "w"))
    context.height, context.width = planes.shape[0] * 2 // 3, planes.shape[1]
    context.pix_fmt = "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.thread_count = 1
    told = {name: text.format(quality=f"{quality:g}") for name, text in coder.options.items()}
    if mode == "ctu-16" and context.height * context.width > LEVEL_4_PX:
        mode = "ctu-32"
    context.options = told | coder.modes[mode]
    packets = [*context.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")), *context.encode(None)]
    reader = cast("VideoCodecContext", av.CodecContext.create(coder.decoder, "r"))
    reader.thread_count = 1
    (decoded,) = [shown for packet in (*packets, None) for shown in reader.decode(packet)]
    return np.asarray(decoded.to_ndarray(), np.uint8)


@functools.cache
def _matrices(luma: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 3x4 matrices RGB -> limited-range YCbCr and back (ITU-R BT.601 and BT.709, 8 bit)."""
    red, blue = luma
    weights = np.array([red, 1 - red - blue, blue])
    to_ycc = np.stack(
        [
            weights * 219 / 255,
            (np.array([0, 0, 1.0]) - weights) / (2 * (1 - blue)) * 224 / 255,
            (np.array([1.0, 0, 0]) - weights) / (2 * (1 - red)) * 224 / 255,
        ]
    )
    offset = np.array([[16.0], [128.0], [128.0]])
    to_rgb = np.linalg.inv(to_ycc)
    return np.hstack([to_ycc, offset]), np.hstack([to_rgb, -to_rgb @ offset])


def _to_planes(picture: Srgb, luma: tuple[float, float]) -> NDArray[np.uint8]:
    """Return YCbCr 4:2:0 as FFmpeg packs it: (H*3/2)xW, luma above, then the two quarter planes."""
    to_ycc, _ = _matrices(luma)
    height, width = picture.shape[:2]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(half, to_ycc)  # three rows, although two would do: OpenCV is quick only for 3x3
    planes[:height] = cv2.extractChannel(cv2.transform(picture, to_ycc), 0)
    for index, quarter in enumerate(planes[height:].reshape(2, height // 2, width // 2)):
        quarter[:] = cv2.extractChannel(chroma, index + 1)
    return planes


def _from_planes(planes: NDArray[np.uint8], luma: tuple[float, float]) -> Srgb:
    _, to_rgb = _matrices(luma)
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    halves = planes[height:].reshape(2, height // 2, width // 2)
    full = [cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR) for half in halves]
    return cv2.transform(cv2.merge([planes[:height], *full]), to_rgb)
