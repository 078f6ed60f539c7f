"""Pictures for the browser: the stored bytes, layers made visible, thumbnails made once."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from degrade.errors import CorruptRun, RunError
from manifests import pictures, png, shards
from manifests.commit import read_table
from manifests.page import members, thumbnails
from manifests.shards import Layer, Member


@pytest.fixture
def kept(scratch):
    """A pair with pictures."""
    return next(row for row in read_table(scratch.manifest).to_pylist() if row["clean_sha256"])


def test_a_picture_is_the_stored_member(scratch, kept):
    """The browser shows the very bytes that a trainer reads."""
    data, media_type = members.picture(scratch.folder, kept, "degraded")
    tar = shards.tar_path(scratch.folder, kept["shard"]).read_bytes()
    assert data == tar[kept["degraded_offset"] : kept["degraded_offset"] + kept["degraded_length"]]
    assert media_type == kept["degraded_type"]


def test_damage_is_told_and_not_shown(scratch, kept):
    """A flipped bit is found when the picture is looked at."""
    tar = shards.tar_path(scratch.folder, kept["shard"])
    data = bytearray(tar.read_bytes())
    data[kept["clean_offset"] + 100] ^= 1
    tar.write_bytes(data)
    with pytest.raises(CorruptRun, match="patina verify"):
        members.picture(scratch.folder, kept, "clean")


def test_a_refused_pair_has_no_pictures(scratch, kept):
    """It says why."""
    with pytest.raises(RunError, match="flat"):
        members.picture(scratch.folder, {**kept, "clean_length": None, "reason": "flat"}, "clean")


def test_a_thumbnail_holds_both_sides_and_is_made_once(scratch, kept):
    """Left is degraded, right is clean; the second time no shard is opened."""
    data = thumbnails.thumbnail(scratch.folder, kept)
    small = pictures.decode(data)
    height, width = small.shape[:2]
    assert (height, width) == (min(thumbnails.SIDE_PX, kept["height"]), 2 * min(thumbnails.SIDE_PX, kept["width"]))
    clean = pictures.decode(members.picture(scratch.folder, kept, "clean")[0])
    assert np.abs(small[:, width // 2 :].astype(int) - cv2.resize(clean, (width // 2, height))).mean() < 6
    shards.tar_path(scratch.folder, kept["shard"]).unlink()
    assert thumbnails.thumbnail(scratch.folder, kept) == data


def test_a_layer_is_read_from_the_shard(tmp_path):
    """A stored map comes back as an 8-bit picture; a layer that is not there is refused with those that are."""
    row = dict.fromkeys(("task", "split", "severity", "unit", "stratum", "prompt_en", "prompt_zh"))
    row |= {"pair_id": "p", "steps": "[]", "prompt_en": "", "shard": "s"}
    picture = Member(png.encode(np.zeros((2, 3, 3), np.uint8)), png.MEDIA_TYPE)
    with shards.ShardWriter(tmp_path, "s", "fingerprint") as writer:
        writer.add_pair(row, picture, picture, [Layer("sky", png.encode(np.full((2, 3), 65535, np.uint16)), 1.0)])
    assert json.loads(row["layers"])[0]["name"] == "sky"
    assert (pictures.decode(members.layer(tmp_path, row, "sky")) == 255).all()
    with pytest.raises(RunError, match="did you mean `sky`"):
        members.layer(tmp_path, row, "skye")


def test_layers_are_made_visible():
    """Labels get colours of their own, maps stay as they are, faint light is brightened."""
    labels = members.visible("segments", np.arange(6, dtype=np.uint16).reshape(2, 3))
    assert len({tuple(colour) for colour in labels.reshape(-1, 3)}) == 6
    assert members.visible("depth", np.array([[0, 32896, 65535]], np.uint16)).tolist() == [[0, 128, 255]]
    blue_faint = np.zeros((4, 4, 3), np.uint16)
    blue_faint[..., 0] = 300
    assert members.visible("rain.rain", blue_faint)[0, 0].tolist() == [0, 0, 255]
