"""Near copies are found and proven; other photos are left alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from copies import cropped, encoded, resized, some

from filters.near import hamming, hashes, likeness, search
from filters.near.thumbnails import SIDE, stack, thumbnail

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg", "retina.jpg")


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Photos that scikit-image ships, small."""
    from skimage import data

    whole = [cv2.imread(str(Path(data.__file__).parent / name))[..., ::-1] for name in NAMES]
    return [resized(np.ascontiguousarray(photo), min(1.0, 500 / max(photo.shape[:2]))) for photo in whole]


def thumbs(pictures) -> np.ndarray:
    """Thumbnails of pictures."""
    return stack([thumbnail(picture) for picture in pictures])


def families(thumbnails: np.ndarray) -> list[set[int]]:
    """Clusters of more than one, as sets of places."""
    roots = search.clusters(thumbnails).roots()
    return [set(np.flatnonzero(roots == root).tolist()) for root in np.unique(roots) if (roots == root).sum() > 1]


def test_every_copy_finds_its_photo_and_no_other(photos):
    """Encoded, resized and cropped copies of seven photos make seven families, none joined to another."""
    copies = [copy for photo in photos for copy in some(photo, 6, 0.08, seed=1)]
    found = families(thumbs([*photos, *copies]))
    first = len(photos)
    assert found == [{at, *range(first + 6 * at, first + 6 * at + 6)} for at in range(first)]


def test_parts_of_a_photo_are_other_photos(photos):
    """Quarters of photos resemble neither one another nor the whole: near means a slight crop."""
    quarters = [cropped(photo, x, y, 0.5 - x, 0.5 - y) for photo in photos for x in (0.0, 0.5) for y in (0.0, 0.5)]
    assert not families(thumbs([*photos, *quarters]))


def test_the_same_masses_with_other_detail_are_another_photo(photos):
    """Hashes see long waves only and propose such pairs; the proof looks at the rest and refuses them."""
    soft = [cv2.GaussianBlur(cv2.resize(photo, (480, 480)).astype(np.float32), (0, 0), 28) for photo in photos]
    detail = [cv2.resize(photo, (480, 480)) - low for photo, low in zip(photos, soft, strict=True)]
    mixed = thumbs([np.clip(low + detail[at - 1], 0, 255).astype(np.uint8) for at, low in enumerate(soft)])
    proposed = [set(zip(found.cropped.tolist(), found.whole.tolist(), strict=True)) for found in search.propose(thumbs(photos), mixed)]
    assert len(set.union(*proposed) & {(at, at) for at in range(len(photos))}) >= 2
    assert not search.matches(mixed, thumbs(photos))


def test_an_edit_of_tone_is_still_a_copy(photos):
    """Brighter, paler or grey, a photo is the same photo."""
    photo = photos[0]
    grey = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    edits = [cv2.convertScaleAbs(photo, alpha=0.7, beta=30), grey, cv2.LUT(photo, np.rint(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8))]
    assert families(thumbs([photo, *edits, photos[1]])) == [{0, 1, 2, 3}]


