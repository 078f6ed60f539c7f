"""Headers by which an author says no: `X-Robots-Tag`, `TDM-Reservation` and `Content-Usage`.

    X-Robots-Tag: noai, noimageai     also noindex, noimageindex, none; `name: directives` speaks to one robot
    TDM-Reservation: 1                the TDM Reservation Protocol of the W3C's community group
    Content-Usage: train-ai=n         the IETF's AI Preferences, draft-ietf-aipref-attach

The directives are those of img2dataset. It splits a header at its first colon, by which `noindex, max-snippet:5` is taken for a
robot of that name; here a colon that belongs to a directive is known as such.
"""

from __future__ import annotations

from collections.abc import Iterable

ROBOT = "patina"  # the name by which a site may speak to us alone
REFUSING = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


def reserved(headers: Iterable[tuple[str, str]]) -> str | None:
    """Return the header that reserves a photo, as `name: value`, or None.

    Args:
        headers: of an answer, in its order, names in any case.
    """
    for name, value in headers:
        asked = _ASKED.get(name.lower())
        if asked is not None and asked(value):
            return f"{name}: {value}"
    return None


def _robots(value: str) -> bool:
    """Tell whether a header that may speak to one robot refuses us."""
    to_us = True
    for piece in value.lower().split(","):
        name, colon, rest = piece.partition(":")
        if colon and (name.strip() in VALUED or " " in name.strip()):  # a directive with a value, or the hour of a date
            continue
        if colon:
            to_us = name.strip() in {ROBOT, "*"}
        if to_us and (rest if colon else name).strip() in REFUSING:
            return True
    return False


def _reservation(value: str) -> bool:
    return value.strip() == "1"


def _usage(value: str) -> bool:
    """Tell whether a structured dictionary holds `train-ai=n`; parameters after a semicolon do not matter."""
    pieces = (piece.partition(";")[0].strip().lower() for piece in value.split(","))
    return "train-ai=n" in pieces


_ASKED = {"x-robots-tag": _robots, "tdm-reservation": _reservation, "content-usage": _usage}
