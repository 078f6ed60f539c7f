"""The paths that a picture takes to a screen: models of such paths, not measurements of any service.

A path is a number of hops and what each may do: an inner hop (somebody's server or phone on the way), and the last
one, which leaves the file that is found. Chances and weights are ours: most of what is found has been a JPEG once or
twice, and yet every codec meets every other. Published chains draw one or two hops only (Real-ESRGAN: JPEG twice;
APISR: one of seven codecs).
"""

from __future__ import annotations

from typing import Final, NamedTuple

STILL: Final = {"jpeg": 0.90, "webp": 0.07, "avif": 0.03}
VIDEO: Final = {"h264": 0.52, "h265": 0.14, "mpeg4": 0.18, "mpeg2": 0.16}


class Role(NamedTuple):
    """What a hop of a path may do."""

    codecs: dict[str, float]  # weights
    resizes: float  # chance that it changes the size
    sharpens: float  # chance that it sharpens before coding
    crops: float  # chance that its block grid starts elsewhere


class Path(NamedTuple):
    """A way of pictures to a screen."""

    about: str
    hops: tuple[int, int]  # fewest and most
    inner: Role
    last: Role


PATHS: Final = {
    "export": Path(
        "saved once, too small: a camera's or an editor's quality slider",
        (1, 1),
        inner=Role(STILL, 0.0, 0.0, 0.0),
        last=Role(STILL, 0.0, 0.1, 0.0),
    ),
    "messenger": Path(
        "sent through a chat: shrunk and re-coded on the way, saved by the receiver at the old size",
        (2, 2),
        inner=Role({"jpeg": 0.94, "webp": 0.06}, 0.8, 0.3, 0.1),
        last=Role({"jpeg": 0.96, "webp": 0.04}, 0.0, 0.1, 0.0),
    ),
    "feed": Path(
        "uploaded, shrunk, sharpened and served in a newer format, then posted again",
        (2, 4),
        inner=Role({"jpeg": 0.70, "webp": 0.24, "avif": 0.06}, 0.6, 0.6, 0.3),
        last=Role({"jpeg": 0.86, "webp": 0.10, "avif": 0.04}, 0.0, 0.2, 0.0),
    ),
    "screenshot": Path(
        "photographed off a page by pressing a key: scaled to the window, its block grid anywhere, saved anew",
        (2, 3),
        inner=Role({"jpeg": 0.75, "webp": 0.20, "avif": 0.05}, 0.5, 0.2, 1.0),
        last=Role({"jpeg": 0.92, "webp": 0.08}, 0.0, 0.0, 0.0),
    ),
    "video": Path(
        "a key frame of a clip, stored without further loss",
        (1, 2),
        inner=Role({"jpeg": 1.0}, 0.2, 0.1, 0.3),
        last=Role(VIDEO, 0.4, 0.1, 0.0),
    ),
    "clip": Path(
        "a key frame of a clip, scaled to the screen, grabbed and saved as a photo",
        (2, 3),
        inner=Role(VIDEO, 0.6, 0.2, 0.5),
        last=Role({"jpeg": 0.92, "webp": 0.08}, 0.0, 0.1, 0.0),
    ),
    "archive": Path(
        "opened, cropped and saved again and again over the years",
        (3, 5),
        inner=Role({"jpeg": 1.0}, 0.15, 0.1, 0.6),
        last=Role({"jpeg": 1.0}, 0.0, 0.0, 0.0),
    ),
}
