"""Files that others wrote to candidates: whatever they are, a picture comes out, or the reason why there is none."""

from __future__ import annotations

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from pipelines.photos import decode

RULES = decode.DecodeRules(formats=("jpeg", "png", "webp"))


def picture(data: bytes, by: str) -> Srgb | BadSample:
    """Return the picture in a file that a maker gave, HxWx3 uint8; or a refusal, where it is broken, cut or see-through.

    Args:
        data: the file: PNG, JPEG or WebP.
        by: what wrote it, for the message.
    """
    try:
        return decode.decode(data, RULES).pixels
    except BadSample as bad:
        return BadSample(Reason.NO_CANDIDATE, f"what {by} gave cannot be used: {bad}")
