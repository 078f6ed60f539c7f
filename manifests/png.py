"""Lossless pictures, quickly: PNG with one fixed row filter and an Intel ISA-L deflate.

A PNG (W3C Recommendation, 2003) is a zlib stream of filtered rows between checksummed chunks. libpng tries five
filters on every row and deflates slowly, about 80 ms per megapixel at its quickest setting; one numpy subtraction
(filter Up) and ISA-L give files of nearly the same size in a tenth of that.
"""

from __future__ import annotations

import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FILTER_UP = 2
COLOUR_TYPE = {1: 0, 3: 2}  # channels -> grey, RGB
MEDIA_TYPE = "image/png"


def encode(pixels: NDArray[np.uint8] | NDArray[np.uint16], level: int = 1) -> bytes:
    """Return the PNG file of a picture, without any metadata.

    Args:
        pixels: HxW or HxWx3 (RGB), uint8 or uint16.
        level: ISA-L level 0 (fastest) to 3 (smallest).
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, COLOUR_TYPE[channels], 0, 0, 0)
    body = isal_zlib.compress(_filtered(pixels), level)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _filtered(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the rows as PNG stores them: the filter's number, then each byte less the byte above it."""
    big_endian = np.ascontiguousarray(pixels) if pixels.itemsize == 1 else pixels.astype(">u2")
    rows = big_endian.view(np.uint8).reshape(pixels.shape[0], -1)
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = FILTER_UP
    out[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=out[1:, 1:])
    return out


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", isal_zlib.crc32(body, isal_zlib.crc32(kind)))))
