"""The pixels of an opened picture, in the file's own colour space, 8 bits per channel and without alpha.

Plain 8-bit JPEGs are decoded by OpenCV (as quick as libjpeg-turbo gets; it refuses a cut file, tested at every cut),
16-bit PNGs too, because Pillow keeps only their high byte; everything else by Pillow, which is strict about cut files.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from degrade.errors import BadSample, Reason

STRIP_PX = 1 << 20  # pixels copied at a time out of Pillow, which would otherwise hold the picture twice more
_FLAGS = {"L": cv2.IMREAD_GRAYSCALE, "RGB": cv2.IMREAD_COLOR_RGB}
_TO_8_BIT = ((np.arange(65536, dtype=np.uint32) * 2 + 257) // 514).astype(np.uint8).reshape(1, 65536)  # round(v / 257)
_SPACES = {  # Pillow's modes: the space in which they are handed on, and what is worth noting
    "1": ("L", ("1bit", "grey")),
    "L": ("L", ("grey",)),
    "LA": ("L", ("grey",)),
    "P": ("RGB", ("palette",)),
    "PA": ("RGB", ("palette",)),
    "RGB": ("RGB", ()),
    "RGBA": ("RGB", ()),
    "RGBX": ("RGB", ()),
    "YCbCr": ("RGB", ()),
    "CMYK": ("CMYK", ()),
    "LAB": ("LAB", ()),
}


class Raster(NamedTuple):
    """Pixels, what their numbers mean, and what was done to them."""

    pixels: NDArray[np.uint8]  # HxW for "L", HxWxC else; C-contiguous
    space: str  # "L", "RGB", "CMYK" or "LAB"
    notes: tuple[str, ...]


def is_deep(image: Image.Image) -> bool:
    """Tell by the header whether the channels hold 16 bits."""
    return image.mode.startswith("I;16") or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def read(image: Image.Image, data: bytes) -> Raster:
    """Decode an opened picture.

    Args:
        image: the header, as Pillow reads it.
        data: the whole file that it was read from.

    Raises:
        BadSample: TRANSPARENT; DECODE_FAILED for samples without a defined white (float, 32 bits).
        OSError, SyntaxError, ValueError, ...: whatever a codec makes of broken bytes.
    """
    if image.format in {"JPEG", "MPO"} and image.mode in _FLAGS:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[image.mode] | cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is not None:  # None: Pillow tries in its turn, and says what is wrong
            return Raster(pixels.astype(np.uint8, copy=False), *_SPACES[image.mode])
    if is_deep(image) and (image.format == "PNG" or image.mode.startswith("I;16")):
        return _read_deep(image, data)
    return _read_by_pillow(image)


def _read_deep(image: Image.Image, data: bytes) -> Raster:
    """Read 16 bits and round them to 8; a picture whose every alpha is full loses it."""
    keyed = image.info.get("transparency")
    grey = image.mode.startswith("I;16")
    if grey:
        deep = np.asarray(image).astype(np.uint16)
        if isinstance(keyed, int) and bool((deep == keyed).any()):
            raise BadSample(Reason.TRANSPARENT, f"grey level {keyed} is declared transparent, and used")
        return Raster(cv2.LUT(deep, _TO_8_BIT), "L", ("16bit", "grey"))
    _check_chunks(data)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16 or stored.ndim != 3:
        image.load()  # says what is wrong
        raise OSError("16-bit samples that cannot be read")
    notes: tuple[str, ...] = ("16bit",)
    if stored.shape[2] == 4:
        _refuse_transparency(int(stored[..., 3].min()) / 65535)
        notes += ("alpha:opaque",)
    code = cv2.COLOR_BGRA2RGB if stored.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return Raster(cv2.cvtColor(cv2.LUT(stored, _TO_8_BIT), code), "RGB", notes)


def _check_chunks(data: bytes) -> None:
    """Raise for a PNG chunk that claims more bytes than follow: OpenCV would set the claimed 4 GB aside first."""
    at = len(b"\x89PNG\r\n\x1a\n")
    while at < len(data) and data[at + 4 : at + 8] != b"IEND":
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    if at >= len(data):
        raise OSError("image file is truncated: a chunk claims more bytes than there are")


def _read_by_pillow(image: Image.Image) -> Raster:
    notes: tuple[str, ...] = ("16bit",) if is_deep(image) else ()
    image.load()
    if image.mode in {"La", "RGBa"}:
        image = image.convert(image.mode.upper())
    if image.mode not in _SPACES:
        raise BadSample(Reason.DECODE_FAILED, f"samples of the kind {image.mode}: it is not said which of them is white")
    space, more = _SPACES[image.mode]
    notes += more
    if image.has_transparency_data:
        alpha = (image if image.mode in {"LA", "PA", "RGBA"} else image.convert("RGBA")).getchannel("A")
        _refuse_transparency(float(np.asarray(alpha).min()) / 255)
        notes += ("alpha:opaque",)
    return Raster(_copied(image, space), space, notes)


def _refuse_transparency(least: float) -> None:
    if least < 1:
        raise BadSample(Reason.TRANSPARENT, f"opacity falls to {least:.2f}: what lies beneath is not known")


def _copied(image: Image.Image, space: str) -> NDArray[np.uint8]:
    """Copy the pixels out strip by strip."""
    width, height = image.size
    shape = (height, width) if space == "L" else (height, width, 4 if space == "CMYK" else 3)
    pixels = np.empty(shape, np.uint8)
    rows = max(1, STRIP_PX // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = np.asarray(strip if strip.mode == space else strip.convert(space))
    return pixels
