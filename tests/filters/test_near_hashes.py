"""Thumbnails, the waves of crops, their hashes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from filters.near import hashes, waves
from filters.near.thumbnails import SIDE, stack, thumbnail


def thumbs(*photos: np.ndarray) -> np.ndarray:
    """Thumbnails of photos."""
    return stack([thumbnail(photo) for photo in photos])


def turned(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Bits in which hashes differ."""
    return np.bitwise_count(one ^ other)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (48, 48), (300, 47)])
def test_a_photo_of_any_size_has_a_thumbnail(astronaut, shape):
    """2,304 bytes, whatever the size, and the mean of the photo stays the mean."""
    part = astronaut[: shape[0], : shape[1]]
    stored = thumbnail(part)
    assert len(stored) == SIDE * SIDE
    assert stack([stored]).mean() == pytest.approx(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).mean(), abs=6)


def test_no_photos_are_an_empty_stack():
    """Nothing in, nothing out, with the right shapes."""
    assert stack([]).shape == (0, SIDE, SIDE)
    assert hashes.of_crops(stack([])).shape == (0, hashes.FRAMES)


def test_a_wave_that_fits_a_crop_is_that_crops_own():
    """A cosine that runs through a frame exactly twice shows in one wave of that frame, and in several of the whole."""
    low, high = 6, 3
    begin, end = low / waves.STEPS, 1 - high / waves.STEPS
    cells = (np.arange(SIDE) + 0.5) / SIDE
    line = 128 + 100 * np.cos(np.pi * 4 * (cells - begin) / (end - begin))
    picture = np.rint(np.tile(line, (SIDE, 1)))
    found = np.abs(waves.frames()[waves.frame(0, 0)] @ picture @ waves.frames()[waves.frame(low, high)].T)[0, 1:]
    assert found.argmax() == 3
    assert found[3] > 20 * np.delete(found, 3).max()
    whole = np.abs(waves.whole(picture[None].astype(np.uint8))[0, 0, 1:])
    assert whole.max() < 20 * np.sort(whole)[-2]


def test_hashes_are_sums_of_whole_numbers(astronaut, rocket):
    """Every sum behind a sign is an integer below 2^53, so that its order cannot matter."""
    for found in (waves.frames(), waves.whole(thumbs(astronaut, rocket))):
        assert np.array_equal(found, np.rint(found))
        assert np.abs(found).max() < 2**53


def test_a_hash_does_not_depend_on_its_batch(astronaut, rocket):
    """Alone or among others, in any order, a photo has the same hashes."""
    both = thumbs(astronaut, rocket)
    assert np.array_equal(hashes.of_crops(both)[1], hashes.of_crops(both[1:])[0])
    assert np.array_equal(hashes.of_crops(both)[::-1], hashes.of_crops(both[::-1]))
    assert np.array_equal(hashes.of_crops(np.concatenate([both] * 300))[-1], hashes.of_crops(both)[1])


def test_the_first_hash_is_that_of_the_whole_photo(astronaut, rocket):
    """Frame 0 leaves nothing out, and no hash uses its 64th bit."""
    both = thumbs(astronaut, rocket)
    assert np.array_equal(hashes.of_crops(both)[:, 0], hashes.of_whole(both))
    assert (hashes.of_crops(both) >> np.uint64(63)).max() == 0


def test_encoding_and_size_turn_few_bits(astronaut):
    """JPEG at quality 50 and a quarter of the size turn at most 3 of 63 bits."""
    data = cv2.imencode(".jpg", astronaut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    small = cv2.resize(astronaut, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    found = hashes.of_whole(thumbs(astronaut, np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]), small))
    assert turned(found[0], found[1:]).max() <= 3


@pytest.mark.parametrize("sides", [(0.05, 0.0, 0.0, 0.05), (0.08, 0.08, 0.08, 0.08), (0.0, 0.08, 0.03, 0.0), (0.02, 0.05, 0.07, 0.01)])
def test_some_frame_has_the_hash_of_a_crop(astronaut, rocket, sides):
    """A crop of up to 8 % a side is within the radius of one of the photo's 64 hashes, and farther from the first."""
    for photo in (astronaut, rocket):
        height, width = photo.shape[:2]
        left, top, right, bottom = (round(side * size) for side, size in zip(sides, (width, height) * 2, strict=True))
        crop = photo[top : height - bottom, left : width - right]
        bits = turned(hashes.of_crops(thumbs(photo))[0], hashes.of_whole(thumbs(crop))[0])
        assert bits.min() <= hashes.RADIUS
        assert bits[0] > bits.min()


def test_a_hash_number_names_its_frames(rocket):
    """The bits of a hash are the signs of the waves in the frames that its number stands for."""
    photo = thumbs(rocket)
    for number in (1, 8, 13, 63):
        down, across = hashes.frame_of(number)
        found = (waves.frames()[down][: hashes.LOWEST] @ photo[0].astype(float) @ waves.frames()[across][: hashes.LOWEST].T).ravel() > 0
        found[0] = False
        assert int(hashes.of_crops(photo)[0, number]) == int("".join(map(str, found.astype(int))), 2)
