"""What the browser gets of all rows: columns, parameters, survival."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import orjson
import pytest

from manifests.commit import read_table
from manifests.page import columns, parameters
from manifests.page.run import json_bytes
from manifests.page.survival import survival


def unpacked(column, rows):
    """Return a packed column as a list; a value alone stands for all rows."""
    return column if isinstance(column, list) else [column] * rows


@pytest.fixture(scope="module")
def rows(finished):
    """The manifest, row by row."""
    return read_table(finished.manifest).to_pylist()


def test_the_columns_are_the_manifest(finished, rows):
    """Words and numbers come out of JSON as they went into the manifest, in its order."""
    found = orjson.loads(json_bytes(columns.packed(columns.light(finished.manifest))))
    assert found["pair_id"] == [row["pair_id"] for row in rows]
    for name in columns.WORDS:
        values, codes = found["words"][name]["values"], unpacked(found["words"][name]["codes"], len(rows))
        assert [values[code] if code >= 0 else None for code in codes] == [row[name] for row in rows]
    assert unpacked(found["numbers"]["severity"], len(rows)) == pytest.approx([row["severity"] for row in rows], rel=1e-6)
    assert unpacked(found["pictures"], len(rows)) == [int(row["clean_length"] is not None) for row in rows]


def test_chosen_rows_come_in_the_order_asked_for(finished, rows):
    """A sample is a few rows of the whole."""
    found = columns.packed(columns.light(finished.manifest), np.array([3, 1]))
    assert found["pair_id"] == [rows[3]["pair_id"], rows[1]["pair_id"]]


def test_every_drawn_parameter_becomes_a_column(finished, rows):
    """A task's numbers are those of its steps, row for row; seeds stay away."""
    found = parameters.drawn(finished.manifest, "haze")
    steps = {at: json.loads(row["steps"]) for at, row in enumerate(rows) if row["task"] == "haze"}
    assert list(found["rows"]) == list(steps)
    drawn = [next(step for step in made if step["generator"] == "haze")["params"]["visibility_m"] for made in steps.values()]
    assert found["numbers"]["visibility_m"] == pytest.approx(drawn, rel=1e-6)
    assert not [name for name in found["numbers"] if "seed" in name]


def test_words_among_the_parameters_are_words(finished):
    """Codecs are names, not numbers."""
    assert set(parameters.drawn(finished.manifest, "compression")["words"]["hops[0].codec"]) - {None}


def test_survival_ends_at_what_is_kept(finished, rows):
    """The table walks from all rows to the kept ones, and a limit says what it would take alone."""
    falls = survival(read_table(finished.manifest), {"psnr_db": {"default": (25.0, 100.0)}})
    verdicts = Counter(row["verdict"] for row in rows)
    assert sum(fall.took for fall in falls) == verdicts["reject"]
    assert falls[-1].left == verdicts["keep"]
    below = sum(1 for row in rows if dict(row["scores"] or []).get("psnr_db", 99.0) < 25.0)
    assert {fall.why: fall.alone for fall in falls}["below_limit: psnr_db"] == below > 0
