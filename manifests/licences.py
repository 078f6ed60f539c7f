"""What a photo's list says of its licence; what says nothing is called unknown, in rows, exports and cards alike."""

from __future__ import annotations

from collections.abc import Mapping

KEYS = ("licence", "license")
UNKNOWN = "unknown"
_NOTHING = frozenset({"", UNKNOWN, "none", "null", "nan", "n/a", "?", "-"})  # what lists write where they know nothing


def of(extra: Mapping[str, str]) -> str:
    """Return the licence that came with a photo, or `unknown`.

    Args:
        extra: the other columns of its list; the names of `KEYS` in any case.
    """
    found = {key.strip().lower(): value.strip() for key, value in extra.items()}
    return next((found[key] for key in KEYS if found.get(key, "").lower() not in _NOTHING), UNKNOWN)


def named(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of a list with its licence under one name, `licence`, whatever the list calls it."""
    others = {key: value for key, value in extra.items() if key.strip().lower() not in KEYS}
    return {**others, "licence": of(extra)}
