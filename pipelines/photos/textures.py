"""The images of a bank: flares, fog, rain, dirt. Unlike photos they may be small, grey, dark or transparent.

The same look before the leap as for photos (signature, header, limits); then RGBA, because an alpha channel is half of
what a texture has to say.
"""

from __future__ import annotations

import warnings

import cv2
import numpy as np
from PIL import Image

from degrade.contract import Texture
from degrade.errors import BadSample, Reason
from pipelines.photos.decode import BROKEN, DecodeRules
from pipelines.photos.formats import admit, open_header

LONG_SIDE_PX = 2048  # larger images are reduced: a bank holds soft things
LEAST_SIDE_PX = 16
RULES = DecodeRules(max_pixels=50_000_000)


def decode(data: bytes) -> Texture:
    """Return an image of a bank, HxWx4 uint8, sRGB and alpha, at most LONG_SIDE_PX long.

    Raises:
        BadSample: EMPTY, NOT_AN_IMAGE, FORMAT_NOT_ENABLED, TOO_MANY_PIXELS, TOO_SMALL, ANIMATED, FLAT, TRUNCATED or
            DECODE_FAILED.
    """
    name = admit(data, RULES.formats)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = open_header(data, name)
            _check(image)
            pixels = np.array(image.convert("RGBA"))
        except Image.DecompressionBombError as error:
            raise BadSample(Reason.TOO_MANY_PIXELS, str(error)) from error
        except BROKEN as error:
            ends_early = isinstance(error, EOFError) or "truncated" in str(error).lower()
            raise BadSample(Reason.TRUNCATED if ends_early else Reason.DECODE_FAILED, f"{name}: {error or type(error).__name__}") from error
    if not _shows_something(pixels):
        raise BadSample(Reason.FLAT, "every pixel is the same: nothing to draw from")
    return _reduced(pixels)


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > RULES.max_pixels:
        raise BadSample(Reason.TOO_MANY_PIXELS, f"{width}x{height} by the header; the limit for a bank is {RULES.max_pixels:,} px")
    if min(width, height) < LEAST_SIDE_PX:
        raise BadSample(Reason.TOO_SMALL, f"{width}x{height}: an image of a bank has at least {LEAST_SIDE_PX} px a side")
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise BadSample(Reason.ANIMATED, f"{image.format} with several frames")


def _shows_something(pixels: Texture) -> bool:
    """Tell whether colour times alpha varies at all."""
    light = pixels[..., :3].max(axis=2).astype(np.uint16) * pixels[..., 3]
    return bool(light.max() > light.min())


def _reduced(pixels: Texture) -> Texture:
    factor = LONG_SIDE_PX / max(pixels.shape[:2])
    if factor >= 1:
        return np.ascontiguousarray(pixels)
    size = (max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1))
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
