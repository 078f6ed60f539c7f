"""RealIR-Bench's formulas and its table, on numbers alone."""

from __future__ import annotations

import pytest

from degrade.errors import RunError
from filters.realir import Judged, Line, final_score, restoration_score, table


def test_the_final_score_is_the_published_formula():
    """FS = 0.2 (1 - LPIPS) RS: 0.8 for the best there is, less in proportion to what was changed, and nothing for harm."""
    assert final_score(4.0, 0.0) == pytest.approx(0.8)
    assert final_score(2.0, 0.25) == pytest.approx(0.3)
    assert final_score(restoration_score(-1.0), 0.1) == 0


def test_a_task_is_the_mean_over_its_pictures_and_the_average_over_tasks():
    """FS is averaged over pictures, not computed from means, and a task of one picture weighs as much as one of two."""
    one, two, average = table([Judged("a", "rain", 2.0, 0.5), Judged("b", "rain", 4.0, 0.0), Judged("c", "haze", 1.0, 0.0)])
    assert (one.task, one.pictures, one.rs, one.lpips) == ("rain", 2, 3.0, 0.25)
    assert one.fs == pytest.approx((0.2 + 0.8) / 2)
    assert two.fs == pytest.approx(0.2)
    assert (average.task, average.pictures) == ("average", 3)
    assert average.fs == pytest.approx((0.5 + 0.2) / 2)
    assert average.rs == pytest.approx(2.0)


def test_harm_is_told_though_it_counts_as_nothing():
    """A picture that got worse by 2 levels leaves RS at 0 for itself, and shows in `drop` and `worse_frac`."""
    line = table([Judged("a", "rain", 2.0, 0.0), Judged("b", "rain", -2.0, 0.0)])[0]
    assert (line.rs, line.drop, line.worse_frac) == (1.0, 0.0, 0.5)


def test_undecided_pictures_are_in_no_mean():
    """A picture without a severity has neither RS nor FS, moves no mean, LPIPS included, and is counted."""
    undecided = Judged("b", "rain", None, 0.9)
    assert (undecided.rs, undecided.fs) == (None, None)
    line = table([Judged("a", "rain", 1.0, 0.1), undecided])[0]
    assert (line.pictures, line.left_out, line.rs, line.lpips) == (1, 1, 1.0, 0.1)


def test_a_table_of_nothing_is_refused():
    """No pictures, or none on which anything was decided, is an error."""
    with pytest.raises(RunError, match="no picture"):
        table([])
    with pytest.raises(RunError, match="the model committed itself on none of 1"):
        table([Judged("b", "haze", None, 0.1)])


def test_a_task_that_nothing_is_known_of_has_a_line_and_no_part_in_the_average():
    """What was judged of the other tasks is not lost."""
    rain, haze, average = table([Judged("a", "rain", 1.0, 0.1), Judged("b", "haze", None, 0.1)])
    assert haze == Line("haze", 0, 1)
    assert (average.rs, average.pictures, average.left_out) == (rain.rs, 1, 1)
