"""Maps by models are maps of the right photo, whole, and a photo that has none costs itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from small_run import recipe

from degrade.errors import BadSample, MissingModel, Reason
from degrade.scene.proxy import proxy
from manifests.commit import sha256
from pipelines import priors
from pipelines.crops import Crop
from pipelines.priors import Priors
from pipelines.run import Run, create

CROP = Crop(0, 0, 64, 64, 64, 64)
MAKERS = {"depth": "green"}


class Map(NamedTuple):
    """What a depth model answers."""

    inverse: np.ndarray
    horizon_frac: float
    maker: str


class Green:
    """A model to which green things are near."""

    maker = "green@1"

    def priors(self, photos: list[np.ndarray], _skies: list[np.ndarray]) -> list[Map]:
        return [Map(photo[..., 1].astype(np.float32) / 255, 0.5, self.maker) for photo in photos]


@pytest.fixture
def run(tmp_path, monkeypatch) -> Run:
    """A run folder, and the model that its maps ask for."""
    monkeypatch.setattr(priors, "_depth_model", lambda _: Green())
    return create(tmp_path / "run", recipe(), "", ())


@pytest.fixture
def three(tmp_path) -> list[Path]:
    """Photos of one grey each."""
    paths = [tmp_path / f"{level}.png" for level in (50, 100, 150)]
    for level, path in zip((50, 100, 150), paths, strict=True):
        cv2.imwrite(str(path), np.full((90, 120, 3), level, np.uint8))
    return paths


def asked(run: Run, paths: list[Path], skip: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The task of making maps of some photos, as they are now."""
    rows = [
        {"photo_uri": str(path), "photo_sha256": sha256(path.read_bytes()), "photo_offset": None, "photo_size": None, "photo_frame": None} for path in paths
    ]
    return {"run": str(run.folder), "kind": "depth", "maker": "green", "photos": rows, "skip": skip or {}}


def test_a_file_that_was_replaced_gives_no_map(run, three):
    """The map that is kept under a photo's hash is that photo's, also when its file held another for a while."""
    task, right = asked(run, three), three[0].read_bytes()
    three[0].write_bytes(three[1].read_bytes())
    assert priors.work(task, lambda _: None) == 2
    three[0].write_bytes(right)
    assert priors.work(task, lambda _: None) == 1
    kept = Priors(run.folder).stored(sha256(right), "depth", "green")
    assert kept is not None
    assert np.abs(kept.values / 257 - proxy(cv2.imread(str(three[0])))[..., 1]).max() < 1


def test_a_photo_that_has_gone_costs_itself(run, three):
    """The maps of the others are made; a photo that comes back is mapped by the next `render`, which says so until then."""
    task, whole = asked(run, three), cv2.imread(str(three[1]))
    data = three[1].read_bytes()
    three[1].unlink()
    assert priors.work(task, lambda _: None) == 2
    with pytest.raises(MissingModel, match="patina render"):
        Priors(run.folder).assets(whole, sha256(data), CROP, MAKERS)
    three[1].write_bytes(data)
    assert priors.work(task, lambda _: None) == 1
    assert Priors(run.folder).assets(whole, sha256(data), CROP, MAKERS)[1][0]["maker"] == "green@1"


def test_a_photo_of_which_the_model_dies_is_refused_with_its_reason(run, three):
    """What the guard gave up becomes a reject of the pairs; the next task that is not told to skip it tries again."""
    name, whole = sha256(three[0].read_bytes()), cv2.imread(str(three[0]))
    assert priors.work(asked(run, three, {name: ["timed_out", "no answer within 600 s"]}), lambda _: None) == 2
    with pytest.raises(BadSample, match="no depth map of it: no answer") as caught:
        Priors(run.folder).assets(whole, name, CROP, MAKERS)
    assert caught.value.reason is Reason.TIMED_OUT
    assert priors.work(asked(run, three), lambda _: None) == 1
    assert Priors(run.folder).assets(whole, name, CROP, MAKERS)[1][0]["maker"] == "green@1"
    assert priors.work(asked(run, three, {name: ["timed_out", ""]}), lambda _: None) == 0
    assert Priors(run.folder).assets(whole, name, CROP, MAKERS)[1][0]["maker"] == "green@1"


def test_a_map_with_other_values_than_its_hash_is_made_again(run, three):
    """Zeros in the body, of the right length, are not taken for the map; what was kept whole is read back."""
    task = asked(run, three[:1])
    key = (task["photos"][0]["photo_sha256"], "depth", "green")
    priors.work(task, lambda _: None)
    path = Priors(run.folder).path(*key)
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole[:-400] + bytes(400))
    assert Priors(run.folder).stored(*key) is None
    assert priors.work(task, lambda _: None) == 1
    assert path.read_bytes() == whole
    assert priors.work(task, lambda _: None) == 0


def test_stand_ins_are_read_back(tmp_path, rocket):
    """The hash of each map that is kept is that of the map that is read."""
    makers = {"depth": "geometric", "sky": "colour", "segments": "superpixels"}
    Priors(tmp_path).assets(rocket, "a" * 64, CROP, makers)
    assert all(Priors(tmp_path).stored("a" * 64, kind, maker) for kind, maker in makers.items())
