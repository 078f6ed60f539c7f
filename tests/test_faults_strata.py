"""Mild and severe pairs are good pairs too: the default limits let them through, and the table by stratum counts those that they do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults import strata, table
from benchmarks.faults.pairs import MARGIN_PX, SIDE_PX, TASKS, Good
from filters.defaults import PAIRS
from filters.limits import EVERY
from pipelines.single import Beside, Opened, open_photo, try_one

SEVERE = ("haze", "moire", "rain")  # of long blur, dark photos and bright panes the limits still refuse some


@pytest.fixture(scope="module")
def opened(photos) -> dict[str, Opened]:
    """A launch with a sky at dusk, and a portrait to be mirrored in it."""
    return {name: open_photo(photos / name) for name in ("rocket.jpg", "astronaut.png")}


@pytest.mark.parametrize(("task", "stratum"), [*((task, 1) for task in TASKS), *((task, 5) for task in SEVERE)])
def test_a_good_pair_of_the_lowest_and_highest_stratum_breaks_no_limit(opened, task, stratum):
    """Nothing is wrong with a pair of which little is to be seen, nor with one that lost most."""
    tried = try_one(opened["rocket.jpg"], task, stratum, 0, beside=Beside(partner=opened["astronaut.png"]))
    wide = np.pad(tried.clean, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)))
    pair = Good("rocket", task, stratum, wide, tried.degraded.pixels, tried.clean)
    assert table.first_broken(table.Row("rocket", task, stratum, "", "", table.numbers(pair, pair.clean)), PAIRS) is None


@pytest.mark.parametrize("task", TASKS)
def test_nothing_done_is_still_found(opened, task):
    """A pair of one picture twice has the strength of no task."""
    photo = opened["rocket.jpg"].pixels
    pair = Good("rocket", task, 1, np.pad(photo, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0))), photo, photo)
    found = table.Row("rocket", task, 1, "", "", table.numbers(pair, pair.clean))
    assert table.first_broken(found, {"evidence.strength": PAIRS["evidence.strength"]}) == "evidence.strength"


def test_the_table_by_stratum_counts_what_broke():
    """Each size and stratum has its line, with the pairs of each task that broke a limit and those that there are."""
    limits = {"alignment.shift_px": {EVERY: (0.0, 1.0)}}
    rows = [table.Row("a", "haze", 1, "", "", {"alignment.shift_px": shift_px}, side_px) for shift_px, side_px in ((0.1, 448), (3.0, 448), (0.1, 1024))]
    told = strata.figures(rows, limits)
    assert told["448"]["1"]["tasks"]["haze"] == {"pairs": 2, "broke": 1}
    assert told["1024"]["1"]["tasks"]["haze"] == {"pairs": 1, "broke": 0}
    lines = strata.page(told).splitlines()
    assert [line.count(" of ") for line in lines if " px |" in line] == [2, 2]
    assert any("50 % of 2 | alignment.shift_px" in line for line in lines)


@pytest.mark.slow
def test_few_good_pairs_of_any_stratum_are_refused_on_photos_that_set_no_limit(data):
    """On the half of the photos that no limit was set on, of good pairs of strata 2 to 4 no more than a tenth is refused, and of 1 and 5 a quarter."""
    told = strata.figures(list(strata.measured(Path(data) / "clean", 1, 6, (SIDE_PX,))))[str(SIDE_PX)]
    for stratum, at in told.items():
        pairs, broke = (sum(one[key] for one in at["tasks"].values()) for key in ("pairs", "broke"))
        assert broke <= (0.25 if stratum in "15" else 0.1) * pairs, stratum
