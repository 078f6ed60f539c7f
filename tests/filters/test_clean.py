"""Facts about `filters.clean`: the measures of a clean side, under the names that limits use."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters import cleanness, tones
from filters.clean import FILTER, LIMITS, CleanSettings, traces
from filters.contract import Pair, Photo, Scores
from filters.traces import banding, framing, surfaces

SCORER = FILTER.open(CleanSettings(), None)


def _scores(item: Photo | Pair) -> Scores:
    return SCORER.score([SCORER.prepare(item)])[0]


def _broken(numbers: dict[str, float]) -> set[str]:
    return {name for name, (low, high) in LIMITS.items() if not low <= numbers[name] <= high}


def test_measures_are_those_that_were_announced(astronaut: Srgb) -> None:
    """A pair gives every number of the table, within its range; a photo those of the clean side."""
    pair = _scores(Pair("1", "blur", Photo("c", astronaut), Photo("d", cv2.GaussianBlur(astronaut, (0, 0), 2)))).numbers
    assert set(pair) == {measure.name for measure in FILTER.measures}
    assert all(measure.range[0] <= pair[measure.name] <= measure.range[1] for measure in FILTER.measures)
    photo = _scores(Photo("c", astronaut)).numbers
    assert photo == {name: value for name, value in pair.items() if not name.startswith("degraded_")}
    assert set(LIMITS) <= set(photo)


def test_both_sides_are_told_apart(astronaut: Srgb) -> None:
    """Blur, noise and JPEG on the degraded side move its numbers and leave those of the clean side alone."""
    noisy = np.clip(astronaut + np.random.default_rng(1).normal(0, 12, (512, 512, 1)), 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", astronaut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    jpeg = Photo("d", cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), data)
    clean = Photo("c", np.ascontiguousarray(astronaut[:256, :256]))  # nobody but the engine asks that sizes agree
    numbers = [_scores(Pair("1", "noise", clean, side)).numbers for side in (Photo("d", cv2.GaussianBlur(astronaut, (0, 0), 2)), Photo("d", noisy), jpeg)]
    assert numbers[0]["degraded_sharpness"] < 0.1 < numbers[0]["sharpness"]
    assert numbers[1]["degraded_noise_sigma"] > 8
    assert numbers[1]["noise_sigma"] < 4
    assert numbers[2]["degraded_jpeg_quality"] == 30 < numbers[2]["jpeg_quality"]
    assert len({one["sharpness"] for one in numbers}) == 1


def test_the_degraded_side_may_be_left_out(astronaut: Srgb) -> None:
    """Then the pair has the numbers of its clean side."""
    scorer, clean = FILTER.open(CleanSettings(degraded=False), None), Photo("c", np.ascontiguousarray(astronaut[:256, :256]))
    pair = Pair("1", "blur", clean, clean)
    assert scorer.score([scorer.prepare(pair)])[0] == _scores(clean)


def test_shared_measures_are_those_of_the_index(astronaut: Srgb) -> None:
    """What the index wrote and what the filter writes are one number."""
    known, found = cleanness.measure(astronaut), traces(Photo("c", astronaut))
    assert {name: value for name, value in known.items() if name in found} == {name: found[name] for name in known if name in found}
    assert set(known) - set(found) == {"short_side", "aspect"}


def test_numbers_depend_on_the_picture_alone(astronaut: Srgb, rocket: Srgb) -> None:
    """Exactly the same in any batch and order, and nothing is written into the pixels."""
    astronaut, rocket = np.ascontiguousarray(astronaut[:200, :300]), np.ascontiguousarray(rocket[100:300, :300])
    before = astronaut.copy()
    together = SCORER.score([SCORER.prepare(Photo(str(place), photo)) for place, photo in enumerate((rocket, astronaut, rocket))])
    assert together[0] == together[2] == _scores(Photo("x", rocket))
    assert together[1] == _scores(Photo("x", before))
    assert np.array_equal(before, astronaut)


def test_a_picture_too_small_to_tell_is_refused(astronaut: Srgb) -> None:
    """By its reason, before anything is measured; from 32 px on all numbers are finite."""
    with pytest.raises(BadSample) as refusal:
        _scores(Photo("c", astronaut[:31]))
    assert refusal.value.reason is Reason.TOO_SMALL
    assert all(math.isfinite(value) for value in _scores(Photo("c", np.ascontiguousarray(astronaut[:32, :70]))).numbers.values())


def test_a_good_photo_breaks_no_limit(astronaut: Srgb) -> None:
    """And copies that software damaged break the one that is meant for them."""
    exact = astronaut.astype(np.float32)
    framed = cv2.copyMakeBorder(astronaut, 60, 60, 0, 0, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    copies = {
        "gaps": astronaut // 8 * 8 + 4,
        "halo": np.clip(exact + 1.5 * (exact - cv2.GaussianBlur(exact, (0, 0), 4)), 0, 255).astype(np.uint8),
        "texture": cv2.bilateralFilter(cv2.bilateralFilter(astronaut, 9, 40, 7), 9, 40, 7),
        "framed": framed,
        "border": framed,
        "sharpness": cv2.GaussianBlur(astronaut, (0, 0), 2),
    }
    assert _broken(traces(Photo("c", astronaut))) == set()
    for name, copy in copies.items():
        assert name in _broken(traces(Photo("c", copy)))


@pytest.mark.slow
def test_good_photos_are_kept_and_damaged_ones_are_not(data: Path) -> None:
    """Of the clean photos two at most break a limit of the traces; cut to five bits none passes, filled or wiped few do."""
    own = {"framed", "banding", "gaps", "halo", "texture", "flat"}
    faults = {"as it is": 0, "cut": 0, "filled": 0, "wiped": 0}
    paths = sorted((data / "clean").iterdir())
    for path in paths:
        whole = np.asarray(Image.open(path).convert("RGB"))
        top, left = ((side - 800) // 2 if side > 800 else 0 for side in whole.shape[:2])
        photo = np.ascontiguousarray(whole[top : top + 800, left : left + 800])
        height, width = photo.shape[:2]
        wide = cv2.resize(cv2.resize(photo, (32, 32), interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_CUBIC)
        wide[:, width // 5 : -(width // 5)] = cv2.resize(photo, (width - 2 * (width // 5), height), interpolation=cv2.INTER_AREA)
        wiped = cv2.bilateralFilter(cv2.bilateralFilter(photo, 9, 40, 7), 9, 40, 7)
        faults["as it is"] += bool(own & _broken(traces(Photo("c", photo))))
        faults["cut"] += banding.gaps(tones.sample(photo // 8 * 8)) > LIMITS["gaps"][1]
        faults["filled"] += framing.framed(wide) > LIMITS["framed"][1]
        faults["wiped"] += surfaces.texture(wiped) < LIMITS["texture"][0]
    assert faults["as it is"] <= 2
    assert faults["cut"] == len(paths)
    assert min(faults["filled"], faults["wiped"]) >= 0.75 * len(paths)