def test_pictures_of_nothing_resemble_nothing():
    """Black frames and soft gradients with a little noise are no copies of one another."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(60, 180, 300)[:, None, None] * np.ones((1, 400, 3))
    flat = [np.zeros((300, 400, 3), np.uint8)] * 2 + [np.clip(ramp + rng.normal(0, 4, ramp.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    assert not likeness.telling(thumbs(flat)).any()
    assert not families(thumbs(flat))


def test_the_order_of_photos_and_the_size_of_blocks_cannot_be_seen(photos, monkeypatch):
    """A shuffle, small blocks and the tables of the hash search give the same families."""
    pictures = thumbs([*photos, *(copy for photo in photos[:3] for copy in some(photo, 3, 0.05, seed=2))])
    wanted = {frozenset(family) for family in families(pictures)}
    order = np.random.default_rng(0).permutation(len(pictures))
    assert {frozenset(order[list(family)].tolist()) for family in families(pictures[order])} == wanted
    monkeypatch.setattr(likeness, "BLOCK", 2)
    monkeypatch.setattr(hashes, "BLOCK", 3)
    monkeypatch.setattr(search, "IN_TABLE", 4)
    monkeypatch.setattr(search, "TOGETHER", 5)
    assert {frozenset(family) for family in families(pictures)} == wanted
    monkeypatch.undo()
    monkeypatch.setattr(hamming, "FEW", 0)
    assert {frozenset(family) for family in families(pictures)} == wanted
    monkeypatch.setattr(hamming, "HELD", 1000)
    assert {frozenset(family) for family in families(pictures)} == wanted


def test_many_copies_of_one_photo_are_not_held_at_once(photos, monkeypatch):
    """Of 80 copies of a photo, no answer of the hash search holds all hits, few of them become pairs, and all copies are one family."""
    noise = np.random.default_rng(0).integers(-2, 3, (80, SIDE, SIDE))
    copies = np.clip(thumbs(photos[:1]) + noise, 0, 255).astype(np.uint8)
    most, answers, pairs = 20_000, [], []
    near, nearest = hamming.Table.near, search._nearest

    def near_seen(table, queries):
        answers.append(near(table, queries))
        return answers[-1]

    def nearest_seen(hits, bits):
        pairs.append(len(bits))
        return nearest(hits, bits)

    monkeypatch.setattr(hamming, "HELD", most)
    monkeypatch.setattr(hamming, "FEW", 0)
    monkeypatch.setattr(hamming.Table, "near", near_seen)
    monkeypatch.setattr(search, "_nearest", nearest_seen)
    assert families(copies) == [set(range(80))]
    held = [len(found.rows) for found in answers]
    assert sum(held) > 9 * most
    assert max(held) <= most
    assert sum(pairs) == pairs[0] <= most  # those that the first answer has not linked


def test_pairs_are_proven_a_few_at_a_time(photos, monkeypatch):
    """However many photos look like a guarded image, the thumbnails of all pairs are never laid side by side."""
    monkeypatch.setattr(search, "TOGETHER", 7)
    sizes, proof = [], likeness.likeness

    def seen(cropped, whole, number):
        sizes.append(len(number))
        return proof(cropped, whole, number)

    monkeypatch.setattr(likeness, "likeness", seen)
    assert search.matches(thumbs(photos[:1] * 9), thumbs(photos[:1] * 5)).keys() == set(range(9))
    assert max(sizes) <= 7


def test_a_likeness_does_not_depend_on_its_batch(photos):
    """Pairs alone and pairs together have equal likeness, to the last bit."""
    ours, theirs = thumbs(photos), thumbs([cropped(photo, 0.03, 0.0, 0.02, 0.04) for photo in photos])
    number = np.full(len(ours), 9)
    together = likeness.likeness(ours, theirs, number)
    alone = [float(likeness.likeness(ours[at : at + 1], theirs[at : at + 1], number[at : at + 1])[0]) for at in range(len(ours))]
    assert together.tolist() == alone


def test_a_frame_is_found_from_afar(photos):
    """A descent that begins at the whole photo walks to a crop that lies several steps away."""
    crop = cropped(photos[0], 0.04, 0.03, 0.0, 0.02)
    assert likeness.likeness(thumbs(photos[:1]), thumbs([crop]), np.zeros(1, np.intp))[0] >= likeness.LEAST


def test_a_guarded_image_is_found_from_either_side(photos):
    """A photo that is a crop of a guarded image, and one of which a guarded image is a crop, are told with whom they match."""
    guarded = thumbs([photos[2], cropped(photos[3], 0.05, 0.02, 0.0, 0.05), photos[4]])
    ours = thumbs([photos[0], encoded(cropped(photos[2], 0.05, 0.0, 0.04, 0.05), ".jpg", 60), photos[3], photos[1]])
    found = search.matches(ours, guarded)
    assert {one: other for one, (other, _) in found.items()} == {1: 0, 2: 1}
    assert all(likeness.LEAST <= value <= 1.0 for _, value in found.values())


def test_of_equal_guarded_images_the_first_is_named(photos):
    """Two guarded copies of one image: the answer does not depend on chance."""
    found = search.matches(thumbs(photos[:1]), thumbs([photos[1], photos[0], photos[0]]))
    assert found[0][0] == 1


def test_no_photo_is_no_question():
    """Empty stacks have no families and no matches."""
    nothing = np.empty((0, SIDE, SIDE), np.uint8)
    assert search.clusters(nothing).roots().tolist() == []
    assert search.matches(nothing, nothing) == {}


@pytest.mark.slow
def test_all_copies_of_the_real_photos_are_found_and_no_photo_is_taken_for_another(data):
    """32 photos, 24 copies of each with crops up to 5 % and 12 up to 8 %: every copy in the family of its photo, and 32 families."""
    whole = [cv2.imread(str(path))[..., ::-1] for path in sorted((data / "clean").iterdir())]
    photos = [resized(np.ascontiguousarray(photo), min(1.0, 900 / max(photo.shape[:2]))) for photo in whole]
    pictures, owner = list(photos), list(range(len(photos)))
    for at, photo in enumerate(photos):
        for most, count in ((0.05, 24), (0.08, 12)):
            pictures += some(photo, count, most, seed=at)
            owner += [at] * count
    assert search.clusters(thumbs(pictures)).roots().tolist() == owner
