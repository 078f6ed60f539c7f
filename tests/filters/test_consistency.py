"""Consistency: each number moves with the fault that it is for, and not with an honest degradation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from degrade.contract import Srgb
from degrade.errors import BadSample
from degrade.stream import stream
from filters.consistency import FILTER, ConsistencySettings, of_pair
from filters.contract import Pair, Photo


def pair(clean: Srgb, degraded: Srgb) -> Pair:
    return Pair("key", "noise", Photo("clean", clean), Photo("degraded", degraded))


def srgb(values) -> Srgb:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


@pytest.fixture(scope="module")
def noisy(astronaut) -> Srgb:
    return srgb(astronaut + stream(0, "test consistency", "noise").normal(0, 8, astronaut.shape))


@pytest.fixture(scope="module")
def good(astronaut, noisy) -> dict[str, float]:
    return of_pair(pair(astronaut, noisy))


def test_what_is_answered_is_what_is_declared(good):
    """A good pair gives every measure, as floats within their ranges."""
    measures = {measure.name: measure for measure in FILTER.measures}
    assert good.keys() == measures.keys()
    for name, value in good.items():
        assert isinstance(value, float)
        assert measures[name].range[0] <= value <= measures[name].range[1]


def test_a_leak_is_the_share_that_was_kept(astronaut, noisy):
    """A clean side with half of the noise in it leaks about as much as it lost."""
    half = srgb((astronaut.astype(np.float32) + noisy) / 2)
    assert 0.6 < of_pair(pair(half, noisy))["leak"] < 1.2


def test_no_leak_without_one(good):
    """Noise that is in one side alone does not agree with the other."""
    assert abs(good["leak"]) < 0.1


def test_another_white_balance_tints(astronaut, noisy, good):
    """Colours that another white balance scaled have gains of their own, and chroma moves."""
    warm = of_pair(pair(srgb(astronaut * np.array([1.12, 1.0, 0.88])), noisy))
    assert warm["tint"] > good["tint"] + 0.15
    assert warm["white"] > good["white"] + 4


def test_a_softer_clean_side_is_told(astronaut, noisy, good):
    """Detail that only the degraded side has lifts `fine`."""
    assert of_pair(pair(cv2.GaussianBlur(astronaut, (0, 0), 1.2), noisy))["fine"] > good["fine"] + 0.2


def test_a_patch_and_letters_are_found(astronaut, rocket, noisy, good):
    """A window painted anew is unlike, and letters do not arrive."""
    painted = astronaut.copy()
    painted[60:220, 150:310] = rocket[200:360, 200:360]
    assert of_pair(pair(painted, noisy))["likeness_wide"] < good["likeness_wide"] - 0.2
    lettered = cv2.putText(astronaut.copy(), "SAMPLE", (40, 300), cv2.FONT_HERSHEY_DUPLEX, 3.5, (255, 255, 255), 4, cv2.LINE_AA)
    assert of_pair(pair(lettered, noisy))["foreign"] > good["foreign"] + 1


def test_grey_and_even_photos_do_not_trip(astronaut):
    """A photo without colour, or without anything, gives finite numbers, or none."""
    grey = np.repeat(astronaut[..., :1], 3, axis=2)
    for side in (grey, np.full_like(astronaut, 128), np.zeros_like(astronaut)):
        assert np.isfinite(list(of_pair(pair(side, side)).values())).all()


def test_the_scorer_wants_pairs_of_some_size(astronaut, noisy, good):
    """A photo is a TypeError, a small pair a BadSample; the scorer gives what `of_pair` gives."""
    scorer = FILTER.open(ConsistencySettings(), None)
    with pytest.raises(TypeError):
        scorer.prepare(Photo("a", astronaut))
    with pytest.raises(BadSample):
        scorer.prepare(pair(astronaut[:100], noisy[:100]))
    assert scorer.score([scorer.prepare(pair(astronaut, noisy))])[0].numbers == good
