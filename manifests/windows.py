"""A window of a stored picture: our own PNGs are inflated no further than the window's last row.

`manifests.png` writes one chunk of rows that all use filter Up (W3C PNG, section 9), and a row is then the one above it
plus what is stored: a running sum of bytes modulo 256. What lies above the window is summed in one go, what lies beside
it is never touched, and what lies below it is never inflated. The chunk's CRC-32 is checked all the same: that takes
30 microseconds. Everything else (JPEG, WebP, AVIF, other people's PNGs) is decoded whole and cut.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, cast

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from degrade.errors import CorruptRun
from manifests import pictures, png

_HEADER = len(png.SIGNATURE) + 8  # where the fields of IHDR begin
_BODY = _HEADER + 13 + 4  # where the second chunk begins
_INFLATE_FAILED = cast("type[Exception]", isal_zlib.error)  # the library's stub takes the class for an instance
_STORED = {(8, 2): 3, (16, 0): 1, (16, 2): 3}  # (bits, colour type) -> channels; grey in 8 bits is left to `pictures`


class Window(NamedTuple):
    """A rectangle of a picture, in px of the stored picture."""

    top: int
    left: int
    height: int
    width: int


class _Fields(NamedTuple):
    """The header of a PNG (IHDR) and its body."""

    width: int
    height: int
    sample_bytes: int
    channels: int
    body: memoryview


def decode(data: bytes, window: Window | None = None) -> NDArray[Any]:
    """Return a window of a stored picture: HxWx3 RGB uint8, or HxW or HxWx3 uint16 of a 16-bit side product.

    Args:
        data: the bytes of the member.
        window: what to cut out; None for the whole picture.

    Raises:
        CorruptRun: the bytes are no picture, are damaged, or hold a smaller picture than the window needs.
    """
    fields = _ours(data)
    if fields is not None:
        pixels = _unfiltered(fields, window or Window(0, 0, fields.height, fields.width))
        if pixels is not None:
            return pixels
    whole = pictures.decode(data)
    if window is None:
        return whole
    _must_fit(window, *whole.shape[:2])
    return np.ascontiguousarray(whole[window.top : window.top + window.height, window.left : window.left + window.width])


def _must_fit(window: Window, height: int, width: int) -> None:
    if min(window.top, window.left) < 0 or window.top + window.height > height or window.left + window.width > width:
        raise CorruptRun(f"a stored picture is {width} x {height} px, its row promises more: run `patina verify RUN`")


def _ours(data: bytes) -> _Fields | None:
    """Return what a PNG of our own layout holds (IHDR, one IDAT, IEND); None for anything else."""
    if data[: len(png.SIGNATURE)] != png.SIGNATURE or data[_BODY + 4 : _BODY + 8] != b"IDAT":
        return None
    width, height, bits, colour, *rest = struct.unpack_from(">IIBBBBB", data, _HEADER)
    (length,) = struct.unpack_from(">I", data, _BODY)
    end = _BODY + 8 + length
    if any(rest) or (bits, colour) not in _STORED or data[end + 8 : end + 12] != b"IEND":
        return None
    view = memoryview(data)
    if isal_zlib.crc32(view[_BODY + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
        raise CorruptRun("a stored picture fails its checksum: `patina verify RUN` names every damaged pair")
    return _Fields(width, height, bits // 8, _STORED[bits, colour], view[_BODY + 8 : end])


def _unfiltered(fields: _Fields, window: Window) -> NDArray[Any] | None:
    """Return the pixels of a window by summing down its columns; None if a row uses another filter."""
    _must_fit(window, fields.height, fields.width)
    pixel = fields.channels * fields.sample_bytes
    until, stride = window.top + window.height, 1 + fields.width * pixel
    raw = _inflated(fields.body, until * stride)
    if raw is None:
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(until, stride)
    if not (rows[:, 0] == png.FILTER_UP).all():
        return None
    stored = rows[:, 1 + window.left * pixel : 1 + (window.left + window.width) * pixel]
    out = np.empty((window.height, window.width * pixel), np.uint8)
    np.add.reduce(stored[: window.top + 1], axis=0, dtype=np.uint8, out=out[0])
    for y in range(1, window.height):  # row by row: numpy's own `accumulate` down the columns takes three times as long
        np.add(out[y - 1], stored[window.top + y], out=out[y])
    samples = out if fields.sample_bytes == 1 else out.view(">u2").astype(np.uint16)
    return samples.reshape((window.height, window.width, 3)[: 2 if fields.channels == 1 else 3])


def _inflated(body: memoryview, length: int) -> bytes | None:
    """Return the first bytes of a zlib stream; None where the first row already uses another filter than Up."""
    try:
        if isal_zlib.decompressobj().decompress(body, 1) != bytes([png.FILTER_UP]):
            return None
        raw: bytes = isal_zlib.decompressobj().decompress(body, length)
    except _INFLATE_FAILED as error:
        raise CorruptRun(f"a stored picture cannot be inflated ({error}): `patina verify RUN` names every damaged pair") from error
    if len(raw) != length:
        raise CorruptRun("a stored picture ends before its last row: `patina verify RUN` names every damaged pair")
    return raw
