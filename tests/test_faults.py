"""Faults put into good pairs: each does what it says, and the default limits find most of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.faults import table
from benchmarks.faults.inject import FAULTS, STRENGTHS
from benchmarks.faults.pairs import MARGIN_PX, SIDE_PX, TASKS, Good, inner
from degrade.stream import stream
from filters import FILTERS
from filters.defaults import PAIRS
from filters.limits import EVERY


def portrait(photo: np.ndarray, other: np.ndarray) -> Good:
    """A portrait under noise."""
    side = photo.shape[0] - 2 * MARGIN_PX
    grain = stream(0, "test faults", "noise").normal(0, 8, (side, side, 3))
    degraded = np.clip(np.rint(inner(photo) + grain), 0, 255).astype(np.uint8)
    return Good("astronaut", "noise", 3, photo, degraded, cv2.resize(other, (side, side), interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="module")
def pair(astronaut, rocket) -> Good:
    """As large as the benchmark's."""
    return portrait(astronaut, rocket)


@pytest.fixture(scope="module")
def small(astronaut, rocket) -> Good:
    """The same, smaller."""
    return portrait(cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA), rocket)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_grows_with_its_dose(kind, small):
    """Every way of every fault gives a picture of the same size, the same one again, and moves it further the stronger it is."""
    fault = FAULTS[kind]
    before = small.clean.copy()
    for turn in range(len(fault.ways)):
        sides = [fault.put(small, dose, turn, stream(1, "test faults", kind)) for dose in (fault.doses[0], fault.doses[-1])]
        assert all(side.shape == before.shape and side.dtype == np.uint8 for side in sides)
        assert np.array_equal(sides[0], fault.put(small, fault.doses[0], turn, stream(1, "test faults", kind)))
        moved = [float(((side.astype(np.float32) - before) ** 2).mean()) for side in sides]
        assert 0 < moved[0] < moved[1]
    assert np.array_equal(small.clean, before)


def test_a_pair_is_the_middle_of_what_was_rendered(pair):
    """The margin is left off evenly."""
    assert pair.clean.shape == (SIDE_PX, SIDE_PX, 3)
    assert np.array_equal(pair.clean[0, 0], pair.wide_clean[MARGIN_PX, MARGIN_PX])


def test_default_limits_name_what_filters_measure():
    """Every default limit is on a measure of the table of filters, and for tasks that exist."""
    known = {f"{listed.name}.{measure.name}" for listed in FILTERS for measure in listed.measures}
    known |= {f"consistency.{measure.name}" for measure in table.consistency.FILTER.measures}
    assert PAIRS.keys() <= known
    for limit in PAIRS.values():
        assert limit.keys() <= {*TASKS, EVERY}
        assert all(low <= high for low, high in limit.values())


def test_the_default_limits_keep_a_good_pair_and_refuse_strong_faults(pair):
    """On a noisy portrait five kinds of strong faults are found, and none where there is none."""
    good = table.Row("", pair.task, 3, "", "", table.numbers(pair, pair.clean))
    assert table.first_broken(good, PAIRS) is None
    for kind in ("shift", "repainted", "colour", "lettered", "recoded"):
        fault = FAULTS[kind]
        found = table.numbers(pair, fault.put(pair, fault.doses[-1], 0, stream(2, "test faults", kind)))
        assert table.first_broken(table.Row("", pair.task, 3, kind, "strong", found), PAIRS), kind


def test_the_table_counts_what_broke():
    """Shares are of the pairs that have the fault, and the limit that a pair breaks first stands for it."""
    limits = {"alignment.shift_px": {EVERY: (0.0, 1.0)}, "evidence.strength": {"noise": (1.0, 9.0)}}
    rows = [
        table.Row("a", "noise", 2, "", "", {"alignment.shift_px": 0.1, "evidence.strength": 0.5}),
        table.Row("a", "haze", 2, "", "", {"alignment.shift_px": 0.1, "evidence.strength": 0.5}),
        table.Row("a", "haze", 2, "shift", STRENGTHS[2], {"alignment.shift_px": 6.0}),
        table.Row("a", "noise", 2, "shift", STRENGTHS[2], {"evidence.strength": 2.0}),
    ]
    told = table.figures(rows, limits)
    assert told["false_alarms"]["all"] == {"pairs": 2, "broke": 1}
    assert told["false_alarms"]["haze"] == {"pairs": 1, "broke": 0}
    assert told["caught"]["shift"]["strong"] == {"pairs": 2, "broke": 1}
    assert told["caught_by_limit"]["shift"] == {"alignment.shift_px": 1}
    assert "shift" in table.markdown(told)


@pytest.mark.slow
def test_most_faults_are_found_on_photos_that_set_no_limit(data):
    """On the half of the photos that no limit was set on, nine in ten strong faults and seven in ten medium ones are found."""
    told = table.figures(list(table.measured(Path(data) / "clean", 1, 6, 2)))
    strong, medium = (told["overall"][one]["broke"] / told["overall"][one]["pairs"] for one in ("strong", "medium"))
    assert strong >= 0.9
    assert medium >= 0.7
    alarms = told["false_alarms"]["all"]
    assert alarms["broke"] <= 0.12 * alarms["pairs"]
