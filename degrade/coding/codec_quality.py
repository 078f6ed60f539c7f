"""One scale for seven codecs and for resizing: the JPEG quality that costs a photo as much PSNR.

Measured by `benchmarks/calibrate_codecs.py` on 32 photos (streets, interiors, landscapes, night, text), shrunk to 1,024
px, central 512x512: for each setting the median over photos of the JPEG 4:2:0 quality (libjpeg's) of equal PSNR over
RGB. Half of the photos lie within about +-4 of it. Equal PSNR is not equal looks: newer codecs melt detail where
JPEG shows blocks. WebP method 1, AVIF speed 9, x264 superfast, x265 ultrafast with blocks of 16 px.

Shrinking and growing back was measured the same way, for each pair of filters. What counts is how many of the two are
soft (area and linear; a linear round trip costs as much as JPEG 72 even at 98 % of the size), less so which; the spread
between photos is wider here, since smooth ones lose nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Final, NamedTuple


class Scale(NamedTuple):
    """A codec's own quality scale beside JPEG's, as knots to interpolate between, harshest first."""

    step: float  # distance of two settings that we tell apart
    settings: tuple[float, ...]  # the codec's own numbers, rising or falling
    equal: tuple[float, ...]  # JPEG quality, rising
    largest_px: int  # longest side that the format can hold, less 7 for a shifted grid

    @property
    def rising(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The knots with the settings rising: settings, JPEG qualities."""
        return (self.settings, self.equal) if self.settings[0] < self.settings[-1] else (self.settings[::-1], self.equal[::-1])


SCALES: Final = {
    "jpeg": Scale(1.0, (1, 100), (1, 100), 65_492),
    "webp": Scale(
        1.0,
        (0, 5, 10, 20, 35, 50, 65, 75, 85, 95, 100),
        (7.5, 15.5, 20.2, 31.1, 49.7, 64.7, 74.2, 78.8, 89.7, 95.8, 97.5),
        16_376,
    ),
    "avif": Scale(
        1.0,
        (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100),
        (7.4, 9.1, 12.8, 20.1, 32.2, 59.8, 76.6, 86.5, 91.6, 94.9, 98.9),
        65_528,
    ),
    "h264": Scale(0.5, (51, 45, 40, 35, 30, 25, 20, 15, 10), (5.1, 7.5, 13.2, 29.1, 63.9, 83.7, 92.1, 95.7, 97.5), 16_376),
    "h265": Scale(0.5, (51, 45, 40, 35, 30, 25, 20, 15, 10), (5.6, 10.5, 20.1, 42.1, 74.3, 88.2, 93.7, 96.5, 97.9), 8_184),
    "mpeg4": Scale(1.0, (31, 25, 20, 15, 11, 8, 6, 4, 3, 2), (9.0, 11.3, 14.6, 21.7, 33.2, 53.3, 69.3, 83.5, 88.4, 92.7), 8_183),
    "mpeg2": Scale(1.0, (31, 25, 20, 15, 11, 8, 6, 4, 3, 2), (11.1, 14.0, 17.5, 24.3, 35.0, 53.0, 67.8, 80.3, 85.6, 90.6), 4_087),
}
RESIZED: Final = (0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)  # of the clean side
RESIZED_EQUAL: Final = (  # by the number of soft filters
    (9.0, 23.0, 39.0, 66.0, 84.0, 92.0, 96.0),
    (11.0, 24.0, 37.0, 57.0, 72.0, 81.0, 87.0),
    (11.5, 19.0, 26.0, 36.5, 50.0, 63.5, 72.0),
)


def resize_equal(scale: float, soft: int) -> float:
    """Return the JPEG quality that hurts as much as shrinking to `scale` and growing back with 0, 1 or 2 soft filters."""
    return _interpolate(scale, RESIZED, RESIZED_EQUAL[min(soft, 2)])


def scale_for(quality: float, soft: int) -> float | None:
    """Return the smallest scale that hurts no more than a JPEG quality; None if any resizing hurts more."""
    equal = RESIZED_EQUAL[min(soft, 2)]
    return _interpolate(quality, equal, RESIZED) if quality < equal[-1] else None


def jpeg_equal(codec: str, setting: float) -> float:
    """Return the JPEG quality (1-100) that hurts as much as a codec's own setting; ends are held."""
    return setting if codec == "jpeg" else _interpolate(setting, *SCALES[codec].rising)


def setting_for(codec: str, quality: float, low: float, high: float) -> float:
    """Return the codec's setting that comes nearest to a JPEG quality.

    Args:
        codec: a key of `SCALES`.
        quality: JPEG quality, 1-100.
        low: the setting must not hurt more than this JPEG quality...
        high: ...nor less than this one; where the codec's steps jump over such a band, the nearest setting is taken.
    """
    scale = SCALES[codec]
    first = _interpolate(low, scale.equal, scale.settings) / scale.step
    last = _interpolate(high, scale.equal, scale.settings) / scale.step
    least, most = (math.ceil(first), math.floor(last)) if first <= last else (math.ceil(last), math.floor(first))
    nearest = round(_interpolate(quality, scale.equal, scale.settings) / scale.step)
    return (min(max(nearest, least), most) if least <= most else nearest) * scale.step


def reaches(codec: str, low: float, high: float) -> bool:
    """Answer whether a codec can hurt as much as some JPEG quality in [low, high]."""
    equal = SCALES[codec].equal
    return equal[0] <= high and equal[-1] >= low


def _interpolate(value: float, rising: tuple[float, ...] | list[float], onto: tuple[float, ...]) -> float:
    """Interpolate between knots; numpy's is twenty times slower for a single number."""
    if value <= rising[0]:
        return float(onto[0])
    if value >= rising[-1]:
        return float(onto[-1])
    above = bisect_right(rising, value)
    left, right = rising[above - 1], rising[above]
    return onto[above - 1] + (onto[above] - onto[above - 1]) * (value - left) / (right - left)
