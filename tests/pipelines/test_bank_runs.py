"""Banks: strangers' images are opened with care, picked by the plan, named in the row, and rendered again from it."""

from __future__ import annotations

import json
import shutil
import struct
import tarfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_run import make, recipe

from degrade.errors import BadSample, Reason, RecipeError, RunError
from manifests.commit import read_table
from pipelines import banks, replay
from pipelines.photos import textures
from pipelines.recipe import parse


def fog(seed: int, width: int = 80) -> np.ndarray:
    """A soft RGBA spot."""
    rng = np.random.default_rng(seed)
    rgba = cv2.GaussianBlur(rng.random((64, width, 4), np.float32), (0, 0), 5.0)
    return ((rgba - rgba.min()) / (rgba.max() - rgba.min()) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three images, a copy of one, a text, and a picture of nothing."""
    place = tmp_path_factory.mktemp("fog")
    for seed in range(3):
        cv2.imwrite(str(place / f"{seed}.png"), fog(seed))
    shutil.copy(place / "0.png", place / "again.png")
    (place / "text.png").write_text("not an image")
    cv2.imwrite(str(place / "nothing.png"), np.zeros((64, 64, 4), np.uint8))
    return place


PAGE = {"tasks": {"haze": {"ranges": {"from_bank": 1.0}}}, "variants": 3, "layers": True}


@pytest.fixture(scope="module")
def foggy(tmp_path_factory, photos, folder):
    """A run whose haze is drawn from a bank, with side products."""
    return make(tmp_path_factory.mktemp("foggy") / "run", photos, recipe(**PAGE, banks={"haze": str(folder)}))


def test_every_image_has_a_row_and_every_reject_a_reason(foggy):
    """Three of six are usable; a copy, a text and nothing are refused by name."""
    rows = {Path(row["uri"]).name: row for row in read_table(foggy.banks).to_pylist()}
    assert {name for name, row in rows.items() if row["verdict"] == "keep"} == {"0.png", "1.png", "2.png"}
    reasons = {name: row["reason"] for name, row in rows.items() if row["verdict"] != "keep"}
    assert reasons == {"again.png": Reason.DUPLICATE, "text.png": Reason.NOT_AN_IMAGE, "nothing.png": Reason.FLAT}


def test_rows_name_what_they_drew_and_replay_exactly(foggy):
    """Each pair says which images it used, and is made again from its row alone."""
    rows = [row for row in replay.spread(foggy, 6) if row["clean_sha256"]]
    assert rows
    for row in rows:
        drawn = json.loads(row["steps"])[0]["params"]["textures"]
        others = json.loads(row["others"])
        assert len(drawn) == len(others) >= 1
        assert {other["sha256"] for other in others} <= {asset["sha256"] for asset in json.loads(row["assets"])}
        assert replay.replay(foggy, row).answer == "exact"


def test_an_image_that_changed_is_noticed(folder, tmp_path, photos):
    """A bank's file with other bytes than when it was indexed refuses the pair."""
    own = tmp_path / "fog"
    shutil.copytree(folder, own)
    run = make(tmp_path / "run", photos, recipe(**PAGE, banks={"haze": [str(own)]}))
    for seed in range(3):
        cv2.imwrite(str(own / f"{seed}.png"), fog(seed + 10))
    with pytest.raises(BadSample, match="other bytes"):
        replay.replay(run, replay.spread(run, 1)[0])
    with pytest.raises(RunError, match=r"banks of .* have changed"):
        make(tmp_path / "run", photos, recipe(**PAGE, banks={"haze": [str(own)]}))


def test_a_bank_may_be_a_tar(tmp_path, folder):
    """Members of a tar are images like files of a folder."""
    with tarfile.open(tmp_path / "fog.tar", "w") as tar:
        tar.add(folder / "1.png", "some/where/1.png")
    page = parse({"tasks": {"haze": {}}, "banks": {"haze": str(tmp_path / "fog.tar")}})
    from pipelines.photos import sources

    (listed,) = sources.listing(page.banks["haze"].sources)
    assert textures.decode(sources.read(listed)).shape == (64, 80, 4)


def test_an_image_that_is_too_large_for_a_bank_costs_itself():
    """A header of 900 million px, before which Pillow itself recoils, is TOO_MANY_PIXELS as one of 60 million is."""
    for side in (30_000, 8_000):
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"x")), (b"IEND", b"")]
        data = b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)
        with pytest.raises(BadSample) as caught:
            textures.decode(data)
        assert caught.value.reason is Reason.TOO_MANY_PIXELS


def test_a_bank_that_cannot_be_meant_stops_with_what_would_be_valid(tmp_path, photos):
    """A bank for a degradation that draws from none, and a bank without one usable image, are errors of the recipe."""
    with pytest.raises(RecipeError, match=r"banks\.noise"):
        parse({"tasks": {"haze": {}}, "banks": {"noise": "somewhere"}})
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "text.png").write_text("not an image")
    with pytest.raises(RecipeError, match="not one usable image"):
        make(tmp_path / "run", photos, recipe(**PAGE, banks={"haze": str(tmp_path / "bank")}))


def test_side_products_lie_beside_the_pair(foggy):
    """Depth, sky and transmission are stored at the pair's size, and found again by offset and hash."""
    from manifests import shards
    from manifests.commit import sha256

    row = replay.spread(foggy, 1)[0]
    layers = {layer["name"]: layer for layer in json.loads(row["layers"])}
    assert {"depth", "sky", "haze.transmission"} <= set(layers)
    with open(shards.tar_path(foggy.folder, row["shard"]), "rb") as file:
        for layer in layers.values():
            file.seek(layer["offset"])
            data = file.read(layer["length"])
            assert sha256(data) == layer["sha256"]
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            assert picture.shape[:2] == (row["height"], row["width"])
            assert picture.dtype == np.uint16


def test_damage_to_a_side_product_is_found(foggy, tmp_path):
    """`verify` names the layer whose bytes were changed."""
    from dataclasses import replace

    from manifests import shards
    from pipelines.verify import prove

    assert not prove(foggy).faults
    shutil.copytree(foggy.folder, tmp_path / "run")
    row = replay.spread(foggy, 1)[0]
    layer = json.loads(row["layers"])[0]
    with open(shards.tar_path(tmp_path / "run", row["shard"]), "r+b") as file:
        file.seek(layer["offset"] + 50)
        file.write(b"\0\1\2\3")
    faults = [fault.place for fault in prove(replace(foggy, folder=tmp_path / "run")).faults]
    assert any(f"layer {layer['name']}" in place for place in faults)


def test_large_images_are_reduced_and_banks_are_read_by_hash(foggy):
    """What a bank holds is sorted by hash, so that no order of files can be seen in a plan."""
    hashes = [row["sha256"] for row in banks.read(foggy)["haze"]]
    assert hashes == sorted(hashes)
    ok, data = cv2.imencode(".png", cv2.resize(fog(1), (4100, 300)))
    assert ok
    assert max(textures.decode(data.tobytes()).shape) == textures.LONG_SIDE_PX
