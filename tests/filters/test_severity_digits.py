"""From distributions over digits to severities: arithmetic that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.vlm.digits import read


def logs(*shares: float):
    """Log-probabilities of the five digits."""
    with np.errstate(divide="ignore"):
        return np.log(np.array(shares, np.float64))


def test_the_expected_level_of_a_split_answer():
    """60 % "2" and 40 % "3" is 2.4 with 0.971 bits, whatever else the model might have said."""
    for answered in (1.0, 0.5):
        told = read([answered_logs(answered)], [5])
        assert told.severity == pytest.approx(2.4)
        assert told.entropy == pytest.approx(0.9709506)
        assert (told.likeliest, told.answered) == (2.0, pytest.approx(answered))


def answered_logs(mass):
    return logs(0, 0.6 * mass, 0.4 * mass, 0, 0)


def test_a_scale_of_quality_is_turned():
    """Where 5 means none, 60 % "2" and 40 % "3" is 3.6."""
    assert read([logs(0, 0.6, 0.4, 0, 0)], [1]).severity == pytest.approx(3.6)


def test_wordings_are_averaged_after_each_is_normalised():
    """A wording that got few digits weighs as much as one that got many, and their disagreement is entropy."""
    told = read([logs(0.9, 0, 0, 0, 0), logs(0, 0, 0, 0, 0.1)], [5, 5])
    assert told.severity == pytest.approx(3.0)
    assert told.entropy == pytest.approx(1.0)
    assert told.answered == pytest.approx(0.5)


def test_no_digit_at_all_is_no_severity():
    """An answer without any digit has no level and is unsure; beside another wording it only lowers what was answered."""
    none = read([logs(0, 0, 0, 0, 0)], [5])
    assert (none.severity, none.likeliest, none.answered) == (None, None, 0.0)
    assert none.unsure(0.0, 3.0)
    half = read([logs(0, 0, 0, 0, 0), logs(0, 0, 0, 1, 0)], [5, 5])
    assert (half.severity, half.answered) == (4.0, 0.5)


def test_unsure_is_said_by_mass_or_by_entropy():
    """Either limit makes the model abstain; at the limit it does not."""
    sure = read([logs(0, 0.5, 0.5, 0, 0)], [5])
    assert not sure.unsure(1.0, 1.0)
    assert sure.unsure(0.0, 0.99)
    assert read([logs(0, 0.2, 0.2, 0, 0)], [5]).unsure(0.41, 2.0)


@given(st.lists(st.lists(st.floats(-40, 0), min_size=5, max_size=5), min_size=1, max_size=3), st.sampled_from([1, 5]))
def test_readings_keep_their_ranges(rows, worst):
    """Any log-probabilities give a level 1 to 5, entropy up to log2(5) bits, and the turned scale gives 6 minus the level."""
    rows = [np.array(row) - max(0.0, float(np.logaddexp.reduce(row))) for row in rows]
    told = read(rows, [worst] * len(rows))
    assert 1 - 1e-9 <= told.severity <= 5 + 1e-9
    assert 0 <= told.entropy <= np.log2(5) + 1e-9
    assert 0 <= told.answered <= 1
    assert read(rows, [6 - worst] * len(rows)).severity == pytest.approx(6 - told.severity)
