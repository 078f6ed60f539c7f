"""One pair in words: titles, units, provenance."""

from __future__ import annotations

import pytest

from manifests.commit import read_table
from manifests.page.row import Parameter, lines, story, title_of, unit_of


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("visibility_m", "visibility", "m"),
        ("rain_mm_h", "rain", "mm/h"),
        ("shutter.wind_m_s", "shutter / wind", "m/s"),
        ("camera.look.matrix_mix", "camera / look / matrix mix", ""),
        ("iso", "iso", "ISO"),
        ("lamp_share", "lamp share", "share"),
        ("hops[0].quality", "hops[0] / quality", ""),
        ("passes[1].kernel.sigma_px", "passes[1] / kernel / sigma", "px"),
    ],
)
def test_a_name_tells_its_unit(name, title, unit):
    """The unit stands beside the value and not in the title."""
    assert (title_of(name), unit_of(name, {}).unit) == (title, unit)


def test_what_a_generator_says_comes_first():
    """Ranges know units and meanings that a name does not."""
    known = {"metering": Parameter("0..1", "how far the camera follows")}
    assert unit_of("glass.metering", known) == known["metering"]


def test_short_tuples_stand_in_one_line():
    """Three channels are one line; the parts of a chain are many."""
    params = {"tint": [0.1, 0.2], "hops": [{"quality": 3}, {"quality": 4}], "none": None}
    assert list(lines(params)) == [("tint", [0.1, 0.2]), ("hops[0].quality", 3), ("hops[1].quality", 4)]


def test_every_row_can_be_told(finished):
    """Kept and refused rows alike have a story, with what came with the photo in it."""
    for row in read_table(finished.manifest).to_pylist():
        told = story({**row, "extra": [("licence", "CC0")]}, {})
        assert [step["generator"] for step in told["steps"]]
        assert ("licence", "CC0") in told["provenance"]
        assert len(told["files"]) == (2 if row["clean_sha256"] else 0)
