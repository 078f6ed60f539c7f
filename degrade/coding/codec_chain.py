"""What happens to a picture at one station of its way: resized, sharpened, coded on a block grid of its own.

The grid starts up to 7 px outside the picture, as it does after a crop; the border is repeated there before coding and
cut off after, so that grids misalign and the picture stays where it was.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from degrade.coding import codecs, video_codecs
from degrade.coding.resampling import SOFT, resized
from degrade.contract import Encoded, Srgb

SHARPEN_SIGMA_PX: Final = 0.8
STILL: Final = {"jpeg": codecs.jpeg, "webp": codecs.webp, "avif": codecs.avif}


class Hop(NamedTuple):
    """One station. A field that does not apply keeps its neutral value, given here in brackets."""

    scale: float  # long side relative to the clean side (1.0)
    filter: str  # how it was resized, a key of `resampling.SHRINK` ("area": the size is that of the hop before)
    sharpen: float  # amount of an unsharp mask before coding (0.0)
    dx: int  # columns by which the block grid starts left of the picture, 0-7 (0)
    dy: int  # rows above it (0)
    codec: str
    quality: float  # on the codec's own scale: quality, crf or quantiser
    subsampling: str  # of chroma ("4:2:0" for WebP and video, which know no other)
    mode: str  # what the encoder was told: order of JPEG's tables, WebP's method, a video preset...


def resizings(hops: tuple[Hop, ...]) -> tuple[float, int]:
    """Return the smallest scale of a chain, and how many of its resizings are soft, the growing back included."""
    before = (1.0, *(hop.scale for hop in hops))
    filters = [hop.filter for hop, scale in zip(hops, before, strict=False) if hop.scale != scale]
    if before[-1] != 1.0:
        filters.append(hops[-1].filter)
    return min(before), sum(name in SOFT for name in filters)


def run(picture: Srgb, hops: tuple[Hop, ...]) -> Encoded:
    """Return a picture after its hops, in its own size, and the last one's file where that is what one sees.

    Args:
        picture: HxWx3 uint8 RGB; left untouched.
        hops: first hop first.

    Returns:
        The pixels; no `data` after a video codec, nor where the last hop was of another size or off the grid.
    """
    height, width = picture.shape[:2]
    coded = Encoded(picture)
    for hop in hops:
        size = max(1, round(width * hop.scale)), max(1, round(height * hop.scale))
        coded = _through(_sharpened(resized(coded.pixels, size, hop.filter), hop.sharpen), hop)
    if coded.pixels.shape != picture.shape:
        return Encoded(resized(coded.pixels, (width, height), hops[-1].filter))
    return coded


def _sharpened(picture: Srgb, amount: float) -> Srgb:
    if amount == 0:
        return picture
    soft = cv2.GaussianBlur(picture, (5, 5), SHARPEN_SIGMA_PX)
    return cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)


def _through(picture: Srgb, hop: Hop) -> Encoded:
    if not (hop.dx or hop.dy):
        return _coded(picture, hop)
    padded: Srgb = cv2.copyMakeBorder(picture, hop.dy, 0, hop.dx, 0, cv2.BORDER_REPLICATE)
    return Encoded(np.ascontiguousarray(_coded(padded, hop).pixels[hop.dy :, hop.dx :]))


def _coded(picture: Srgb, hop: Hop) -> Encoded:
    if hop.codec in STILL:
        return STILL[hop.codec](picture, hop.quality, hop.subsampling, hop.mode)
    return Encoded(video_codecs.frame(picture, hop.codec, hop.quality, hop.mode))
