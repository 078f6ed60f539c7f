"""Second photos and images of banks are chosen by hash: alike for everyone, and hardly moved by who else is there."""

from __future__ import annotations

import json

import pytest
from small_run import recipe

from degrade.errors import Reason
from manifests.schema import PLAN
from pipelines.companions import Companions, Ring
from pipelines.crops import CropRecipe
from pipelines.draw import draw_rows
from pipelines.usable import Photo


def photo(at: int, group: str | None = None, width: int = 640) -> Photo:
    """A photo as the index describes it; its hash is spread like a real one."""
    from manifests.commit import sha256

    extra = [("group", group)] if group else []
    return Photo(f"/p/{at}.jpg", None, None, sha256(str(at).encode()), width, 480, "photo", 0.2, 0.2, True, None, None, "[]", None, extra)


def bank(count: int) -> dict[str, list[dict]]:
    """A bank of fog as `banks.read` gives it."""
    from manifests.commit import sha256

    return {"haze": [{"uri": f"/b/{at}.png", "offset": None, "size": 9, "sha256": sha256(f"fog {at}".encode())} for at in range(count)]}


def test_a_photo_more_moves_few_choices():
    """One candidate more among a hundred changes less than a tenth of the choices."""
    hashes = [photo(at).sha256 for at in range(101)]
    draws = [at / 1000 for at in range(1000)]
    one, other = Ring(hashes[:100]), Ring(hashes[::-1])
    assert sum(one.after(draw) != other.after(draw) for draw in draws) < 100
    assert len({one.after(draw) for draw in draws}) > 80


def test_a_partner_is_another_photo_of_another_group_that_is_large_enough():
    """Never the photo itself, never one of its group, never one that would be enlarged."""
    photos = [photo(0, "a"), photo(1, "a"), photo(2, "b"), photo(3, "c", width=100)]
    found = Companions(5, CropRecipe(size=128), photos, {})
    picks = {found.partner(photos[0], f"key {at}", 128, 128).record["uri"] for at in range(40)}
    assert picks == {"/p/2.jpg"}
    assert Companions(5, CropRecipe(size=128), photos[:1], {}).partner(photos[0], "key", 128, 128) is None


def test_a_partner_is_mirrored_whole():
    """Whatever the windows of the pairs, its crop is the largest of that shape, at another place for another key."""
    photos = [photo(0, "a"), *(photo(at, "b", width=1200) for at in range(1, 20))]
    found = Companions(5, CropRecipe(size=128, shrink=(1.0, 1.5)), photos, {})
    boxes = [found.partner(photos[0], f"key {at}", 128, 128).record["crop"] for at in range(12)]
    assert {(box[2], box[3]) for box in boxes} == {(480, 480)}
    assert len({box[0] for box in boxes}) > 8


def test_images_of_a_bank_are_not_repeated_while_there_are_enough():
    """Three of five are three; three of two are both, and one again."""
    many = Companions(5, CropRecipe(), [], bank(5)).textures("haze", "key", 3)
    few = Companions(5, CropRecipe(), [], bank(2)).textures("haze", "key", 3)
    assert len({row["sha256"] for row in many}) == 3
    assert len(few) == 3
    assert len({row["sha256"] for row in few}) == 2
    assert {row["role"] for row in many} == {"haze"}


def test_second_photos_never_cross_splits():
    """The second photo of a reflection is in the split of the first."""
    page = recipe(tasks={"reflection": {}}, variants=3)
    rows = [dict(zip(PLAN.names, row, strict=True)) for row in draw_rows(page, [photo(at) for at in range(40)])]
    split_of = {row["photo_sha256"]: row["split"] for row in rows}
    partners = [(row["split"], json.loads(row["others"])[0]["sha256"], row["photo_sha256"]) for row in rows if row["reason"] is None]
    assert len(partners) == 120
    assert all(split == split_of[other] and other != own for split, other, own in partners)
    assert len({other for _, other, _ in partners}) > 20


def test_a_photo_without_a_second_one_is_refused_by_name():
    """One photo alone gives no reflection."""
    (row,) = draw_rows(recipe(tasks={"reflection": {}}, variants=1), [photo(0)])
    assert row[PLAN.names.index("reason")] == Reason.NO_SECOND_PHOTO


def test_another_bank_image_is_another_pair():
    """The hash of a bank's image is part of a pair's identity."""
    page = recipe(tasks={"haze": {"ranges": {"from_bank": 1.0}}}, variants=4)
    names = PLAN.names
    ids = [{row[names.index("pair_id")] for row in draw_rows(page, [photo(1)], fog)} for fog in (bank(1), {"haze": bank(9)["haze"][8:]})]
    assert len(ids[0]) == 4
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("policy", ["random", "resize"])
def test_a_partner_has_the_size_of_the_pair(policy):
    """Whatever the policy and the aspect, the second photo is cut to width x height."""
    photos = [photo(0), photo(1, width=900)]
    found = Companions(5, CropRecipe(size=128, policy=policy), photos, {}).partner(photos[0], "key", 128, 128)
    assert found.record["crop"][4:] == [128, 128]
