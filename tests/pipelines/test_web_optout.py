"""Facts about `pipelines.web.optout`: headers by which authors say no."""

from __future__ import annotations

import pytest

from pipelines.web.optout import reserved

NO = [
    ("X-Robots-Tag", "noai"),
    ("x-robots-tag", "NoImageAI, nofollow"),
    ("X-Robots-Tag", "nofollow, noindex"),
    ("X-Robots-Tag", "none"),
    ("X-Robots-Tag", "patina: noai"),
    ("X-Robots-Tag", "*: noimageindex"),
    ("X-Robots-Tag", "max-snippet:5, noindex"),
    ("X-Robots-Tag", "noindex, max-image-preview:large"),
    ("X-Robots-Tag", "unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT, noai"),
    ("X-Robots-Tag", "googlebot: noindex, patina: noai"),
    ("TDM-Reservation", " 1 "),
    ("Content-Usage", "search=y, train-ai=n;x=1"),
]
YES = [
    ("X-Robots-Tag", "all"),
    ("X-Robots-Tag", "nofollow, noarchive"),
    ("X-Robots-Tag", "googlebot: noindex, nofollow"),
    ("X-Robots-Tag", "googlebot: noai, noindex"),
    ("X-Robots-Tag", "max-image-preview:none"),
    ("TDM-Reservation", "0"),
    ("Content-Usage", "train-ai=y"),
    ("X-Other", "noai"),
]


@pytest.mark.parametrize("header", NO, ids=lambda header: header[1])
def test_a_no_is_heard(header):
    """Every form of refusal is honoured, and told as it was said."""
    assert reserved([("Server", "x"), header]) == f"{header[0]}: {header[1]}"


@pytest.mark.parametrize("header", YES, ids=lambda header: header[1])
def test_what_is_no_refusal_is_none(header):
    """Directives for other robots, or about other things, do not concern us."""
    assert reserved([header]) is None
