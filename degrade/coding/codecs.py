"""Still-picture codecs in process: what a file format does to pixels, and the file itself.

JPEG (ITU-T T.81) quantises the DCT of 8x8 blocks after halving the chroma planes; WebP (RFC 6386) predicts 4x4 and
16x16 blocks first and smooths their seams afterwards; AVIF (AV1 still pictures) has blocks of 4 to 128 px and three
loop filters. Each keeps its own kind of damage, so each is run for real: no model stands in for an encoder.

All functions take and give RGB, are deterministic (one thread, no metadata, no time stamps), and return the pixels
that any reader gets from the returned bytes: one encode, one decode.
"""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from degrade.contract import Encoded, Srgb

JPEG_SUBSAMPLING: Final = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
JPEG_MODES: Final = {
    "baseline": (),
    "optimised": (cv2.IMWRITE_JPEG_OPTIMIZE, 1),  # Huffman tables of this picture: other bytes, same pixels
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),  # always with optimised tables
}
WEBP_METHODS: Final = {f"method-{number}": number for number in range(7)}
AVIF_SPEEDS: Final = {f"speed-{number}": number for number in range(4, 10)}
AVIF_SUBSAMPLING: Final = ("4:4:4", "4:2:2", "4:2:0")


def jpeg(picture: Srgb, quality: float, subsampling: str, mode: str) -> Encoded:
    """Return a picture after JPEG, and the file.

    Args:
        picture: HxWx3 uint8 RGB, sides up to 65,500 px.
        quality: libjpeg's, a whole number 1-100; scales the example tables of the standard's Annex K.
        subsampling: a key of `JPEG_SUBSAMPLING`.
        mode: a key of `JPEG_MODES`.
    """
    options = (cv2.IMWRITE_JPEG_QUALITY, int(quality), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, JPEG_SUBSAMPLING[subsampling])
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (*options, *JPEG_MODES[mode]))
    return Encoded(_decode(data), data.tobytes(), "image/jpeg")


def webp(picture: Srgb, quality: float, subsampling: str, mode: str) -> Encoded:
    """Return a picture after lossy WebP, and the file.

    Args:
        picture: HxWx3 uint8 RGB, sides up to 16,383 px.
        quality: libwebp's, 0-100.
        subsampling: "4:2:0", the only one that lossy WebP knows.
        mode: a key of `WEBP_METHODS`: how hard the encoder searches.
    """
    _only_420("webp", subsampling)
    file = io.BytesIO()
    padded = cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)  # four bytes a pixel, as Pillow keeps them: it takes ours without a copy
    image = Image.frombuffer("RGBX", (padded.shape[1], padded.shape[0]), padded, "raw", "RGBX", 0, 1)
    image.save(file, "webp", quality=quality, method=WEBP_METHODS[mode])
    data = file.getvalue()
    return Encoded(_decode(np.frombuffer(data, np.uint8)), data, "image/webp")


def avif(picture: Srgb, quality: float, subsampling: str, mode: str) -> Encoded:
    """Return a picture after AVIF, and the file.

    Args:
        picture: HxWx3 uint8 RGB.
        quality: libavif's, a whole number 0-100.
        subsampling: one of `AVIF_SUBSAMPLING`.
        mode: a key of `AVIF_SPEEDS`; speed 10 gives the bytes of 9, slower ones take seconds.

    Raises:
        ValueError: AVIF cannot halve rows only ("4:4:0").
    """
    if subsampling not in AVIF_SUBSAMPLING:
        raise ValueError(f"avif has no subsampling {subsampling}; known: {', '.join(AVIF_SUBSAMPLING)}")
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "avif", quality=int(quality), subsampling=subsampling, speed=AVIF_SPEEDS[mode], max_threads=1, codec="aom")
    data = file.getvalue()
    with Image.open(io.BytesIO(data)) as image:
        return Encoded(np.array(image.convert("RGB")), data, "image/avif")


def _only_420(codec: str, subsampling: str) -> None:
    if subsampling != "4:2:0":
        raise ValueError(f"{codec} has no subsampling {subsampling}; known: 4:2:0")


def _decode(data: NDArray[np.uint8]) -> Srgb:
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
