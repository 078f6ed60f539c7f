"""Real pairs by an image editor, end to end: `patina build` on a diffusers pipeline with tiny random weights, without a network."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from real_page import PAGE

pytest.importorskip("torch", reason="pip install 'patina[editor]'")
pytest.importorskip("diffusers", reason="pip install 'patina[editor]'")
pytest.importorskip("transformers", reason="pip install 'patina[editor]'")
import tiny_diffusers

from manifests.commit import read_table
from pipelines import build, replay, verify
from pipelines.run import load

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """
import socket
def refuse(self, address):
    if self.family != socket.AF_UNIX:
        raise AssertionError(f"a connection to {address} was asked for")
socket.socket.connect = refuse
"""


@pytest.fixture
def web(tmp_path):
    """Two noisy photos and a good one."""
    from skimage import data

    folder, rng = tmp_path / "web", np.random.default_rng(3)
    folder.mkdir()
    for name, spread in (("astronaut", 14), ("coffee", 14), ("chelsea", 0)):
        photo = getattr(data, name)()[:300, :300, ::-1]
        cv2.imwrite(str(folder / f"{name}.png"), np.clip(photo + rng.normal(0, spread, photo.shape), 0, 255).astype(np.uint8))
    return folder


def test_an_editor_makes_clean_sides_from_the_gate_to_the_export(web, tmp_path):
    """Two candidates of each degraded photo are edited, put back or refused, scored, and the best kept; the books close and rows replay."""
    page = copy.deepcopy(PAGE)
    model = tiny_diffusers.saved(tmp_path / "pix2pix")
    page["real"]["makers"] = {"editor": {"kind": "editor", "candidates": 2, "settings": {"model": str(model), "call": {"num_inference_steps": 1}}}}
    page["real"]["correct"] = {"margin_px": 8, "max_shift_px": 8.0, "max_scale": 0.02, "max_rotation_deg": 1.0}  # random weights paint anything
    page["select"] = {}
    page["export"] = {"to": ["imagefolder"]}
    (tmp_path / "real.yaml").write_text(yaml.safe_dump(page))
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'blocked'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    words = ["build", str(tmp_path / "real.yaml"), "--input", str(web), "--out", str(tmp_path / "run"), "--engine", "serial"]
    answer = subprocess.run([sys.executable, "-m", "pipelines", *words], capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    run = load(tmp_path / "run")
    books = build.books(run)
    assert books.closed
    made = [row for row in read_table(run.manifest).to_pylist() if row["others"]]
    assert books.refused.get("not_degraded", 0) >= 1
    assert len(made) == 2 * len({row["photo_sha256"] for row in made}) > 0
    assert {json.loads(row["makers"])["clean"] for row in made} == {"editor"}
    candidates = list((run.folder / "candidates").rglob("*.json"))
    assert len(candidates) == len(made)
    assert all("InstructPix2Pix" in json.loads(path.read_text())["maker"] for path in candidates)
    kept = [row for row in made if row["verdict"] == "keep"]
    assert kept
    assert all("evidence.explained" in dict(row["scores"]) for row in kept)
    assert len(kept) == len({row["photo_sha256"] for row in made})
    assert not verify.prove(run).faults
    assert replay.replay(run, kept[0]).answer == "exact"
    assert (run.folder / "export" / "imagefolder").exists()
