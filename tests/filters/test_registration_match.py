"""Where a clean side lies is found to a fraction of a pixel under every degradation, and where nothing tells, nothing is told."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import pytest
from displaced import displaced, still

import degrade
from degrade import blur, camera
from degrade.contract import Assets, Facts
from degrade.errors import BadSample
from filters.registration.match import match
from filters.registration.similarity import Similarity
from pipelines import crops
from pipelines.single import Beside, open_photo, try_one

TASKS = tuple(name for name in degrade.NAMES if name != "web")
ONE_PX = Similarity(0.8, -0.6)


@pytest.fixture(scope="module")
def opened(photos):
    """Two photos of the run, as a job opens them."""
    return {name: open_photo(photos / name) for name in ("astronaut.png", "rocket.jpg")}


def astray_px(told, true):
    """Return how far a measured shift is from the true one."""
    return np.hypot(told.found.shift_x_px - true.shift_x_px, told.found.shift_y_px - true.shift_y_px)


@pytest.mark.parametrize("task", TASKS)
def test_a_shift_of_a_pixel_is_found_under_every_degradation(opened, task):
    """At stratum 3 of every degradation a shift of one pixel is found to a quarter of one, and none where there is none."""
    photo, other = opened["rocket.jpg"], opened["astronaut.png"]
    degraded = still(try_one(photo, task, 3, 0, beside=Beside(partner=other)).degraded.pixels)
    for true in (Similarity(), ONE_PX):
        told = match(displaced(photo.pixels, true), degraded)
        assert told is not None
        assert astray_px(told, true) < 0.25


def test_long_shakes_counterfeit_no_shift(astronaut):
    """Hand shakes of stratum 5, whose fine detail lies where the hand dwelt, are found to shift a photo by half a pixel at most, in median, and none by one."""
    light, (height, width) = camera.to_linear(astronaut), astronaut.shape[:2]
    anywhere = Assets(depth=np.ones((32, 32), np.float32), segments=np.zeros((32, 32), np.int32))
    shifts_px = []
    for seed in range(8):
        shake = blur.sample(np.random.default_rng(seed), blur.BlurRanges(stills={"shake": 1.0}), Facts(width, height), 5)
        told = match(astronaut, camera.to_srgb(blur.render(light, shake, anywhere)))
        assert told is not None
        shifts_px.append(told.found.shift_px)
    assert np.median(shifts_px) < 0.5
    assert max(shifts_px) < 1


@pytest.mark.parametrize("true", [Similarity(9.3, -4.6), Similarity(1, 2, 1.03, 0), Similarity(-2, 0.5, 0.97, 2), Similarity(5, 5, 1.08, -9)])
def test_shift_scale_and_rotation_are_found_together(astronaut, true):
    """Of a clean pair all four numbers are found at once: a twentieth of a pixel, of a degree and of a percent."""
    told = match(displaced(astronaut, true), still(astronaut))
    assert told is not None
    assert astray_px(told, true) < 0.05
    assert told.found.scale == pytest.approx(true.scale, abs=5e-4)
    assert told.found.rotation_deg == pytest.approx(true.rotation_deg, abs=0.05)


def test_a_large_pair_is_measured_in_its_own_pixels(astronaut):
    """A pair of 1152 px is worked on at half of that, and its shift is told at full size."""
    large = cv2.resize(astronaut, (1200, 1200), interpolation=cv2.INTER_CUBIC)
    told = match(displaced(large, Similarity(3.5, -2)), still(large))
    assert told is not None
    assert astray_px(told, Similarity(3.5, -2)) < 0.15


def test_contrast_and_brightness_do_not_matter(astronaut):
    """A photo at an eighth of its light, and one behind a bright veil, lie where they lay."""
    for changed in (astronaut // 8, 200 + astronaut // 6):
        told = match(displaced(astronaut, ONE_PX), still(changed.astype(np.uint8)))
        assert told is not None
        assert astray_px(told, ONE_PX) < 0.1


def test_another_scene_matches_nothing(astronaut, rocket):
    """Two photos of different things are told to be that."""
    assert match(np.ascontiguousarray(astronaut[:400, :400]), np.ascontiguousarray(rocket[:400, :400])) is None


@pytest.mark.parametrize("shape", [(512, 512), (64, 64), (96, 900), (20, 3)])
def test_a_picture_of_nothing_matches_nothing(shape):
    """Flat and tiny pictures tell nothing, and break nothing."""
    grey = np.full((*shape, 3), 128, np.uint8)
    assert match(grey, grey) is None


def test_a_narrow_strip_is_matched_too(astronaut):
    """A pair of 100 rows has tiles enough."""
    told = match(displaced(astronaut, ONE_PX)[:100].copy(), still(astronaut)[:100].copy())
    assert told is not None
    assert astray_px(told, ONE_PX) < 0.25


def test_a_thing_put_elsewhere_is_flow(astronaut):
    """A third of the picture that an editor moved by 5 px is seen in the flow, and not in the shift."""
    moved = astronaut.copy()
    moved[150:450, 150:450] = astronaut[150:450, 145:445]
    told, none = match(moved, astronaut), match(astronaut, astronaut)
    assert told is not None
    assert none is not None
    assert told.found.shift_px < 0.5
    assert told.flow_px == pytest.approx(5, abs=1)
    assert told.flow_share == pytest.approx(300 * 300 / 512**2, abs=0.12)
    assert (none.flow_px, none.flow_share) == (0, 0)


def test_what_was_painted_anew_is_not_matched(astronaut, rocket):
    """A quarter that shows something else lowers the matched share by a quarter, and moves nothing."""
    painted = astronaut.copy()
    painted[:256, :256] = rocket[-256:, :256]
    told = match(painted, astronaut)
    assert told is not None
    assert told.matched == pytest.approx(0.75, abs=0.12)
    assert told.found.shift_px < 0.05


def test_detail_tells_blur_from_noise(astronaut):
    """Blur takes fine contrast away, noise does not."""
    noisy = np.clip(astronaut + np.random.default_rng(0).normal(0, 15, astronaut.shape), 0, 255).astype(np.uint8)
    soft, loud = match(astronaut, cv2.GaussianBlur(astronaut, (0, 0), 3.0)), match(astronaut, noisy)
    assert soft is not None
    assert loud is not None
    assert soft.detail < 0.5
    assert loud.detail > 0.95


def test_the_error_says_how_far_off_the_answer_is(astronaut):
    """Over a dozen shifts under heavy noise, the error that is told is that which is made, within a factor of two."""
    rng, photo = np.random.default_rng(1), astronaut[100:400, 100:400]
    off, told_px = [], []
    for _ in range(12):
        true = Similarity(*rng.uniform(-3, 3, 2))
        noisy = np.clip(photo + rng.normal(0, 40, photo.shape), 0, 255).astype(np.uint8)
        told = match(displaced(photo, true), still(noisy))
        assert told is not None
        off.append(astray_px(told, true))
        told_px.append(told.error_px)
    assert 0.5 < np.sqrt(np.mean(np.square(off))) / np.mean(told_px) < 2


def test_matching_is_pure(astronaut):
    """The same pair gives the same numbers, and neither side is written into."""
    clean, degraded = displaced(astronaut, ONE_PX), still(astronaut)
    before = clean.copy(), degraded.copy()
    assert match(clean, degraded) == match(clean, degraded)
    assert all(np.array_equal(*pair) for pair in zip(before, (clean, degraded), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_one_pixel_is_found_on_95_percent_of_real_photos(data, task):
    """On crops of 512 px of the test photos at stratum 3, a shift of 1 px and no shift are told from each other on 95 %."""
    paths = sorted((data / "clean").glob("*.jpg"))
    found = []
    for at, path in enumerate(paths):
        photo = _opened(path)
        side = min(*photo.pixels.shape[:2], 1120)
        box = crops.Crop((photo.pixels.shape[1] - side) // 2, (photo.pixels.shape[0] - side) // 2, side, side, 560, 560)
        try:
            tried = try_one(photo, task, 3, at, box, Beside(partner=_opened(paths[at - 1])))
        except BadSample:
            continue
        angle = np.random.default_rng(at).uniform(0, 2 * np.pi)
        for true in (Similarity(), Similarity(np.cos(angle), np.sin(angle))):
            told = match(displaced(tried.clean, true), still(tried.degraded.pixels))
            found.append(told is not None and astray_px(told, true) < 0.5)
    assert len(found) >= 30
    assert np.mean(found) >= 0.95


@functools.cache
def _opened(path: Path):
    return open_photo(path)
