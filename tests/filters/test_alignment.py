"""The scorer of alignment: every number is declared, and the decision says what is wrong in words."""

from __future__ import annotations

import numpy as np
import pytest
from displaced import displaced, still

from degrade.errors import Reason
from filters import alignment
from filters.contract import Pair, Photo
from filters.limits import EVERY
from filters.registration.similarity import Similarity


def pair(clean, degraded, key="a"):
    return Pair(key, "noise", Photo(key, clean), Photo(key, degraded))


@pytest.fixture(scope="module")
def scorer():
    return alignment.FILTER.open(alignment.AlignmentSettings(), None)


@pytest.fixture(scope="module")
def shifted(scorer, astronaut):
    """The numbers of a pair that is 2 px apart."""
    return scorer.prepare(pair(displaced(astronaut, Similarity(2, 0)), still(astronaut)))


def test_every_number_is_declared_and_in_range(scorer, shifted, astronaut, rocket):
    """What the scorer gives is what its table says, for pairs that lie, that do not, and that cannot be told."""
    ranges = {measure.name: measure.range for measure in alignment.FILTER.measures}
    other = scorer.prepare(pair(astronaut[:400, :400], rocket[:400, :400]))
    for numbers in (shifted, other, scorer.prepare(pair(astronaut, astronaut[:400]))):
        assert all(ranges[name][0] <= number <= ranges[name][1] for name, number in numbers.items())
    assert shifted.keys() == ranges.keys()
    assert other == {"same_size": 1.0, "aspect_ratio": 1.0, "matched": 0.0}


def test_results_do_not_depend_on_the_batch(scorer, astronaut, rocket):
    """A pair has the same numbers alone, first and last."""
    prepared = [scorer.prepare(pair(displaced(photo, Similarity(1, 1)), still(photo))) for photo in (astronaut, rocket)]
    together, turned = scorer.score(prepared), scorer.score(prepared[::-1])
    assert [one.numbers for one in together] == [one.numbers for one in turned[::-1]]
    assert scorer.score(prepared[:1])[0].numbers == together[0].numbers


def test_sides_of_two_sizes_are_said_to_be_that(scorer, rocket):
    """Of two sizes nothing else is measured than by how much their aspects differ."""
    numbers = scorer.prepare(pair(rocket[:, :427], rocket))
    assert numbers == {"same_size": 0.0, "aspect_ratio": pytest.approx(427 / 640)}
    assert alignment.decide(numbers).detail.startswith("same_size 0")


def test_a_photo_alone_is_a_mistake(scorer, rocket):
    """A single photo lies on nothing."""
    with pytest.raises(TypeError, match="pair"):
        scorer.prepare(Photo("a", rocket))


def test_the_decision_names_the_limit_that_broke(shifted):
    """Two pixels are too many by default, and allowed where the limit says so."""
    refused = alignment.decide(shifted)
    assert (refused.keep, refused.reason) == (False, Reason.ABOVE_LIMIT)
    assert refused.detail.startswith("shift_px 2")
    assert alignment.decide(shifted, {"shift_px": {EVERY: (0.0, 3.0)}}).keep


def test_blur_may_lie_where_it_likes_a_little_more(shifted):
    """Limits belong to tasks: a long exposure has no one place."""
    numbers = {**shifted, "shift_px": 1.6}
    assert not alignment.decide(numbers, task="haze").keep
    assert alignment.decide(numbers, task="blur").keep


def test_what_cannot_be_told_is_refused_in_words():
    """A pair in which nothing can be matched is refused, and told so."""
    verdict = alignment.decide({"same_size": 1.0, "aspect_ratio": 1.0, "matched": 0.0})
    assert (verdict.keep, verdict.reason) == (False, Reason.BELOW_LIMIT)
    assert alignment.UNTOLD in verdict.detail


def test_the_map_is_read_back_from_the_numbers(shifted):
    """Stored numbers are enough to undo a misalignment."""
    found = alignment.found(shifted)
    assert found is not None
    np.testing.assert_allclose(found, Similarity(2, 0), atol=0.02)
    assert alignment.found({"matched": 0.0}) is None
