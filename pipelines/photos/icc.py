"""Colour profiles: whatever space a photo was saved in, it leaves here as sRGB.

The conversion is LittleCMS's, relative colorimetric with black point compensation: colours inside sRGB stay what they
were, those outside go to the nearest on its rim, and black stays black (what Photoshop does by default; perceptual
would change every colour, and only if the profile brings tables for it).

Most profiles in the wild ARE sRGB under another name. We do not trust names: a profile's transform is tried on a grid
of 729 colours, and if none moves by more than two levels, the pixels are left as they are, which costs nothing.

CMYK without a profile is refused: the same numbers are different colours on every press, so a guess would be a
colour cast in the clean side. Lab needs no profile, it is a colour space of its own.
"""

from __future__ import annotations

import functools
import io
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from pipelines.photos.raster import STRIP_PX

SAME_LEVELS = 2  # a profile that moves no colour further than this many 8-bit levels is sRGB
_GRID = 9  # grid points per channel
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


class Conversion(NamedTuple):
    """A profile, understood: what it calls itself, and its way to sRGB unless it is sRGB already."""

    name: str
    space: str  # "GRAY", "RGB", "CMYK" or "Lab"
    transform: ImageCms.ImageCmsTransform | None


def to_srgb(pixels: NDArray[np.uint8], mode: str, profile: bytes | None) -> tuple[Srgb, tuple[str, ...]]:
    """Return HxWx3 uint8 sRGB, and a note that names the profile if it changed anything.

    Args:
        pixels: HxW for "L", HxWxC else; may be overwritten.
        mode: Pillow's word for the colour space: "L", "RGB", "CMYK" or "LAB".
        profile: the bytes of an ICC profile, if the file brings one.

    Raises:
        BadSample: BAD_PROFILE: unreadable, for another kind of picture, or missing where colours need one.
    """
    if not profile and mode in {"CMYK", "LAB"}:
        if mode == "CMYK":
            raise BadSample(Reason.BAD_PROFILE, "CMYK without a profile: its colours are unknown")
        return _apply(pixels, "LAB", _lab_to_srgb()), ("icc:CIELab",)
    if not profile:
        return _expand(pixels), ()
    conversion = _understood(profile)
    pixels, mode = _as_the_profile_expects(pixels, mode, conversion)
    if conversion.transform is None:
        return _expand(pixels), ()
    return _apply(pixels, mode, conversion.transform), (f"icc:{conversion.name}",)


def _expand(pixels: NDArray[np.uint8]) -> Srgb:
    """Return three channels, all of them the one there was if the picture is grey."""
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels


def _as_the_profile_expects(pixels: NDArray[np.uint8], mode: str, conversion: Conversion) -> tuple[NDArray[np.uint8], str]:
    """Bring a picture and its profile to the same number of channels, where one meaning is left to choose."""
    if _SPACES[mode] == conversion.space:
        return pixels, mode
    if mode == "L" and conversion.space == "RGB":
        return _expand(pixels), "RGB"
    if mode == "RGB" and conversion.space == "GRAY" and bool((pixels == pixels[..., :1]).all()):
        return np.ascontiguousarray(pixels[..., 0]), "L"
    raise BadSample(Reason.BAD_PROFILE, f"a profile for {conversion.space} ({conversion.name}) on a picture in {_SPACES[mode]}")


@functools.lru_cache(maxsize=16)
def _understood(profile: bytes) -> Conversion:
    """Read a profile once and build its way to sRGB; the same camera's photos share it."""
    try:
        parsed = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(parsed).strip() or "unnamed"
        space = parsed.profile.xcolor_space.strip()
        mode = {space: mode for mode, space in _SPACES.items()}.get(space)
        if mode is None:
            raise BadSample(Reason.BAD_PROFILE, f"{name}: a profile for {space}")
        transform = _built(parsed, mode)
        grid = _probe(mode)
        moved = int(cv2.absdiff(_apply(grid.copy(), mode, transform), _expand(grid)).max()) if mode in {"L", "RGB"} else 255
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise BadSample(Reason.BAD_PROFILE, f"{len(profile):,} bytes that are no colour profile: {error}") from error
    return Conversion(name, space, transform if moved > SAME_LEVELS else None)


def _built(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@functools.cache
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return _built(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")


def _probe(mode: str) -> NDArray[np.uint8]:
    """Return a small picture that holds colours from all over the space (greys: every one)."""
    if mode == "L":
        return np.arange(256, dtype=np.uint8).reshape(1, 256)
    steps = np.linspace(0, 255, _GRID).astype(np.uint8)
    channels = len(mode) if mode == "CMYK" else 3
    corners = np.meshgrid(*[steps] * channels)
    return np.ascontiguousarray(np.stack(corners, axis=-1).reshape(_GRID, -1, channels))


def _apply(pixels: NDArray[np.uint8], mode: str, transform: ImageCms.ImageCmsTransform) -> Srgb:
    """Convert strip by strip, into the input's own memory where the channels allow."""
    height, width = pixels.shape[:2]
    converted = pixels if mode == "RGB" and pixels.flags.writeable else np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP_PX // width)
    for top in range(0, height, rows):
        size = (width, min(rows, height - top))
        strip = Image.frombuffer(mode, size, np.ascontiguousarray(pixels[top : top + rows]), "raw", mode, 0, 1)
        converted[top : top + rows] = np.asarray(ImageCms.applyTransform(strip, transform))
    return converted
