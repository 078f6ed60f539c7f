"""The order of second-order degradation: blur, resize, noise and JPEG, twice; then the small picture, its ringing, the last JPEG.

Every step works on 8-bit codes, as the programs on the way do. Which of two comes last, saving or resizing, decides whether
blocks lie on the picture's own grid. What comes out small is grown back to the size of the clean side at the very end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from degrade.coding.codecs import jpeg
from degrade.coding.resampling import resized
from degrade.contract import Encoded, Srgb
from degrade.upload.kernels import Blur, Ringing, filtered
from degrade.upload.speckle import Speckle, speckled

SUBSAMPLING: Final = "4:2:0"


class Pass(NamedTuple):
    """One passage through somebody's programs."""

    kernel: Blur | None
    ringing: Ringing | None  # instead of a blur
    scale: float  # long side after it, relative to the clean side
    resampling: str  # how it was resized: a key of `resampling.SHRINK`
    speckle: Speckle | None
    quality: int  # of its JPEG


class Finish(NamedTuple):
    """What is done last. The last pass's own JPEG is saved before or after it."""

    scale: float  # long side of the picture that is handed on; 1 keeps the size of the clean side
    resampling: str  # how it gets there
    ringing: Ringing | None
    saved_last: bool  # the JPEG of the last pass comes after this, on the picture's own grid
    grow: str  # how a small picture is brought back to the clean side's size


def run(picture: Srgb, passes: Sequence[Pass], finish: Finish) -> Encoded:
    """Return a picture after its passes, in its own size, and the JPEG file where that is what one sees.

    Args:
        picture: HxWx3 uint8 RGB; left untouched.
        passes: first one first.
        finish: what is done last.
    """
    full = picture.shape[1], picture.shape[0]
    for one in passes[:-1]:
        picture = _saved(_passed(picture, one, full), one.quality).pixels
    last = passes[-1]
    picture = _passed(picture, last, full)
    if finish.saved_last:
        made = _saved(_finished(picture, finish, full), last.quality)
    else:
        made = Encoded(_finished(_saved(picture, last.quality).pixels, finish, full))
    if finish.scale == 1.0:
        return made
    return Encoded(resized(made.pixels, full, finish.grow))


def size_at(full: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return (width, height) at a scale, no side below 8 px: a JPEG block."""
    return max(8, round(full[0] * scale)), max(8, round(full[1] * scale))


def _passed(picture: Srgb, one: Pass, full: tuple[int, int]) -> Srgb:
    for kernel in (one.kernel, one.ringing):
        if kernel is not None:
            picture = filtered(picture, kernel)
    picture = resized(picture, size_at(full, one.scale), one.resampling)
    return picture if one.speckle is None else speckled(picture, one.speckle)


def _finished(picture: Srgb, finish: Finish, full: tuple[int, int]) -> Srgb:
    picture = resized(picture, size_at(full, finish.scale), finish.resampling)
    return picture if finish.ringing is None else filtered(picture, finish.ringing)


def _saved(picture: Srgb, quality: int) -> Encoded:
    return jpeg(picture, quality, SUBSAMPLING, "baseline")
