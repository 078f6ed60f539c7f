"""Evidence as a scorer: what it answers for pairs and photos, in any order, from any thread, for any pixels."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters.contract import Item, Pair, Photo
from filters.evidence import FILTER, OPERATORS, EvidenceSettings

NAMES = {measure.name: measure for measure in FILTER.measures}


def pair(clean: Srgb, degraded: Srgb, task: str) -> Pair:
    return Pair("key", task, Photo("clean", clean), Photo("degraded", degraded))


@pytest.fixture(scope="module")
def items(astronaut, rocket) -> list[Item]:
    """A pair for every task, one of the web tail, and two photos."""
    small = cv2.resize(astronaut, (192, 256), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 1.2)
    return [*(pair(small, soft, task) for task in (*OPERATORS, "web")), Photo("a", small), Photo("b", rocket[:128, :128])]


@pytest.fixture(scope="module")
def alone(items) -> list[dict[str, float]]:
    """The numbers of each item, prepared and scored by itself."""
    return [numbers([item])[0] for item in items]


def numbers(items: list[Item], *, all_tasks: bool = False) -> list[dict[str, float]]:
    scorer = FILTER.open(EvidenceSettings(all_tasks=all_tasks), None)
    return [dict(scores.numbers) for scores in scorer.score([scorer.prepare(item) for item in items])]


def test_what_is_answered_is_what_is_declared(items, alone):
    """Every number has a measure and lies in its range, and every measure is given by some item."""
    found = [*alone, *numbers(items[:1], all_tasks=True)]
    assert set().union(*found) == NAMES.keys()
    for name, value in itertools.chain.from_iterable(one.items() for one in found):
        assert isinstance(value, float)
        assert NAMES[name].range[0] <= value <= NAMES[name].range[1]


def test_a_pair_is_asked_about_its_own_task(items, alone):
    """Without `all_tasks` a pair has three numbers; with it, the strength of every task, its own among them."""
    everything = numbers(items[:1], all_tasks=True)[0]
    assert everything["strength"] == everything[f"strength.{items[0].task}"]
    for item, found in zip(items[:9], alone[:9], strict=True):
        assert found.keys() == {"strength", "explained", "hue_deg"}
        assert found["strength"] == everything[f"strength.{item.task}"]


def test_a_task_without_an_operator_is_still_explained(alone):
    """The web tail has no strength, but content that arrives or does not."""
    assert alone[len(OPERATORS)].keys() == {"explained", "hue_deg"}


def test_order_company_and_threads_are_irrelevant(items, alone):
    """The same item gives the same numbers to the last bit: alone, in a reversed batch, prepared by four threads at once."""
    scorer = FILTER.open(EvidenceSettings(), None)
    with ThreadPoolExecutor(4) as threads:
        prepared = list(threads.map(scorer.prepare, items[::-1]))
    assert [scores.numbers for scores in scorer.score(prepared)][::-1] == alone


def test_inputs_stay_untouched(astronaut):
    """Preparing reads pixels and writes none."""
    clean, degraded = astronaut[:128, :128].copy(), astronaut[1:129, :128].copy()
    clean.flags.writeable = degraded.flags.writeable = False
    numbers([pair(clean, degraded, "haze"), Photo("photo", clean)], all_tasks=True)
    assert np.array_equal(clean, astronaut[:128, :128])
    assert np.array_equal(degraded, astronaut[1:129, :128])


@pytest.mark.parametrize("shape", [(64, 64), (65, 131)])
def test_any_pixels_give_finite_numbers_in_range(shape):
    """Black, one dot, half black and half white, noise: every combination of sides has an answer."""
    rng = np.random.default_rng(0)
    black = np.zeros((*shape, 3), np.uint8)
    dot, half = black.copy(), black.copy()
    dot[shape[0] // 2, shape[1] // 2] = 255
    half[: shape[0] // 2] = 255
    pictures = (black, dot, half, rng.integers(0, 256, (*shape, 3), np.uint8))
    pairs = [pair(clean, degraded, "haze") for clean, degraded in itertools.product(pictures, pictures)]
    for found in [*numbers(pairs, all_tasks=True), *numbers([Photo("photo", picture) for picture in pictures])]:
        assert all(math.isfinite(value) for value in found.values())
        assert all(NAMES[name].range[0] <= value <= NAMES[name].range[1] for name, value in found.items())


def test_a_tiny_pair_is_a_bad_sample(astronaut):
    """Below 64 px there are too few tiles to compare."""
    with pytest.raises(BadSample, match="63 px") as refused:
        numbers([pair(astronaut[:63], astronaut[:63], "haze")])
    assert refused.value.reason is Reason.TOO_SMALL


def test_an_unknown_setting_is_refused_by_name():
    """A slip in a recipe is answered with the nearest key."""
    with pytest.raises(ValidationError, match="all_tasks"):
        EvidenceSettings(all_task=True)  # type: ignore[call-arg]
