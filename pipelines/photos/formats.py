"""Which kind of picture some bytes are, by their own first bytes, and which kinds are let in.

A file's name says nothing: PNGs travel as .jpg, text as .png. The signature decides, and it also chooses the one
decoder that may look at the bytes, so that a stranger's file never shops around among forty parsers.

JPEG, PNG and WebP are let in by default: they are what photos come in, and their decoders are the most attacked and
therefore the best mended. The rest is opt-in. A JPEG that carries more pictures behind the first (MPO stereo pairs,
Ultra HDR gain maps, phone depth maps) is a JPEG: every viewer shows its primary picture, and so do we.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Literal

from PIL import Image

from degrade.errors import BadSample, MissingModel, Reason

FormatName = Literal["jpeg", "png", "webp", "avif", "heif", "tiff", "gif", "bmp", "jp2"]
DEFAULT_FORMATS: tuple[FormatName, ...] = ("jpeg", "png", "webp")

_PLUGINS: dict[FormatName, tuple[str, ...]] = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "webp": ("WEBP",),
    "avif": ("AVIF",),
    "tiff": ("TIFF",),
    "gif": ("GIF",),
    "bmp": ("BMP",),
    "jp2": ("JPEG2000",),
}
_SIGNATURES: tuple[tuple[bytes, FormatName], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # lengths of the second header: "BM" alone begins many a text
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def signature(data: bytes) -> FormatName | None:
    """Return the format that the first bytes announce, or None for anything that is not a known picture."""
    for start, name in _SIGNATURES:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return _by_brand(data) if data[4:8] == b"ftyp" else None


def _by_brand(data: bytes) -> FormatName | None:
    """Tell AVIF from HEIF: both are ISO media files and name their brands, the general ones in any order."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = {box[:4], *(box[at : at + 4] for at in range(8, len(box) - 3, 4))}  # the four bytes between are a version
    if brands & {b"avif", b"avis"}:
        return "avif"
    return "heif" if brands & _HEVC_BRANDS else None


def admit(data: bytes, formats: Collection[FormatName]) -> FormatName:
    """Return the format of the bytes if it is let in.

    Raises:
        BadSample: EMPTY, NOT_AN_IMAGE or FORMAT_NOT_ENABLED.
    """
    if not data:
        raise BadSample(Reason.EMPTY, "zero bytes")
    name = signature(data)
    if name is None:
        raise BadSample(Reason.NOT_AN_IMAGE, f"begins with {data[:8]!r}: no known signature")
    if name not in formats:
        raise BadSample(Reason.FORMAT_NOT_ENABLED, f"{name}: add it to `formats` to read it")
    return name


def open_header(data: bytes, name: FormatName) -> Image.Image:
    """Return Pillow's view of the header; no pixel is decoded yet (but for HEIF, whose library bounds itself).

    Raises:
        MissingModel: HEIF is let in but its library is not installed.
        OSError, SyntaxError, ValueError, ...: whatever the parser makes of broken bytes, see `decode.BROKEN`.
    """
    if name != "heif":
        return Image.open(io.BytesIO(data), formats=_PLUGINS[name])
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise MissingModel("HEIF photos need a library: pip install 'patina[heif]'") from error
    image: Image.Image = HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]  # the library is not typed
    return image
