"""Priors of the scene: made once, kept by content and maker, from stand-ins or from real checkpoints by the same door."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from small_run import PAGE, make, recipe

from degrade.errors import MissingModel
from manifests.commit import read_table
from pipelines.build import books
from pipelines.crops import Crop
from pipelines.priors import Priors
from pipelines.replay import replay

MAKERS = {"depth": "geometric", "sky": "colour", "segments": "superpixels"}
HAZE = {"tasks": {"haze": {}}, "variants": 2}


def test_a_kept_map_is_the_map_that_was_made(tmp_path, rocket):
    """Fresh from memory, again from disk, and with nothing kept: the same bits."""
    crop = Crop(40, 30, 300, 200, 300, 200)
    fresh, used = Priors(tmp_path).assets(rocket, "a" * 64, crop, MAKERS)
    again, used_again = Priors(tmp_path).assets(rocket, "a" * 64, crop, MAKERS)
    loose, _ = Priors(None).assets(rocket, "a" * 64, crop, MAKERS)
    for name in ("depth", "sky", "segments"):
        assert np.array_equal(getattr(fresh, name), getattr(again, name))
        assert np.array_equal(getattr(fresh, name), getattr(loose, name))
    assert used == used_again
    assert {record["maker"] for record in used} == set(MAKERS.values())


def test_a_damaged_map_is_made_again(tmp_path, rocket):
    """A cache that was cut short costs a computation, not a run."""
    crop = Crop(0, 0, 427, 427, 128, 128)
    _, used = Priors(tmp_path).assets(rocket, "b" * 64, crop, {"sky": "colour"})
    path = next(tmp_path.rglob("*.map"))
    path.write_bytes(path.read_bytes()[:100])
    assert Priors(tmp_path).assets(rocket, "b" * 64, crop, {"sky": "colour"})[1] == used


def test_the_horizon_follows_the_crop(tmp_path, rocket):
    """A crop of the lower half sees the horizon higher, in heights of its own."""
    whole, _ = Priors(tmp_path).assets(rocket, "c" * 64, Crop(0, 0, 640, 427, 640, 427), MAKERS)
    lower, _ = Priors(tmp_path).assets(rocket, "c" * 64, Crop(0, 213, 640, 214, 640, 214), MAKERS)
    assert lower.horizon_frac == pytest.approx((whole.horizon_frac * 427 - 213) / 214)
    assert lower.height_rad < whole.height_rad


def test_checkpoints_make_maps_from_the_command_line_to_the_row(tmp_path, photos, tiny_dpt, tiny_sam):
    """DPT by folder, segment-anything by file: maps are made before the pairs, the makers are in the rows, and pairs replay."""
    tasks = {"haze": {"share": 3.0, "also": {"noise": {"chance": 0.5}}}, "noise": {"share": 0.3}}
    (tmp_path / "two").mkdir()
    for name in ("rocket.jpg", "coffee.png"):
        shutil.copy(photos / name, tmp_path / "two" / name)
    run = make(tmp_path / "run", tmp_path / "two", recipe(tasks=tasks, variants=3, priors={"depth": str(tiny_dpt), "segments": str(tiny_sam)}))
    rows = [row for row in read_table(run.manifest).to_pylist() if row["clean_sha256"]]
    assert rows
    makers = {record["kind"]: record["maker"] for row in rows for record in json.loads(row["assets"])}
    assert makers["depth"].startswith(str(tiny_dpt))
    assert str(tiny_sam) in makers["segments"]
    assert books(run).closed
    assert all(replay(run, row).answer == "exact" for row in rows)


def test_a_missing_checkpoint_stops_with_the_command_that_gets_it(tmp_path, photos, monkeypatch):
    """No download in the middle of a job, no stand-in in its place: one line that says what to do."""
    pytest.importorskip("transformers", reason="pip install 'patina[depth]'")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    page = tmp_path / "recipe.yaml"
    page.write_text(yaml.safe_dump({**PAGE, **HAZE, "priors": {"depth": "dpt_large"}}))
    command = [sys.executable, "-m", "pipelines", "build", str(page), "--out", str(tmp_path / "run"), "--input", str(photos), "--engine", "serial"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "hf download Intel/dpt-large" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "run" / "index.parquet").exists()  # told before the work, not after it


def test_a_map_that_only_a_model_can_make_is_not_faked(tmp_path, rocket):
    """Rendering without the model's map is an error."""
    with pytest.raises(MissingModel, match="patina render"):
        Priors(tmp_path).assets(rocket, "d" * 64, Crop(0, 0, 64, 64, 64, 64), {"depth": "dpt_large"})
