"""Bytes to a photo: upright, 8-bit, sRGB, opaque; or a reason why not.

Look before you decode: the signature says which decoder (`formats`), the header says how large, and only then are
pixels made: a 48 KB PNG can ask for 2.3 GB. Then one truth for all formats:

- orientation (EXIF, or XMP where EXIF is silent) is applied; what a codec has turned by itself is not turned again;
- colour profiles are followed to sRGB (`icc`), grey becomes three equal channels;
- PNG's 16 bits are rounded, round(v / 257); deep TIFF, AVIF and HEIF are reduced by their codecs;
- alpha that is opaque everywhere is dropped; if it hides anything the photo is refused, for what lies beneath was never
  meant to be seen; several frames or pages are refused, for they are not one photo.
PNG's gamma chunk and the HDR transfer codes of PNG and AVIF are not followed.

Cut files are refused. Cut files that were given a new end marker fool every decoder that we know: only a stored hash
proves a file.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import cv2
from PIL import ExifTags, Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from degrade.keys import refuse_unknown_keys
from pipelines.photos import icc, raster
from pipelines.photos.formats import DEFAULT_FORMATS, FormatName, admit, open_header

MAX_SIDE_PX = 65535
PILLOW_CEILING_PX = 178_956_970  # beyond it Pillow itself refuses to look
_COPYING: frozenset[FormatName] = frozenset({"webp", "avif", "heif"})  # whose decoders hold the picture several times over
BROKEN = (  # what parsers raise on broken bytes; BadSample and MemoryError pass by
    OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, EOFError, AttributeError, AssertionError,
    RuntimeError, struct.error, zlib.error, cv2.error,
)  # fmt: skip
_UPRIGHT: dict[int, Callable[[Any], Any]] = {  # by EXIF orientation: how to turn the stored rows
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


class DecodeRules(BaseModel):
    """What is read, and what is let in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    formats: tuple[FormatName, ...] = Field(default=DEFAULT_FORMATS, description="formats that are read, told by their signature; the others are rejects")
    max_bytes: int = Field(default=1 << 28, ge=1, strict=True, description="bytes of a file; a longer one is not read")
    max_pixels: int = Field(
        default=100_000_000,
        ge=1,
        le=PILLOW_CEILING_PX,
        strict=True,
        description="px, by the header (100 million need 1 GB and 5 s); those of WebP, AVIF, HEIF and of 16 bits count twice",
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return refuse_unknown_keys(cls, values)


DEFAULT_RULES = DecodeRules()


class Photo(NamedTuple):
    """A decoded photo, and what was done to it on the way."""

    pixels: Srgb  # HxWx3 uint8 sRGB, C-contiguous, upright
    format: FormatName | Literal["clip"]
    notes: tuple[str, ...]  # of "upright:6", "icc:Adobe RGB (1998)", "grey", "alpha:opaque", "16bit", ...


def decode(data: bytes, rules: DecodeRules = DEFAULT_RULES) -> Photo:
    """Return the photo that some bytes hold.

    Args:
        data: a whole file.
        rules: the formats and sizes that are let in.

    Raises:
        BadSample: EMPTY, NOT_AN_IMAGE, FORMAT_NOT_ENABLED, TOO_MANY_PIXELS, ANIMATED, TRANSPARENT, BAD_PROFILE,
            TRUNCATED or DECODE_FAILED.
        MissingModel: HEIF is let in and its library is missing.
    """
    name = admit(data, rules.formats)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what we note or refuse
        try:
            image = open_header(data, name)
            notes = _check_header(image, name, rules)
            pixels, space, done = raster.read(image, data)
            turn, turned = _orientation(image)
            profile = image.info.get("icc_profile")
        except Image.DecompressionBombError as error:
            raise BadSample(Reason.TOO_MANY_PIXELS, str(error)) from error
        except BROKEN as error:
            raise _refusal(error, name) from error
    del image  # and with it Pillow's own copy of the pixels
    pixels, converted = icc.to_srgb(pixels, space, profile)
    if turn in _UPRIGHT:
        pixels = _UPRIGHT[turn](pixels)
    return Photo(pixels, name, (*notes, *done, *converted, *turned))


def _check_header(image: Image.Image, name: FormatName, rules: DecodeRules) -> tuple[str, ...]:
    """Refuse what is too large or not one photo, by the header; note further pictures that are left out."""
    width, height = image.size
    pixels = width * height * (2 if name in _COPYING or raster.is_deep(image) else 1)
    if pixels > rules.max_pixels or max(width, height) > MAX_SIDE_PX:
        limit = f"the limit is {rules.max_pixels:,} px, {MAX_SIDE_PX} px a side"
        raise BadSample(Reason.TOO_MANY_PIXELS, f"{width}x{height} by the header; {limit}")
    if not width or not height:
        raise BadSample(Reason.DECODE_FAILED, f"{width}x{height}: no pixels")
    several = bool(getattr(image, "is_animated", False))
    if several and name not in {"jpeg", "heif"}:
        raise BadSample(Reason.ANIMATED, f"{name} with several frames or pages")
    return ("first picture of several",) if several or (name == "jpeg" and "mp" in image.info) else ()


def _orientation(image: Image.Image) -> tuple[int, tuple[str, ...]]:
    """Return the EXIF orientation and a note of it; metadata that cannot be read turn nothing and spoil nothing."""
    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except BROKEN:
        return 1, ("exif:unreadable",)
    return (turn, (f"upright:{turn}",)) if isinstance(turn, int) and turn in _UPRIGHT else (1, ())


def _refusal(error: Exception, name: FormatName) -> BadSample:
    """Put a parser's complaint into the closed list of reasons."""
    if isinstance(error, UnidentifiedImageError):
        return BadSample(Reason.DECODE_FAILED, f"{name}: the header cannot be read")
    ends_early = isinstance(error, EOFError) or "truncated" in str(error).lower()
    return BadSample(Reason.TRUNCATED if ends_early else Reason.DECODE_FAILED, f"{name}: {error or type(error).__name__}")
